//! A message to a receiver: the alerts that it is about, and what became of it.

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{
    AlertDeliveryId, AlertId, AlertReceiverId, AlertRuleId, ClusterId, EnvironmentId, JobId, RunId, WorkspaceId,
};
use crate::webhook_delivery::DeliveryState;

/// What a message says about its alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MessageKind {
    Firing,
    Resolved,
}

/// An alert in a message, as it was when the message was stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    pub alert: AlertId,
    /// The id of the job, the environment, the workspace or the cluster. Messages of older versions have none.
    #[serde(default)]
    pub subject: Option<Uuid>,
    /// The name of the job, the environment, the workspace or the cluster.
    pub name: String,
    pub environment_id: Option<EnvironmentId>,
    pub job_id: Option<JobId>,
    pub run_id: Option<RunId>,
    #[serde(default)]
    pub workspace_id: Option<WorkspaceId>,
    #[serde(default)]
    pub workspace_job_id: Option<i32>,
    #[serde(default)]
    pub cluster_id: Option<ClusterId>,
    pub since: DateTimeUtc,
    pub at: DateTimeUtc,
    pub times: i32,
    pub reason: Option<String>,
    /// Whether a receiver that is told about each alert by itself has accepted it, although not the whole message.
    #[serde(default)]
    pub told: bool,
}

impl Item {
    /// The id of what the alert is about.
    #[must_use]
    pub fn about(&self) -> Uuid {
        let known = [
            self.subject,
            self.job_id.map(|id| id.0),
            self.environment_id.map(|id| id.0),
            self.workspace_id.map(|id| id.0),
            self.cluster_id.map(|id| id.0),
        ];
        known.into_iter().flatten().next().unwrap_or(self.alert.0)
    }
}

/// The alerts of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Items(pub Vec<Item>);

/// Row of `alert_delivery`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "alert_delivery")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AlertDeliveryId,
    pub receiver_id: AlertReceiverId,
    pub rule_id: AlertRuleId,
    pub kind: MessageKind,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// The first alerts.
    pub items: Items,
    /// How many more there are.
    pub more: i32,
    pub state: DeliveryState,
    /// How often it was claimed. Nothing is added to a message that was.
    pub attempts: i32,
    pub next_attempt_at: DateTimeUtc,
    /// Until when it waits for the end of the quiet hours of its receiver. Newer messages do not wait for it.
    pub quiet_until: Option<DateTimeUtc>,
    /// Why the newest attempt failed.
    pub error: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
