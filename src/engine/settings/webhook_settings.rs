//! Creates, changes and deletes webhooks.

use entity::environment::Mode;
use entity::id::{OrganizationId, WebhookId};
use entity::webhook::{Events, Model, Modes, OwnEvent, OwnEvents, ProjectNames, WebhookEvent, WebhookKind};
use sea_orm::ActiveEnum as _;
use serde_json::{Value, json};

use super::at;
use crate::app::App;
use crate::engine::audit::{self, Change};
use crate::engine::faults::Faults;
use crate::engine::limits;
use crate::engine::requester::Requester;
use crate::error::{Error, Result};
use crate::outbound::{self, sign};
use crate::secret::stored_binding::of_webhook;
use crate::secret::{self, moves};
use crate::store;

const TARGET: &str = "WEBHOOK";

/// The maximum number of webhooks in an organization.
const MAX_WEBHOOKS: usize = 50;

/// A webhook as somebody wants it. No `Debug`: it contains the secret.
#[derive(Clone)]
pub struct WantedWebhook {
    pub kind: WebhookKind,
    pub target_url: String,
    /// An absent secret keeps the stored one, unless it would belong to another host; an empty one removes it.
    pub target_secret: Option<String>,
    pub description: Option<String>,
    pub enabled: Option<bool>,
    pub events: Vec<WebhookEvent>,
    /// Absent ones stay: clients that do not know them do not send them.
    pub own_events: Option<Vec<OwnEvent>>,
    pub project_names: Vec<String>,
    pub modes: Vec<Mode>,
}

/// A webhook as events record it: under the names of the official API, without its secret.
fn recorded(row: &Model) -> Value {
    json!({
        "id": row.id, "created_at": at(row.created_at), "updated_at": at(row.updated_at), "kind": row.kind.to_value(),
        "target_url": row.target_url, "target_secret_set": row.secret.is_some(),
        "description": row.description.clone().unwrap_or_default(), "enabled": row.enabled, "events": row.events,
        "own_events": row.own_events.clone().unwrap_or_default(), "project_names_filter": row.project_names, "environment_types_filter": row.modes,
    })
}

/// Creates a webhook.
///
/// # Errors
/// `Invalid` with all faults; database errors.
pub async fn create(app: &App, by: &Requester, id: OrganizationId, wanted: WantedWebhook) -> Result<Model> {
    let now = app.clock.now();
    let row = Model {
        id: WebhookId::create(),
        organization_id: id,
        created_at: now,
        updated_at: now,
        kind: WebhookKind::Standard,
        target_url: String::new(),
        secret: None,
        description: None,
        enabled: true,
        events: Events::default(),
        project_names: ProjectNames::default(),
        modes: Modes::default(),
        own_events: None,
    };
    let row = apply(app, wanted, row)?;
    audit::write(app, by, id, async |tx| {
        if store::webhook::list(tx, id).await?.len() >= MAX_WEBHOOKS {
            return Err(Error::invalid("", format!("an organization can have at most {MAX_WEBHOOKS} webhooks")));
        }
        let row = store::row::create(tx, row).await?;
        let change = Change::create(TARGET, row.id.0, &row.target_url).after(&recorded(&row));
        Ok((row, change))
    })
    .await
}

/// Changes a webhook.
///
/// # Errors
/// `Invalid` with all faults; database errors.
pub async fn edit(app: &App, by: &Requester, row: Model, wanted: WantedWebhook) -> Result<Model> {
    let now = app.clock.now();
    audit::write(app, by, row.organization_id, async |tx| {
        let edit = |stored: Model| Ok(Model { updated_at: now, ..apply(app, wanted, stored)? });
        let changed = store::row::change(tx, row.id, edit, Error::from).await?;
        let (before, row) = changed.ok_or(Error::NotFound("webhook"))?;
        let change = Change::update(TARGET, row.id.0, &row.target_url);
        let change = change.before(&recorded(&before)).after(&recorded(&row));
        Ok((row, change))
    })
    .await
}

/// Deletes a webhook.
///
/// # Errors
/// Database errors.
pub async fn delete(app: &App, by: &Requester, row: Model) -> Result<()> {
    audit::write(app, by, row.organization_id, async |tx| {
        store::row::delete::<Model>(tx, row.id).await?;
        Ok(((), Change::delete(TARGET, row.id.0, &row.target_url).before(&recorded(&row))))
    })
    .await
}

fn apply(app: &App, wanted: WantedWebhook, mut row: Model) -> Result<Model> {
    let WantedWebhook {
        kind,
        target_url,
        target_secret,
        description,
        enabled,
        events,
        own_events,
        project_names,
        mut modes,
    } = wanted;
    let bound = of_webhook(&row);
    row.kind = kind;
    let mut faults = Faults::default();
    let is_allowed = |url: String| match outbound::check_literal(&url, app.config.webhook_private_addresses) {
        Ok(()) => Ok(url),
        Err(reason) => Err(Error::invalid("target_url", reason)),
    };
    let url = limits::web_address("target_url", &target_url).and_then(is_allowed);
    let is_url = url.is_ok();
    row.target_url = faults.note_or(url, row.target_url);
    match target_secret {
        None if is_url && row.secret.is_some() && moves(&bound, &of_webhook(&row)) => {
            let text = "must be given again, because target_url has another host; an empty one removes the secret";
            faults.refuse("target_secret", text);
        }
        None => {}
        Some(text) if text.is_empty() => row.secret = None,
        Some(text) => {
            let text = faults.note(limits::text("target_secret", text));
            faults.note(sign::key(&text).map(drop).map_err(|reason| Error::invalid("target_secret", reason)));
            row.secret = Some(app.keys.seal(&secret::place("webhook", row.id.0), text.as_bytes())?);
        }
    }
    if let Some(text) = description {
        row.description = Some(faults.note(limits::text("description", text)));
    }
    row.enabled = enabled.unwrap_or(row.enabled);
    apply_events(&mut row, events, own_events, &mut faults);
    row.project_names = ProjectNames(faults.note(limits::list("project_names_filter", project_names)));
    modes.sort_unstable();
    modes.dedup();
    row.modes = Modes(modes);
    faults.result()?;
    Ok(row)
}

fn apply_events(row: &mut Model, mut events: Vec<WebhookEvent>, own: Option<Vec<OwnEvent>>, faults: &mut Faults) {
    let given = events.len() + own.as_ref().map_or(0, Vec::len);
    events.sort_unstable();
    events.dedup();
    row.events = Events(events);
    if let Some(mut own) = own {
        own.sort_unstable();
        own.dedup();
        row.own_events = Some(OwnEvents(own)).filter(|own| !own.0.is_empty());
    }
    if given > limits::ITEMS || (row.events.0.is_empty() && row.own_events.is_none()) {
        faults.refuse("events", format!("must have 1 to {} items", limits::ITEMS));
    }
}
