//! Receivers in responses, without their secrets.

use entity::alert_receiver::{MailSettings, Model, ReceiverKind};
use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::quiet_body::AlertQuietHours;
use super::receiver_body::{AlertReceiverType, HttpAlertReceiverType};
use crate::api::wire::{Timestamp, one_of};

/// Defines the response for a kind of receiver.
macro_rules! shown {
    ($name:ident, $kind:ty, { $($(#[$meta:meta])* $field:ident: $type:ty,)* }) => {
        #[derive(Debug, Serialize, Deserialize, Object)]
        pub(super) struct $name {
            id: Uuid,
            created_at: Timestamp,
            updated_at: Timestamp,
            name: String,
            description: String,
            #[serde(rename = "type")]
            #[oai(rename = "type")]
            kind: $kind,
            send_resolved: bool,
            owner: Option<String>,
            severity: Option<String>,
            #[serde(skip_serializing_if = "Option::is_none")]
            #[oai(skip_serializing_if_is_none)]
            quiet_hours: Option<AlertQuietHours>,
            #[serde(skip_serializing_if = "Option::is_none")]
            #[oai(skip_serializing_if_is_none)]
            last_error: Option<String>,
            $($(#[$meta])* $field: $type,)*
        }
    };
}

shown!(SlackAlertReceiverResponse, AlertReceiverType, {});
shown!(EmailAlertReceiverResponse, AlertReceiverType, {
    to: String,
    from: String,
    smarthost: String,
    auth_username: Option<String>,
    require_tls: bool,
});
shown!(HttpAlertReceiverResponse, HttpAlertReceiverType, {
    host: String,
    secret_set: bool,
});

one_of! {
    /// A receiver.
    AlertReceiverResponse by "type" {
        Slack(SlackAlertReceiverResponse) = "SLACK",
        Email(EmailAlertReceiverResponse) = "EMAIL",
        Http(HttpAlertReceiverResponse) = "WEBHOOK" | "TEAMS" | "DISCORD" | "NTFY" | "PAGERDUTY" | "OPSGENIE",
    }
}

impl From<Model> for AlertReceiverResponse {
    fn from(row: Model) -> Self {
        let Model {
            id,
            organization_id: _,
            created_at,
            updated_at,
            name,
            description,
            kind,
            send_resolved,
            owner,
            severity,
            quiet_hours,
            mail,
            host,
            sealed: _,
            has_secret,
            last_error,
        } = row;
        let (id, created_at, updated_at) = (id.0, Timestamp(created_at), Timestamp(updated_at));
        macro_rules! response {
            ($name:ident, $kind:expr, { $($field:ident: $value:expr,)* }) => {
                Box::new($name {
                    id,
                    created_at,
                    updated_at,
                    name,
                    description,
                    kind: $kind,
                    send_resolved,
                    owner,
                    severity,
                    quiet_hours: quiet_hours.map(AlertQuietHours::from),
                    last_error,
                    $($field: $value,)*
                })
            };
        }
        let http = match kind {
            ReceiverKind::Slack => {
                return Self::Slack(response!(SlackAlertReceiverResponse, AlertReceiverType::Slack, {}));
            }
            ReceiverKind::Email => {
                let empty = || MailSettings {
                    to: String::new(),
                    from: String::new(),
                    smarthost: String::new(),
                    username: None,
                    require_tls: true,
                };
                let MailSettings { to, from, smarthost, username, require_tls } = mail.unwrap_or_else(empty);
                return Self::Email(response!(EmailAlertReceiverResponse, AlertReceiverType::Email, {
                    to: to,
                    from: from,
                    smarthost: smarthost,
                    auth_username: username,
                    require_tls: require_tls,
                }));
            }
            ReceiverKind::Webhook => HttpAlertReceiverType::Webhook,
            ReceiverKind::Teams => HttpAlertReceiverType::Teams,
            ReceiverKind::Discord => HttpAlertReceiverType::Discord,
            ReceiverKind::Ntfy => HttpAlertReceiverType::Ntfy,
            ReceiverKind::Pagerduty => HttpAlertReceiverType::Pagerduty,
            ReceiverKind::Opsgenie => HttpAlertReceiverType::Opsgenie,
        };
        Self::Http(response!(HttpAlertReceiverResponse, http, { host: host, secret_set: has_secret, }))
    }
}
