//! Webhooks of repositories as people set them up. Callers have checked that the requester may change the workspace.

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::{TemplateId, WorkspaceWebhookEventId, WorkspaceWebhookId};
use entity::{workspace, workspace_webhook, workspace_webhook_event};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::{Value, json};

use super::path_filter::{Language, Patterns};
use crate::access::reach::Rights;
use crate::app::App;
use crate::engine::faults::Faults;
use crate::engine::requester::Requester;
use crate::engine::workspace::Flow;
use crate::engine::workspace_event::{self, By, Part, kind};
use crate::error::{Error, Result};
use crate::secret::{self, Secret};
use crate::store;

/// The events that start jobs.
pub const EVENTS: [&str; 2] = ["PUSH", "PULL_REQUEST"];
/// The languages of paths.
pub const PATH_TYPES: [&str; 2] = ["REGEX", "PATTERN"];
/// How often a repository may be polled, in seconds.
pub const FASTEST: i32 = 60;
pub const SLOWEST: i32 = 86_400;
/// The shortest secret, in characters.
pub const SHORTEST_SECRET: usize = 16;
/// The most events of a webhook.
const MOST_EVENTS: usize = 50;
const TABLE: &str = "workspace_webhook";

/// What the events of a webhook follow.
#[derive(Clone, Copy, Debug)]
pub struct Followed<'a> {
    pub event: &'a str,
    pub branch: &'a str,
    pub path: &'a str,
    pub path_type: &'a str,
    pub pr_workflow: bool,
    pub pr_apply: bool,
}

/// Checks what an event follows.
///
/// # Errors
/// `Invalid` with all faults.
pub fn check_followed(of: &Followed<'_>) -> Result<()> {
    const COMMENTS: &str = "must be false: comments on pull requests start nothing here";
    let mut faults = Faults::default();
    if !EVENTS.contains(&of.event) {
        faults.refuse("event", format!("must be one of {}: others start nothing here", EVENTS.join(", ")));
    }
    if let Err(allowed) = Patterns::read(of.branch, Language::Regex) {
        faults.refuse("branch", allowed);
    }
    if !PATH_TYPES.contains(&of.path_type) {
        faults.refuse("pathType", format!("must be one of {}", PATH_TYPES.join(", ")));
    } else if let Err(allowed) = Patterns::read(of.path, Language::named(of.path_type)) {
        faults.refuse("path", allowed);
    }
    for (field, is_on) in [("prWorkflowEnabled", of.pr_workflow), ("prApplyEnabled", of.pr_apply)] {
        if is_on {
            faults.refuse(field, COMMENTS);
        }
    }
    faults.result()
}

/// Checks that somebody with these rights may have the template of an event carried out; by default it is that of the workspace.
///
/// # Errors
/// `Invalid` if there is no such template; `Forbidden` with the permission that is missing; database errors.
pub async fn require_template(
    db: &impl ConnectionTrait,
    of: &workspace::Model,
    template: Option<&str>,
    rights: Rights,
) -> Result<()> {
    let given = template.map(str::trim).filter(|id| !id.is_empty());
    let id = match given.or(of.default_template.as_deref()) {
        Some(id) => {
            let unknown = || Error::invalid("templateId", format!("Unknown identifier {id} for template"));
            TemplateId(id.parse().map_err(|_| unknown())?)
        }
        None => return Err(Error::invalid("templateId", "is missing, and the workspace has no default template")),
    };
    let flow = Flow::load(db, of.organization_id, Some(id), None).await.map_err(|error| match error {
        Error::Invalid { message, .. } => Error::invalid("templateId", message),
        other => other,
    })?;
    flow.require(rights)
}

/// Checks that a webhook has room for one more event.
///
/// # Errors
/// `Conflict` if it has not; database errors.
pub async fn require_room(db: &impl ConnectionTrait, id: WorkspaceWebhookId) -> Result<()> {
    if store::push::events(db, id).await?.len() >= MOST_EVENTS {
        return Err(Error::Conflict(format!("a webhook must have at most {MOST_EVENTS} events")));
    }
    Ok(())
}

/// Checks how often a repository is polled.
///
/// # Errors
/// `Invalid` if that is too often or too seldom.
pub fn check_poll(seconds: Option<i32>) -> Result<()> {
    if seconds.is_some_and(|seconds| !(FASTEST..=SLOWEST).contains(&seconds)) {
        return Err(Error::invalid("pollSeconds", format!("must be between {FASTEST} and {SLOWEST}, or null")));
    }
    Ok(())
}

/// When a repository is polled next: after its interval, give or take a tenth, so that many of them are not polled at once.
#[must_use]
pub fn next_poll(id: WorkspaceWebhookId, seconds: i32, now: DateTime<Utc>) -> DateTime<Utc> {
    let spread = i64::from(seconds) / 5;
    let [.., a, b] = id.0.into_bytes();
    let mixed = i64::from(a) * 256 + i64::from(b) + now.timestamp();
    now + TimeDelta::seconds(i64::from(seconds) - spread / 2 + mixed.rem_euclid(spread.max(1)))
}

/// Checks a secret that somebody chose.
///
/// # Errors
/// `Invalid` if it is too short.
pub fn check_secret(text: &str) -> Result<()> {
    if text.chars().count() < SHORTEST_SECRET {
        return Err(Error::invalid("secret", format!("must have at least {SHORTEST_SECRET} characters")));
    }
    Ok(())
}

/// A new secret, and how it is stored.
///
/// # Errors
/// When the operating system has no random bytes, or the secret cannot be sealed.
pub fn new_secret(app: &App, id: WorkspaceWebhookId) -> Result<(Secret<String>, Vec<u8>)> {
    let secret = secret::new_ping_key()?;
    let sealed = app.keys.seal(&secret::place(TABLE, id.0), secret.expose().as_bytes())?;
    Ok((secret, sealed))
}

/// The secret of a webhook.
///
/// # Errors
/// When it cannot be opened.
pub fn open_secret(app: &App, row: &workspace_webhook::Model) -> Result<Option<Secret<String>>> {
    let Some(sealed) = &row.secret else { return Ok(None) };
    app.keys.open_text(&secret::place(TABLE, row.id.0), sealed).map(Some)
}

/// Where a provider delivers to.
#[must_use]
pub fn address(app: &App, id: WorkspaceWebhookId) -> String {
    format!("{}/webhook/v2/{id}", app.public_url())
}

/// A webhook with its events, as the console sets it up.
pub struct WantedWebhook {
    pub poll_seconds: Option<i32>,
    pub events: Vec<WantedEvent>,
}

/// What a webhook starts.
pub struct WantedEvent {
    pub event: String,
    pub branch: String,
    pub path: String,
    pub path_type: String,
    pub template_id: Option<String>,
    pub priority: Option<i32>,
}

/// Stores the webhook of a workspace with its events, instead of those that it had. Returns the secret of a new one.
///
/// # Errors
/// `Invalid` with all faults; `Forbidden` if the requester may not have a template carried out; database errors.
pub async fn save(
    app: &App,
    (by, principal, rights): (&Requester, String, Rights),
    of: &workspace::Model,
    wanted: WantedWebhook,
) -> Result<Option<Secret<String>>> {
    check_poll(wanted.poll_seconds)?;
    for one in &wanted.events {
        let (event, branch, path, path_type) = (&*one.event, &*one.branch, &*one.path, &*one.path_type);
        check_followed(&Followed { event, branch, path, path_type, pr_workflow: false, pr_apply: false })?;
    }
    let now = app.clock.now();
    store::write(&app.db, async |tx| {
        let of = store::workspace::lock(tx, of.id).await?.ok_or(Error::NotFound("workspace"))?;
        for one in &wanted.events {
            require_template(tx, &of, one.template_id.as_deref(), rights).await?;
        }
        let (row, secret) = keep(app, tx, (&of, by.author()), (wanted.poll_seconds, principal.clone()), now).await?;
        for old in store::push::events(tx, row.id).await? {
            store::row::delete::<workspace_webhook_event::Model>(tx, old.id).await?;
        }
        for one in &wanted.events {
            store::row::create(tx, event_row(&row, by.author(), one, now)).await?;
        }
        let what = if secret.is_some() { kind::CREATE } else { kind::UPDATE };
        let shown = json!({"pollSeconds": wanted.poll_seconds, "events": wanted.events.iter().map(shown_event).collect::<Vec<_>>()});
        let (by, values) = (By { who: by, at: now }, (None, Some(shown)));
        workspace_event::part(tx, by, &of, (what, Part::RepositoryWebhook), values).await?;
        Ok(secret)
    })
    .await
}

/// What a webhook starts, as its event shows it.
fn shown_event(one: &WantedEvent) -> Value {
    json!({"event": one.event, "branch": one.branch, "path": one.path, "templateId": one.template_id})
}

async fn keep(
    app: &App,
    tx: &DatabaseTransaction,
    (of, by): (&workspace::Model, &str),
    (poll_seconds, principal): (Option<i32>, String),
    now: DateTime<Utc>,
) -> Result<(workspace_webhook::Model, Option<Secret<String>>)> {
    let next = |id, old: Option<DateTime<Utc>>| poll_seconds.map(|seconds| old.unwrap_or(next_poll(id, seconds, now)));
    let old = match store::push::of_workspace(tx, of.id).await? {
        // A poll and a new secret lock the webhook only.
        Some(old) => store::push::lock(tx, old.id).await?,
        None => None,
    };
    if let Some(old) = old {
        let same = old.poll_seconds == poll_seconds;
        let next_poll_at = next(old.id, old.next_poll_at.filter(|_| same));
        let updated_by = by.to_owned();
        let principal = Some(principal);
        let row =
            workspace_webhook::Model { poll_seconds, next_poll_at, principal, updated_at: now, updated_by, ..old };
        return Ok((store::row::update(tx, row).await?, None));
    }
    let id = WorkspaceWebhookId::create();
    let (secret, sealed) = new_secret(app, id)?;
    let row = workspace_webhook::Model {
        id,
        organization_id: of.organization_id,
        workspace_id: of.id,
        created_at: now,
        updated_at: now,
        created_by: by.to_owned(),
        updated_by: by.to_owned(),
        remote_hook_id: None,
        migrated_v2: true,
        secret: Some(sealed),
        principal: Some(principal),
        poll_seconds,
        next_poll_at: next(id, None),
        polled: None,
        poll_error: None,
    };
    let row = store::row::create(tx, row).await?;
    store::push::set_of_workspace(tx, of.id, Some(id)).await?;
    Ok((row, Some(secret)))
}

fn event_row(
    of: &workspace_webhook::Model,
    by: &str,
    one: &WantedEvent,
    now: DateTime<Utc>,
) -> workspace_webhook_event::Model {
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    workspace_webhook_event::Model {
        id: WorkspaceWebhookEventId::create(),
        organization_id: of.organization_id,
        workspace_id: of.workspace_id,
        created_at: now,
        updated_at: now,
        created_by: by.to_owned(),
        updated_by: by.to_owned(),
        webhook_id: of.id,
        branch: given(&one.branch),
        path: given(&one.path),
        path_type: one.path_type.clone(),
        template_id: one.template_id.clone(),
        event: one.event.clone(),
        priority: one.priority,
        pr_workflow_enabled: false,
        pr_apply_enabled: false,
    }
}

/// Gives a webhook another secret, and returns it.
///
/// # Errors
/// `NotFound` if the webhook is gone; database errors.
pub async fn replace_secret(app: &App, by: &Requester, id: WorkspaceWebhookId) -> Result<Secret<String>> {
    let (secret, sealed) = new_secret(app, id)?;
    let now = app.clock.now();
    store::write(&app.db, async |tx| {
        let row = store::push::lock(tx, id).await?.ok_or(Error::NotFound("webhook"))?;
        let (updated_by, secret) = (by.author().to_owned(), Some(sealed.clone()));
        let row = workspace_webhook::Model { secret, updated_at: now, updated_by, ..row };
        let row = store::row::update(tx, row).await?;
        changed(tx, By { who: by, at: now }, (kind::UPDATE, &row)).await
    })
    .await?;
    Ok(secret)
}

/// Deletes a webhook with its events. What it delivered is kept with the jobs.
///
/// # Errors
/// Database errors.
pub async fn delete(app: &App, by: &Requester, row: &workspace_webhook::Model) -> Result<()> {
    let by = By { who: by, at: app.clock.now() };
    store::write(&app.db, async |tx| {
        store::push::set_of_workspace(tx, row.workspace_id, None).await?;
        store::row::delete::<workspace_webhook::Model>(tx, row.id).await?;
        changed(tx, by, (kind::DELETE, row)).await
    })
    .await
}

/// Stores the event of a webhook that got another secret, or was deleted.
async fn changed(
    tx: &DatabaseTransaction,
    by: By<'_>,
    (what, row): (&'static str, &workspace_webhook::Model),
) -> Result<()> {
    let Some(of) = store::row::by_id::<workspace::Model>(tx, row.workspace_id).await? else { return Ok(()) };
    let after = (what == kind::UPDATE).then(|| json!({"secret": "replaced"}));
    workspace_event::part(tx, by, &of, (what, Part::RepositoryWebhook), (None, after)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(of: Followed<'_>) -> String {
        check_followed(&of).unwrap_err().public()
    }

    const GOOD: Followed<'_> =
        Followed { event: "PUSH", branch: "main", path: "", path_type: "REGEX", pr_workflow: false, pr_apply: false };

    #[test]
    fn events_that_are_refused_name_the_field() {
        assert!(check_followed(&GOOD).is_ok());
        assert!(fault(Followed { event: "RELEASE", ..GOOD }).starts_with("event: must be one of PUSH, PULL_REQUEST"));
        assert!(fault(Followed { branch: "(", ..GOOD }).starts_with("branch: has the pattern"));
        assert!(fault(Followed { path: "*", ..GOOD }).starts_with("path: has the pattern"));
        assert!(check_followed(&Followed { path: "*", path_type: "PATTERN", ..GOOD }).is_ok());
        assert!(fault(Followed { pr_apply: true, ..GOOD }).starts_with("prApplyEnabled"));
    }

    #[test]
    fn polls_are_spread() {
        let now = DateTime::UNIX_EPOCH;
        let mut times: Vec<i64> = Vec::new();
        for _ in 0..200 {
            let at = (next_poll(WorkspaceWebhookId::create(), 300, now) - now).num_seconds();
            assert!((270..=330).contains(&at), "{at}");
            times.push(at);
        }
        times.sort_unstable();
        times.dedup();
        assert!(times.len() > 20, "{times:?}");
        assert!(check_poll(Some(59)).is_err() && check_poll(Some(60)).is_ok() && check_poll(None).is_ok());
    }
}
