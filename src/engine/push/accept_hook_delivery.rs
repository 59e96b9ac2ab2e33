//! Accepts what was delivered to a push hook: stores it once, and asks for the branches that it is about in the same transaction, so
//! that no push is lost with the server. The poll of a branch decides what is deployed; it is only made at once.

use chrono::{DateTime, Utc};
use entity::id::{PushHookDeliveryId, RepositoryHeadId};
use entity::push_hook;
use entity::push_hook_delivery::Model;
use entity::workspace_push::PushEvent;
use sea_orm::DatabaseTransaction;
use serde_json::Value;

use super::asked_branches::asked_for;
use super::delivery_headers::Delivery;
use super::heard::Heard;
use crate::app::App;
use crate::error::Result;
use crate::secret::{self, Secret};
use crate::store;

/// The most branches of an organization that are compared with a push.
const MOST_HEADS: u64 = 10_000;

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

/// Stores a delivery whose signature is right, and has the branches polled that it is about.
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

/// The branches that have to be polled, or why there are none, for each thing that was heard.
async fn judge(
    app: &App,
    hook: &push_hook::Model,
    heard: &[Heard],
) -> Result<Vec<Result<Vec<RepositoryHeadId>, String>>> {
    if app.config.auto_deploy_seconds == 0 {
        let reason = "this server polls no branches, because --auto-deploy-seconds is 0";
        return Ok(heard.iter().map(|_| Err(reason.to_owned())).collect());
    }
    let heads = match heard.iter().any(|one| one.event == PushEvent::Push) {
        true => store::push::list_heads(&app.db, hook.organization_id, MOST_HEADS).await?,
        false => Vec::new(),
    };
    Ok(heard.iter().map(|one| asked_for(one, &heads)).collect())
}

async fn store_all(
    tx: &DatabaseTransaction,
    hook: &push_hook::Model,
    delivery: &Delivery,
    (heard, judged): (&[Heard], &[Result<Vec<RepositoryHeadId>, String>]),
    now: DateTime<Utc>,
) -> Result<Heeded> {
    if store::push::lock_hook(tx, hook.id).await?.is_none() {
        return Ok(Heeded::Gone);
    }
    if store::push::is_hook_delivery_known(tx, hook.id, (&delivery.id, &delivery.digest)).await? {
        return Ok(Heeded::Replayed);
    }
    let mut rows = Vec::with_capacity(heard.len());
    for (place, (one, judged)) in heard.iter().zip(judged).enumerate() {
        let named = |text: &str| if place == 0 { text.to_owned() } else { format!("{text} {place}") };
        let (branches, reason) = match judged {
            Ok(ids) => (store::push::ask_for_heads(tx, ids.clone(), now).await?, None),
            Err(reason) => (0, Some(reason.clone())),
        };
        let row = Model {
            id: PushHookDeliveryId::create(),
            organization_id: hook.organization_id,
            hook_id: hook.id,
            created_at: now,
            provider: delivery.provider,
            delivery: named(&delivery.id),
            digest: named(&delivery.digest),
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
