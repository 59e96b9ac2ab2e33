//! Accepts what was delivered to a push hook: stores it once, and asks for polls of what it is about in the same transaction, so that no
//! push is lost with the server. The polls decide what is deployed and which jobs of workspaces start; they are only made at once.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::id::{PushHookDeliveryId, WorkspaceWebhookId};
use entity::push_hook_delivery::Model;
use entity::workspace_push::PushEvent;
use entity::{push_hook, workspace_webhook_event};
use sea_orm::DatabaseTransaction;
use serde_json::Value;

use super::asked_branches::{Asked, Polled, Polling, asked_for};
use super::delivery_headers::Delivery;
use super::heard::Heard;
use super::repository_path;
use crate::app::App;
use crate::error::Result;
use crate::secret::{self, Secret};
use crate::store;

/// The most branches of an organization that are compared with a push.
const MOST_HEADS: u64 = 10_000;
/// The most workspaces of an organization whose repositories are compared with a push.
const MOST_WORKSPACES: u64 = 10_000;

/// What came of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heeded {
    /// At least one row: a delivery may be about several branches.
    New(Vec<Model>),
    /// It was received before.
    Replayed,
    /// The push hook was deleted.
    Gone,
}

/// The secret of a push hook.
///
/// # Errors
/// When it cannot be opened.
pub fn open_secret(app: &App, row: &push_hook::Model) -> Result<Secret<String>> {
    app.keys.open_text(&secret::place("push_hook", row.id.0), &row.secret)
}

/// Stores a delivery whose signature is right, and has polled what it is about.
///
/// # Errors
/// Database errors.
pub async fn accept(app: &App, hook: &push_hook::Model, delivery: &Delivery, payload: &Value) -> Result<Heeded> {
    let heard = delivery.read(payload);
    let judged = judge(app, hook, &heard).await?;
    let now = app.clock.now();
    let heeded = store::write(&app.db, async |tx| store_all(tx, hook, delivery, (&heard, &judged), now).await).await?;
    if matches!(&heeded, Heeded::New(rows) if rows.iter().any(|row| row.branches > 0)) {
        app.wake.pushes();
    }
    Ok(heeded)
}

/// What has to be polled, or why there is nothing, for each thing that was heard.
async fn judge(app: &App, hook: &push_hook::Model, heard: &[Heard]) -> Result<Vec<Result<Asked, String>>> {
    let polled = match heard.iter().any(|one| one.event == PushEvent::Push) {
        true => polled(app, hook, heard).await?,
        false => Polled::default(),
    };
    Ok(heard.iter().map(|one| asked_for(one, &polled)).collect())
}

/// What is polled of the organization. Of workspaces, those whose repository was pushed to.
async fn polled(app: &App, hook: &push_hook::Model, heard: &[Heard]) -> Result<Polled> {
    let heads = match app.config.auto_deploy_seconds {
        0 => None,
        _ => Some(store::push::list_heads(&app.db, hook.organization_id, MOST_HEADS).await?),
    };
    let is_pushed = |source: &str| {
        heard.iter().filter_map(|one| one.repository.as_deref()).any(|path| repository_path::names(source, path))
    };
    let mut workspaces: Vec<Polling> = store::push::list_polled(&app.db, hook.organization_id, MOST_WORKSPACES)
        .await?
        .into_iter()
        .filter(|(_, source, _)| is_pushed(source))
        .map(|(webhook, source, branch)| Polling { webhook, source, branch, events: Vec::new() })
        .collect();
    let ids = workspaces.iter().map(|one| one.webhook).collect();
    let mut events: HashMap<WorkspaceWebhookId, Vec<workspace_webhook_event::Model>> = HashMap::new();
    for event in store::push::events_of(&app.db, ids).await? {
        events.entry(event.webhook_id).or_default().push(event);
    }
    for one in &mut workspaces {
        one.events = events.remove(&one.webhook).unwrap_or_default();
    }
    Ok(Polled { heads, workspaces })
}

/// Whether all that a known body says was done once more.
async fn was_done_again(tx: &DatabaseTransaction, hook: &push_hook::Model, heard: &[Heard]) -> Result<bool> {
    for one in heard {
        let newest = match one.repository.as_deref().zip(one.branch.as_deref()) {
            Some(of) => store::push::newest_hook_delivery(tx, hook.id, of).await?,
            None => None,
        };
        if !one.was_done_again(newest.as_ref().map(|row| row.commit_id.as_deref())) {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn store_all(
    tx: &DatabaseTransaction,
    hook: &push_hook::Model,
    delivery: &Delivery,
    (heard, judged): (&[Heard], &[Result<Asked, String>]),
    now: DateTime<Utc>,
) -> Result<Heeded> {
    if store::push::lock_hook(tx, hook.id).await?.is_none() {
        return Ok(Heeded::Gone);
    }
    let named = |text: &str, place: usize| if place == 0 { text.to_owned() } else { format!("{text} {place}") };
    let digests: Vec<String> = (0..heard.len()).map(|place| named(&delivery.digest, place)).collect();
    let known = store::push::known_hook_deliveries(tx, hook.id, (&delivery.id, &digests)).await?;
    let is_replay = known.iter().any(|row| row.delivery == delivery.id);
    if is_replay || !known.is_empty() && !was_done_again(tx, hook, heard).await? {
        return Ok(Heeded::Replayed);
    }
    for row in known {
        // The newest delivery of a body has its digests, which are unique.
        let digest = format!("{} {}", row.digest, row.id);
        store::row::update(tx, Model { digest, ..row }).await?;
    }
    let mut rows = Vec::with_capacity(heard.len());
    for (place, (one, judged)) in heard.iter().zip(judged).enumerate() {
        let (branches, reason) = match judged {
            Ok(Asked { heads, webhooks }) => {
                let branches = store::push::ask_for_heads(tx, heads.clone(), now).await?;
                (branches + store::push::ask_for_polls(tx, webhooks.clone(), now).await?, None)
            }
            Err(reason) => (0, Some(reason.clone())),
        };
        let row = Model {
            id: PushHookDeliveryId::create(),
            organization_id: hook.organization_id,
            hook_id: hook.id,
            created_at: now,
            provider: delivery.provider,
            delivery: named(&delivery.id, place),
            digest: named(&delivery.digest, place),
            repository: one.repository.clone(),
            branch: one.branch.clone(),
            commit_id: one.commit.clone(),
            author: one.author.clone(),
            branches: i32::try_from(branches).unwrap_or(i32::MAX),
            reason,
        };
        rows.push(store::row::create(tx, row).await?);
    }
    Ok(Heeded::New(rows))
}
