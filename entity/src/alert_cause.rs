//! Something that may have to be told: stored in the transaction that it happened in, and deleted by the one that decided about it.

use sea_orm::entity::prelude::*;

use crate::id::{AlertCauseId, DeploymentId, EnvironmentId, JobId, OrganizationId, RunId};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CauseKind {
    RunFailed,
    TimeSkipped,
    DeploymentFailed,
}

/// Row of `alert_cause`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "alert_cause")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AlertCauseId,
    pub organization_id: OrganizationId,
    pub kind: CauseKind,
    pub environment_id: EnvironmentId,
    pub job_id: Option<JobId>,
    pub run_id: Option<RunId>,
    pub deployment_id: Option<DeploymentId>,
    pub happened_at: DateTimeUtc,
    /// Why, if no other row knows.
    pub reason: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
