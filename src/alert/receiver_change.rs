//! Checks the content of a receiver, and writes it to a row.

use entity::alert_receiver::{MailSettings, Model, QuietHours, ReceiverKind};
use sea_orm::ActiveEnum as _;

use super::sealed_address::Address;
use super::smtp::{is_mail_address, smarthost_origin};
use crate::app::App;
use crate::engine::faults::Faults;
use crate::engine::limits;
use crate::error::{Error, Result};
use crate::outbound::{self, sign};
use crate::secret::Origin;

/// Where incidents are reported by default.
const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";
const OPSGENIE: &str = "https://api.opsgenie.com";

/// A receiver as somebody wants it. No `Debug`: it contains secrets.
pub struct Given {
    pub kind: ReceiverKind,
    pub name: String,
    pub description: String,
    pub send_resolved: bool,
    pub owner: Option<String>,
    pub severity: Option<String>,
    /// None keeps those that are stored; an error says what is wrong with new ones.
    pub quiet_hours: Option<Result<Option<QuietHours>>>,
    pub target: GivenTarget,
}

/// Where messages go. An absent address or secret keeps the stored one.
pub enum GivenTarget {
    Mail {
        to: String,
        from: String,
        smarthost: String,
        username: Option<String>,
        password: Option<String>,
        require_tls: bool,
    },
    Web {
        field: &'static str,
        url: Option<String>,
        secret: Option<String>,
    },
}

/// Whether the row has content already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    New,
    Stored,
}

/// Writes the content of a body to a row; returns the row with the address as plain text, for a test.
pub(super) fn apply_receiver(app: &App, given: Given, mut row: Model, stage: Stage) -> Result<(Model, Address)> {
    let Given { kind, name, description, send_resolved, owner, severity, quiet_hours, target } = given;
    let mut faults = Faults::default();
    if stage == Stage::Stored && row.kind != kind {
        faults.refuse("type", format!("must be {}, with which the receiver was created", row.kind.to_value()));
    }
    let mut address = if stage == Stage::Stored { Address::open(app, &row)? } else { Address::default() };
    row.kind = kind;
    row.name = faults.note(limits::name("name", &name));
    row.description = faults.note(limits::text("description", description));
    row.send_resolved = send_resolved;
    row.owner = faults.note(owner.map(|text| limits::text("owner", text)).transpose());
    row.severity = faults.note(severity.map(|text| limits::text("severity", text)).transpose());
    // Clients that do not know them keep them; an empty list of spans removes them.
    if let Some(quiet_hours) = quiet_hours {
        row.quiet_hours = faults.note(quiet_hours);
    }
    let before = row.host.clone();
    match target {
        GivenTarget::Mail { to, from, smarthost, username, password, require_tls } => {
            let settings = MailSettings { to, from, smarthost, username, require_tls };
            check_mail(app, &settings, &mut faults);
            row.host = smarthost_origin(&settings.smarthost).map(|origin| origin.to_string()).unwrap_or_default();
            set_secret(&mut address, ("auth_password", password), (&before, &row.host), stage, &mut faults);
            if settings.username.is_some()
                && address.secret.is_some()
                && !settings.require_tls
                && !is_loopback(&row.host)
            {
                faults.refuse("require_tls", "must be true, because a password is only sent over TLS");
            }
            row.mail = Some(settings);
        }
        GivenTarget::Web { field, url, secret } => {
            let default = match kind {
                ReceiverKind::Pagerduty => Some(PAGERDUTY),
                ReceiverKind::Opsgenie => Some(OPSGENIE),
                _ => None,
            };
            let url = url.filter(|url| !url.is_empty());
            let stored = Some(address.url.clone()).filter(|url| !url.is_empty());
            match url.or(stored).or(default.map(str::to_owned)) {
                Some(url) => address.url = faults.note(checked_url(app, field, &url)),
                None => faults.refuse(field, "is required"),
            }
            row.host = Origin::of(&address.url).map(|origin| origin.to_string()).unwrap_or_default();
            set_secret(&mut address, ("secret", secret), (&before, &row.host), stage, &mut faults);
            check_secret(kind, address.secret.as_deref(), &mut faults);
        }
    }
    faults.result()?;
    row.has_secret = address.secret.is_some();
    row.sealed = Some(address.seal(app, &row)?);
    Ok((row, address))
}

fn is_loopback(host: &str) -> bool {
    Origin::of(host).is_some_and(|origin| origin.is_loopback())
}

fn checked_url(app: &App, field: &str, url: &str) -> Result<String> {
    let url = limits::web_address(field, url)?;
    outbound::check_literal(&url, app.config.webhook_private_addresses)
        .map_err(|reason| Error::invalid(field, reason))?;
    Ok(url)
}

/// An absent secret keeps the stored one, unless it would go to another host; an empty one removes it.
fn set_secret(
    address: &mut Address,
    (field, secret): (&str, Option<String>),
    (before, after): (&str, &str),
    stage: Stage,
    faults: &mut Faults,
) {
    match secret {
        None if stage == Stage::Stored && address.secret.is_some() && before != after => {
            faults.refuse(field, "must be given again, because the receiver has another host; an empty one removes it");
        }
        None => {}
        Some(text) if text.is_empty() => address.secret = None,
        Some(text) => {
            let text = faults.note(limits::text(field, text));
            if text.chars().any(char::is_control) {
                faults.refuse(field, "must not contain control characters");
            }
            address.secret = Some(text);
        }
    }
}

fn check_secret(kind: ReceiverKind, secret: Option<&str>, faults: &mut Faults) {
    match (kind, secret) {
        (ReceiverKind::Pagerduty | ReceiverKind::Opsgenie, None) => faults.refuse("secret", "is required"),
        (ReceiverKind::Webhook, Some(secret)) => {
            faults.note(sign::key(secret).map(drop).map_err(|reason| Error::invalid("secret", reason)));
        }
        _ => {}
    }
}

fn check_mail(app: &App, settings: &MailSettings, faults: &mut Faults) {
    for (field, text) in [("to", &settings.to), ("from", &settings.from)] {
        if !is_mail_address(text) {
            faults.refuse(field, "must be an e-mail address");
        }
    }
    match smarthost_origin(&settings.smarthost) {
        None => faults.refuse("smarthost", "must be a host and a port, such as smtp.example.com:587"),
        Some(origin) => {
            let checked = outbound::check_literal(&origin.to_string(), app.config.webhook_private_addresses);
            faults.note(checked.map_err(|reason| Error::invalid("smarthost", reason)));
        }
    }
    if let Some(username) = &settings.username {
        faults.note(limits::text("auth_username", username.clone()));
    }
}
