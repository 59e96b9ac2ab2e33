//! A receiver of alerts: an address of a person or a service.

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::alert_rule::Severity;
use crate::id::{AlertReceiverId, OrganizationId};

/// The service that a receiver calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReceiverKind {
    Email,
    Slack,
    /// Standard Webhooks.
    Webhook,
    Teams,
    Discord,
    Ntfy,
    Pagerduty,
    Opsgenie,
}

impl ReceiverKind {
    /// Whether it is told about each alert by itself, and keeps what it was told open until it is told the end.
    #[must_use]
    pub const fn keeps_incidents(self) -> bool {
        matches!(self, Self::Pagerduty | Self::Opsgenie)
    }
}

/// How mail is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct MailSettings {
    pub to: String,
    pub from: String,
    /// The host and the port of the SMTP server.
    pub smarthost: String,
    pub username: Option<String>,
    pub require_tls: bool,
}

/// Times of each week in which messages wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct QuietHours {
    pub time_zone: String,
    pub spans: Vec<QuietSpan>,
    /// The severities whose messages do not wait.
    #[serde(default)]
    pub except_severities: Vec<Severity>,
}

/// A time of some days of the week. An end that is not after the begin is on the next day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietSpan {
    /// On which days it begins; 0 is Monday.
    pub weekdays: Vec<u8>,
    /// In minutes of the day.
    pub from_minute: u16,
    /// In minutes of the day; not quiet itself.
    pub to_minute: u16,
}

/// Row of `alert_receiver`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "alert_receiver")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AlertReceiverId,
    pub organization_id: OrganizationId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub name: String,
    pub description: String,
    pub kind: ReceiverKind,
    pub send_resolved: bool,
    pub owner: Option<String>,
    pub severity: Option<String>,
    pub quiet_hours: Option<QuietHours>,
    /// For mail only.
    pub mail: Option<MailSettings>,
    /// The origin that messages are sent to. The rest of the address may be a secret.
    pub host: String,
    /// The address and the secret, sealed for this row.
    pub sealed: Option<Vec<u8>>,
    /// Whether a password, key or token is stored.
    pub has_secret: bool,
    /// Why the newest message was not accepted.
    pub last_error: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
