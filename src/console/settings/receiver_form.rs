//! Creates, changes, tests and deletes receivers of alerts. Addresses with secrets are written, and never shown.

use entity::alert_receiver::{MailSettings, Model, ReceiverKind};
use entity::id::AlertReceiverId;
use maud::{Markup, html};
use poem::web::{Data, Path};
use poem::{Response, handler};
use sea_orm::{ActiveEnum as _, Iterable as _};
use uuid::Uuid;

use super::alert_words::kind_words;
use super::quiet_fields::TypedQuiet;
use super::setting_form::{Desk, SettingForm, changes, chosen, listed};
use super::tabs::{Tab, settings};
use crate::access::{self, Action};
use crate::alert::{
    Address, Given, GivenTarget, create_receiver, delete_receiver, edit_receiver, recorded_receiver, try_out,
};
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::viewer::Viewer;
use crate::console::widgets::{Field, button, check};
use crate::error::{Error, Result};

changes!("alerts");

const FIELDS: &[&str] = &[
    "name",
    "description",
    "to",
    "from",
    "smarthost",
    "auth_username",
    "auth_password",
    "require_tls",
    "webhook_url",
    "url",
    "secret",
    "quiet_hours.time_zone",
    "quiet_hours.spans",
];

/// What is typed into the form, without what is secret.
struct Typed {
    kind: ReceiverKind,
    name: String,
    description: String,
    send_resolved: bool,
    quiet: TypedQuiet,
    mail: MailSettings,
}

impl Typed {
    fn of_form(sent: &Form, row: Option<&Model>) -> Result<Self> {
        let text = |name: &str| sent.text(name).trim().to_owned();
        Ok(Self {
            kind: match row {
                Some(row) => row.kind,
                None => chosen("type", sent.text("type"))?,
            },
            name: text("name"),
            description: text("description"),
            send_resolved: sent.has("send_resolved"),
            quiet: TypedQuiet::of_form(sent),
            mail: MailSettings {
                to: text("to"),
                from: text("from"),
                smarthost: text("smarthost"),
                username: sent.given("auth_username").map(str::to_owned),
                require_tls: sent.has("require_tls"),
            },
        })
    }

    fn of_row(row: &Model) -> Self {
        Self {
            kind: row.kind,
            name: row.name.clone(),
            description: row.description.clone(),
            send_resolved: row.send_resolved,
            quiet: TypedQuiet::of_row(row),
            mail: row.mail.clone().unwrap_or_else(no_mail),
        }
    }

    fn new(kind: ReceiverKind) -> Self {
        let (name, description, quiet) = (String::new(), String::new(), TypedQuiet::none());
        Self { kind, name, description, send_resolved: true, quiet, mail: no_mail() }
    }

    /// What the form does not have stays as it is in the row.
    fn given(self, sent: &Form, row: Option<&Model>) -> Given {
        let secret = |name: &str| {
            if sent.has("no_secret") { Some(String::new()) } else { sent.given(name).map(str::to_owned) }
        };
        let target = match self.kind {
            ReceiverKind::Email => {
                let MailSettings { to, from, smarthost, username, require_tls } = self.mail;
                GivenTarget::Mail { to, from, smarthost, username, password: secret("auth_password"), require_tls }
            }
            kind => GivenTarget::Web {
                field: url_field(kind),
                url: sent.given(url_field(kind)).map(str::to_owned),
                secret: secret("secret"),
            },
        };
        Given {
            kind: self.kind,
            name: self.name,
            description: self.description,
            send_resolved: self.send_resolved,
            owner: row.and_then(|row| row.owner.clone()),
            severity: row.and_then(|row| row.severity.clone()),
            quiet_hours: Some(self.quiet.wanted()),
            target,
        }
    }
}

fn no_mail() -> MailSettings {
    MailSettings { to: String::new(), from: String::new(), smarthost: String::new(), username: None, require_tls: true }
}

fn url_field(kind: ReceiverKind) -> &'static str {
    if kind == ReceiverKind::Slack { "webhook_url" } else { "url" }
}

/// What the address and the secret of a kind are.
fn words(kind: ReceiverKind) -> (&'static str, &'static str) {
    match kind {
        ReceiverKind::Email | ReceiverKind::Slack => ("The address of an incoming webhook", ""),
        ReceiverKind::Webhook => ("Messages are sent to it as JSON", "Messages are signed with it"),
        ReceiverKind::Teams => ("A workflow that is triggered by a webhook", ""),
        ReceiverKind::Discord => ("A webhook of a channel", ""),
        ReceiverKind::Ntfy => ("With the topic, such as https://ntfy.sh/topic", "An access token"),
        ReceiverKind::Pagerduty => ("Empty for the Events API of PagerDuty", "The routing key of an integration"),
        ReceiverKind::Opsgenie => ("Empty for the usual region", "An API key"),
    }
}

fn mail_fields(typed: &MailSettings, has_secret: bool, problems: &Problems) -> Markup {
    let hint = if has_secret { "Leave empty to keep the present one" } else { "Sealed, and never shown again" };
    html! {
        (Field::text("to", "To", &typed.to).required().show(problems))
        (Field::text("from", "From", &typed.from).required().show(problems))
        (Field::text("smarthost", "Mail server", &typed.smarthost).required().hint("Host and port, such as smtp.example.com:587").show(problems))
        (Field::text("auth_username", "User name", typed.username.as_deref().unwrap_or_default()).show(problems))
        (Field { kind: "password", ..Field::text("auth_password", "Password", "") }.hint(hint).show(problems))
        p { (check("require_tls", "Only over TLS", typed.require_tls)) }
    }
}

fn web_fields(kind: ReceiverKind, row: Option<&Model>, problems: &Problems) -> Markup {
    let (about_url, about_secret) = words(kind);
    let has_default = matches!(kind, ReceiverKind::Pagerduty | ReceiverKind::Opsgenie);
    let url = Field::text(url_field(kind), "Address", "").secret();
    let url = match row {
        Some(_) => url.hint("Leave empty to keep the present one"),
        None if has_default => url.hint(about_url),
        None => url.required().hint(about_url),
    };
    let has_secret = row.is_some_and(|row| row.has_secret);
    html! {
        @if let Some(row) = row { p { "The present address is at " code { (row.host) } "." } }
        (url.show(problems))
        @if !about_secret.is_empty() {
            (Field { kind: "password", ..Field::text("secret", "Secret", "") }
                .hint(if has_secret { "Leave empty to keep the present one" } else { about_secret }).show(problems))
        }
    }
}

/// The kinds, one of which is chosen.
fn kinds(desk: &Desk<'_>, chosen: ReceiverKind) -> Markup {
    html! {
        nav.tabs aria-label="Type" {
            @for kind in ReceiverKind::iter() {
                a href={ (settings(desk.id)) "/alert-receivers/new?type=" (kind.to_value()) } aria-current=[(kind == chosen).then_some("page")] { (kind_words(kind)) }
            }
        }
        input type="hidden" name="type" value=(chosen.to_value());
    }
}

async fn form(desk: &Desk<'_>, row: Option<&Model>, sent: Option<&Form>, problems: &Problems) -> Result<SettingForm> {
    let typed = match (sent, row) {
        (Some(sent), _) => Typed::of_form(sent, row)?,
        (None, Some(row)) => Typed::of_row(row),
        (None, None) => {
            let asked = desk.asks("type").map(|text| chosen("type", &text)).transpose()?;
            Typed::new(asked.unwrap_or(ReceiverKind::Email))
        }
    };
    let has_secret = row.is_some_and(|row| row.has_secret);
    let fields = html! {
        @if row.is_none() { (kinds(desk, typed.kind)) }
        (Field::text("name", "Name", &typed.name).required().show(problems))
        @if typed.kind == ReceiverKind::Email { (mail_fields(&typed.mail, has_secret, problems)) }
        @else { (web_fields(typed.kind, row, problems)) }
        @if has_secret && !matches!(typed.kind, ReceiverKind::Pagerduty | ReceiverKind::Opsgenie) {
            p { (check("no_secret", "Remove the secret", false)) }
        }
        p { (check("send_resolved", "Tell the end of an alert, too", typed.send_resolved)) }
        (typed.quiet.fields(problems))
        (Field::text("description", "Description", &typed.description).show(problems))
    };
    let path = row.map(|row| format!("{}/alert-receiver/{}", settings(desk.id), row.id));
    Ok(SettingForm {
        tab: Tab::Alerts,
        title: row.map_or_else(
            || format!("New receiver: {}", kind_words(typed.kind)),
            |row| format!("Change {} ({})", row.name, kind_words(row.kind)),
        ),
        api: row.map_or_else(
            || format!("/organization/{}/alert-receivers", desk.id),
            |row| format!("/alert-receivers/{}", row.id),
        ),
        fields,
        names: FIELDS,
        delete: row
            .zip(path.as_ref())
            .map(|(row, path)| (format!("{path}/delete"), format!("Delete {}? Rules no longer tell it.", row.name))),
        below: html! {
            @if let Some(path) = &path { p { (button(desk.viewer, &format!("{path}/test"), "Send a test message", "quiet", None)) } }
        },
    })
}

async fn may(desk: &Desk<'_>) -> Result<()> {
    desk.require(Action::ManageSettings).await
}

async fn load(desk: &Desk<'_>, row: Uuid) -> Result<Model> {
    let id = AlertReceiverId(row);
    let row = access::alert_receiver(&desk.app.db, &desk.viewer.caller, Action::ManageSettings, id).await?;
    if row.organization_id == desk.id { Ok(row) } else { Err(Error::NotFound("alert receiver")) }
}

async fn store(desk: &Desk<'_>, row: Option<Model>, sent: &Form) -> Result<()> {
    let given = |row: Option<&Model>| Ok(Typed::of_form(sent, row)?.given(sent, row));
    let (app, by) = (desk.app, desk.viewer.requester());
    match row {
        Some(row) => edit_receiver(app, &by, row, |stored| given(Some(stored)), recorded_receiver).await.map(drop),
        None => create_receiver(app, &by, desk.id, given(None)?, recorded_receiver).await.map(drop),
    }
}

async fn remove(desk: &Desk<'_>, row: Model) -> Result<()> {
    delete_receiver(desk.app, &desk.viewer.requester(), row, recorded_receiver).await
}

/// Sends a test message, and waits for the answer of the receiver.
#[handler]
pub(super) async fn test(
    Data(app): Data<&std::sync::Arc<crate::app::App>>,
    viewer: Viewer,
    Path((id, row)): Path<(Uuid, Uuid)>,
    _sent: Form,
) -> poem::Result<Response> {
    let desk = Desk::new(app, &viewer, id);
    let row = load(&desk, row).await?;
    let address = Address::open(app, &row)?;
    match try_out(app, &row, &address, None).await {
        Ok(()) => Ok(listed(desk.id, "alerts", "test-sent")),
        Err(error) => {
            let error = match error {
                // The form has no such field.
                Error::Invalid { message, .. } => Error::invalid("", message),
                other => other,
            };
            let problems = Problems::of(error)?;
            Ok(form(&desk, Some(&row), None, &problems).await?.refuse(&desk, &problems).await?)
        }
    }
}
