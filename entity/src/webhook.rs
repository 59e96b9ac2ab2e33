//! A webhook: a call to another system on events.

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::environment::Mode;
use crate::id::{OrganizationId, WebhookId};

/// The format of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WebhookKind {
    /// Standard Webhooks.
    Standard,
    /// Slack's incoming webhooks.
    Slack,
}

/// Events that trigger webhooks, by their official names.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, EnumIter, DeriveActiveEnum,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WebhookEvent {
    DeploymentStarted,
    DeploymentCancelled,
    DeploymentFailure,
    DeploymentSuccessful,
}

/// Events of ours: about runs, times of schedules and approvals.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, EnumIter, DeriveActiveEnum,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OwnEvent {
    RunFailed,
    /// A run succeeded, and the one before it had failed.
    RunRecovered,
    RunSucceeded,
    /// A time of a schedule got no run, and nobody wanted that.
    TimeMissed,
    /// A scheduled run succeeded after a time that was missed.
    ScheduleRecovered,
    RunTooLong,
    /// A run that took too long has ended.
    RunTooLongEnded,
    ApprovalWaiting,
    /// An approval that was awaited was given, refused, or is no longer needed.
    ApprovalDecided,
}

impl OwnEvent {
    /// The official event that comes nearest. A server of 0.2.0 that sends a delivery knows no other.
    #[must_use]
    pub fn nearest(self) -> WebhookEvent {
        match self {
            Self::RunFailed | Self::TimeMissed => WebhookEvent::DeploymentFailure,
            Self::RunRecovered
            | Self::RunSucceeded
            | Self::ScheduleRecovered
            | Self::RunTooLongEnded
            | Self::ApprovalDecided => WebhookEvent::DeploymentSuccessful,
            Self::RunTooLong | Self::ApprovalWaiting => WebhookEvent::DeploymentStarted,
        }
    }
}

/// The events of ours of a webhook.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct OwnEvents(pub Vec<OwnEvent>);

/// The official events of a webhook.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Events(pub Vec<WebhookEvent>);

/// Names of projects; empty for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct ProjectNames(pub Vec<String>);

/// Modes of environments; empty for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Modes(pub Vec<Mode>);

/// Row of `webhook`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WebhookId,
    pub organization_id: OrganizationId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub kind: WebhookKind,
    pub target_url: String,
    /// The signing key, sealed for this row.
    pub secret: Option<Vec<u8>>,
    pub description: Option<String>,
    pub enabled: bool,
    pub events: Events,
    pub project_names: ProjectNames,
    pub modes: Modes,
    /// Null if there are none.
    pub own_events: Option<OwnEvents>,
}

impl ActiveModelBehavior for ActiveModel {}
