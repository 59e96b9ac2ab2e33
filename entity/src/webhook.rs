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

/// The events of a webhook.
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
}

impl ActiveModelBehavior for ActiveModel {}
