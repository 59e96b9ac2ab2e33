//! The bodies that create, edit and test receivers. Not `Debug` where they contain secrets.

use entity::alert_receiver::ReceiverKind;
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::quiet_body::AlertQuietHours;
use crate::alert::{Given, GivenTarget};
use crate::api::wire::one_of;

/// The types that official clients know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum AlertReceiverType {
    Slack,
    Email,
}

/// The types of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum HttpAlertReceiverType {
    Webhook,
    Teams,
    Discord,
    Ntfy,
    Pagerduty,
    Opsgenie,
}

impl From<HttpAlertReceiverType> for ReceiverKind {
    fn from(given: HttpAlertReceiverType) -> Self {
        match given {
            HttpAlertReceiverType::Webhook => Self::Webhook,
            HttpAlertReceiverType::Teams => Self::Teams,
            HttpAlertReceiverType::Discord => Self::Discord,
            HttpAlertReceiverType::Ntfy => Self::Ntfy,
            HttpAlertReceiverType::Pagerduty => Self::Pagerduty,
            HttpAlertReceiverType::Opsgenie => Self::Opsgenie,
        }
    }
}

/// Defines the body that creates a receiver and the one that edits it: the same fields, of which the first has an organization.
macro_rules! bodies {
    ($create:ident, $edit:ident, $kind:ty, { $($(#[$meta:meta])* $field:ident: $created:ty | $edited:ty,)* }) => {
        #[derive(Debug, Serialize, Deserialize, Object)]
        pub(super) struct $create {
            pub(super) organization_id: Uuid,
            #[serde(rename = "type")]
            #[oai(rename = "type")]
            pub(super) kind: $kind,
            pub(super) name: String,
            pub(super) description: String,
            pub(super) send_resolved: bool,
            #[serde(default)]
            #[oai(default)]
            pub(super) owner: Option<String>,
            #[serde(default)]
            #[oai(default)]
            pub(super) severity: Option<String>,
            #[serde(default)]
            #[oai(default)]
            pub(super) quiet_hours: Option<AlertQuietHours>,
            $($(#[$meta])* pub(super) $field: $created,)*
        }

        #[derive(Debug, Serialize, Deserialize, Object)]
        pub(super) struct $edit {
            #[serde(rename = "type")]
            #[oai(rename = "type")]
            pub(super) kind: $kind,
            pub(super) name: String,
            pub(super) description: String,
            pub(super) send_resolved: bool,
            #[serde(default)]
            #[oai(default)]
            pub(super) owner: Option<String>,
            #[serde(default)]
            #[oai(default)]
            pub(super) severity: Option<String>,
            #[serde(default)]
            #[oai(default)]
            pub(super) quiet_hours: Option<AlertQuietHours>,
            $($(#[$meta])* pub(super) $field: $edited,)*
        }
    };
}

bodies!(EmailAlertReceiverCreationRequest, EmailAlertReceiverEditRequest, AlertReceiverType, {
    to: String | String,
    from: String | String,
    smarthost: String | String,
    auth_username: Option<String> | Option<String>,
    auth_password: String | Option<String>,
    require_tls: bool | bool,
});

bodies!(SlackAlertReceiverCreationRequest, SlackAlertReceiverEditRequest, AlertReceiverType, {
    webhook_url: String | Option<String>,
});

bodies!(HttpAlertReceiverCreationRequest, HttpAlertReceiverEditRequest, HttpAlertReceiverType, {
    url: Option<String> | Option<String>,
    secret: Option<String> | Option<String>,
});

one_of! {
    /// A new receiver.
    AlertReceiverCreationRequest by "type" {
        Slack(SlackAlertReceiverCreationRequest) = "SLACK",
        Email(EmailAlertReceiverCreationRequest) = "EMAIL",
        Http(HttpAlertReceiverCreationRequest) = "WEBHOOK" | "TEAMS" | "DISCORD" | "NTFY" | "PAGERDUTY" | "OPSGENIE",
    }
}

one_of! {
    /// The new content of a receiver.
    AlertReceiverEditRequest by "type" {
        Slack(SlackAlertReceiverEditRequest) = "SLACK",
        Email(EmailAlertReceiverEditRequest) = "EMAIL",
        Http(HttpAlertReceiverEditRequest) = "WEBHOOK" | "TEAMS" | "DISCORD" | "NTFY" | "PAGERDUTY" | "OPSGENIE",
    }
}

#[derive(Deserialize, Object)]
pub(super) struct AlertReceiverCreationValidationRequest {
    pub(super) alert_receiver: AlertReceiverCreationRequest,
    #[serde(default)]
    #[oai(default)]
    pub(super) message: Option<String>,
}

#[derive(Deserialize, Object)]
pub(super) struct AlertReceiverValidationRequest {
    #[serde(default)]
    #[oai(default)]
    pub(super) message: Option<String>,
}

/// Reads a body of one member of a union.
macro_rules! given {
    ($body:expr, $kind:expr, $target:expr) => {
        Given {
            kind: $kind,
            name: $body.name.clone(),
            description: $body.description.clone(),
            send_resolved: $body.send_resolved,
            owner: $body.owner.clone(),
            severity: $body.severity.clone(),
            quiet_hours: $body.quiet_hours.clone().map(AlertQuietHours::read),
            target: $target,
        }
    };
}

fn mail(
    of: (String, String, String),
    username: Option<String>,
    password: Option<String>,
    require_tls: bool,
) -> GivenTarget {
    let (to, from, smarthost) = of;
    GivenTarget::Mail { to, from, smarthost, username, password, require_tls }
}

impl AlertReceiverCreationRequest {
    pub(super) fn organization(&self) -> Uuid {
        match self {
            Self::Slack(body) => body.organization_id,
            Self::Email(body) => body.organization_id,
            Self::Http(body) => body.organization_id,
        }
    }

    pub(super) fn given(&self) -> Given {
        match self {
            Self::Slack(body) => {
                let target =
                    GivenTarget::Web { field: "webhook_url", url: Some(body.webhook_url.clone()), secret: None };
                given!(body, ReceiverKind::Slack, target)
            }
            Self::Email(body) => {
                let of = (body.to.clone(), body.from.clone(), body.smarthost.clone());
                let target = mail(of, body.auth_username.clone(), Some(body.auth_password.clone()), body.require_tls);
                given!(body, ReceiverKind::Email, target)
            }
            Self::Http(body) => {
                let target = GivenTarget::Web { field: "url", url: body.url.clone(), secret: body.secret.clone() };
                given!(body, body.kind.into(), target)
            }
        }
    }
}

impl AlertReceiverEditRequest {
    pub(super) fn given(&self) -> Given {
        match self {
            Self::Slack(body) => {
                let target = GivenTarget::Web { field: "webhook_url", url: body.webhook_url.clone(), secret: None };
                given!(body, ReceiverKind::Slack, target)
            }
            Self::Email(body) => {
                let of = (body.to.clone(), body.from.clone(), body.smarthost.clone());
                let target = mail(of, body.auth_username.clone(), body.auth_password.clone(), body.require_tls);
                given!(body, ReceiverKind::Email, target)
            }
            Self::Http(body) => {
                let target = GivenTarget::Web { field: "url", url: body.url.clone(), secret: body.secret.clone() };
                given!(body, body.kind.into(), target)
            }
        }
    }
}
