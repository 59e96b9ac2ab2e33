//! Creates, changes and deletes webhooks. The secret is written, and never shown.

use entity::environment::Mode;
use entity::id::WebhookId;
use entity::webhook::{Model, OwnEvent, WebhookEvent, WebhookKind};
use maud::html;
use sea_orm::ActiveEnum as _;
use uuid::Uuid;

use super::setting_form::{Desk, SettingForm, boxes, changes, checked, chosen};
use super::tabs::{Tab, settings};
use crate::access::{self, Action};
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::widgets::{Field, check, choice};
use crate::engine::settings::webhook_settings::{self, WantedWebhook};
use crate::error::Result;

changes!("webhooks");

const FIELDS: &[&str] = &[
    "kind",
    "target_url",
    "target_secret",
    "description",
    "events",
    "own_events",
    "project_names_filter",
    "environment_types_filter",
];

const KINDS: [(WebhookKind, &str); 2] = [(WebhookKind::Standard, "Standard Webhooks"), (WebhookKind::Slack, "Slack")];

const EVENTS: [(WebhookEvent, &str); 4] = [
    (WebhookEvent::DeploymentStarted, "A deployment starts"),
    (WebhookEvent::DeploymentSuccessful, "A deployment succeeds"),
    (WebhookEvent::DeploymentFailure, "A deployment fails"),
    (WebhookEvent::DeploymentCancelled, "A deployment is cancelled"),
];

const OWN_EVENTS: [(OwnEvent, &str); 9] = [
    (OwnEvent::RunFailed, "A run fails"),
    (OwnEvent::RunRecovered, "A run succeeds after one that failed"),
    (OwnEvent::RunSucceeded, "A run succeeds"),
    (OwnEvent::TimeMissed, "A scheduled time is missed"),
    (OwnEvent::ScheduleRecovered, "A scheduled run succeeds after a missed time"),
    (OwnEvent::RunTooLong, "A run takes too long"),
    (OwnEvent::RunTooLongEnded, "A run that took too long ends"),
    (OwnEvent::ApprovalWaiting, "A workspace waits for an approval"),
    (OwnEvent::ApprovalDecided, "An approval is no longer awaited"),
];

const MODES: [(Mode, &str); 4] = [
    (Mode::Development, "Development"),
    (Mode::Preview, "Preview"),
    (Mode::Staging, "Staging"),
    (Mode::Production, "Production"),
];

/// What is typed into the form, without the secret.
struct Typed {
    kind: String,
    target_url: String,
    description: String,
    enabled: bool,
    events: Vec<String>,
    own_events: Vec<String>,
    project_names: String,
    modes: Vec<String>,
}

impl Typed {
    fn of_form(form: &Form) -> Self {
        Self {
            kind: form.text("kind").to_owned(),
            target_url: form.text("target_url").trim().to_owned(),
            description: form.text("description").to_owned(),
            enabled: form.has("enabled"),
            events: form.all("events").to_vec(),
            own_events: form.all("own_events").to_vec(),
            project_names: form.text("project_names_filter").to_owned(),
            modes: form.all("environment_types_filter").to_vec(),
        }
    }

    fn of_row(row: Option<&Model>) -> Self {
        let Some(row) = row else {
            return Self {
                kind: WebhookKind::Standard.to_value(),
                target_url: String::new(),
                description: String::new(),
                enabled: true,
                events: Vec::new(),
                own_events: Vec::new(),
                project_names: String::new(),
                modes: Vec::new(),
            };
        };
        Self {
            kind: row.kind.to_value(),
            target_url: row.target_url.clone(),
            description: row.description.clone().unwrap_or_default(),
            enabled: row.enabled,
            events: row.events.0.iter().map(WebhookEvent::to_value).collect(),
            own_events: row.own_events.iter().flat_map(|own| &own.0).map(OwnEvent::to_value).collect(),
            project_names: row.project_names.0.join("\n"),
            modes: row.modes.0.iter().map(Mode::to_value).collect(),
        }
    }

    fn wanted(&self, form: &Form) -> Result<WantedWebhook> {
        let secret = form.text("target_secret");
        let names = self.project_names.lines().map(str::trim).filter(|name| !name.is_empty());
        Ok(WantedWebhook {
            kind: chosen("kind", &self.kind)?,
            target_url: self.target_url.clone(),
            target_secret: if form.has("no_secret") {
                Some(String::new())
            } else {
                Some(secret.to_owned()).filter(|text| !text.is_empty())
            },
            description: Some(self.description.clone()),
            enabled: Some(self.enabled),
            events: checked("events", &self.events)?,
            own_events: Some(checked("own_events", &self.own_events)?),
            project_names: names.map(str::to_owned).collect(),
            modes: checked("environment_types_filter", &self.modes)?,
        })
    }
}

async fn form(desk: &Desk<'_>, row: Option<&Model>, sent: Option<&Form>, problems: &Problems) -> Result<SettingForm> {
    let (id, typed) = (desk.id, sent.map_or_else(|| Typed::of_row(row), Typed::of_form));
    let has_secret = row.is_some_and(|row| row.secret.is_some());
    let hint = if has_secret {
        "Leave empty to keep the present one"
    } else {
        "Empty for none; deliveries are signed with it"
    };
    let fields = html! {
        (choice("kind", "Kind", KINDS.iter().map(|(kind, words)| (kind.to_value(), *words)), &typed.kind, problems))
        (Field::text("target_url", "URL", &typed.target_url).required().show(problems))
        (Field { kind: "password", ..Field::text("target_secret", "Secret", "") }.hint(hint).show(problems))
        @if has_secret { p { (check("no_secret", "Remove the secret", false)) } }
        (boxes("events", "Events", EVENTS.iter().map(|(event, words)| {
            let value = event.to_value();
            let is_checked = typed.events.contains(&value);
            (value, *words, is_checked)
        }), problems))
        (boxes("own_events", "Events of runs and workspaces", OWN_EVENTS.iter().map(|(event, words)| {
            let value = event.to_value();
            let is_checked = typed.own_events.contains(&value);
            (value, *words, is_checked)
        }), problems))
        (Field::text("project_names_filter", "Only of these projects", &typed.project_names)
            .hint("One name per line, with * for any text; empty for all").area(problems))
        (boxes("environment_types_filter", "Only of these environments", MODES.iter().map(|(mode, words)| {
            let value = mode.to_value();
            let is_checked = typed.modes.contains(&value);
            (value, *words, is_checked)
        }), problems))
        (Field::text("description", "Description", &typed.description).show(problems))
        p { (check("enabled", "Enabled", typed.enabled)) }
    };
    let own = row.map(|row| row.id);
    Ok(SettingForm {
        tab: Tab::Webhooks,
        title: if own.is_some() { "Change the webhook".into() } else { "New webhook".into() },
        api: own
            .map_or_else(|| format!("/organization/{id}/webhook"), |own| format!("/organization/{id}/webhook/{own}")),
        fields,
        names: FIELDS,
        delete: own.map(|own| (format!("{}/webhook/{own}/delete", settings(id)), "Delete this webhook?".to_owned())),
        below: html! {},
    })
}

async fn may(desk: &Desk<'_>) -> Result<()> {
    desk.require(Action::ManageSettings).await
}

async fn load(desk: &Desk<'_>, row: Uuid) -> Result<Model> {
    access::webhook(&desk.app.db, &desk.viewer.caller, Action::ManageSettings, desk.id, WebhookId(row)).await
}

async fn store(desk: &Desk<'_>, row: Option<Model>, sent: &Form) -> Result<()> {
    let wanted = Typed::of_form(sent).wanted(sent)?;
    let by = desk.viewer.requester();
    match row {
        Some(row) => webhook_settings::edit(desk.app, &by, row, wanted).await.map(drop),
        None => webhook_settings::create(desk.app, &by, desk.id, wanted).await.map(drop),
    }
}

async fn remove(desk: &Desk<'_>, row: Model) -> Result<()> {
    webhook_settings::delete(desk.app, &desk.viewer.requester(), row).await
}
