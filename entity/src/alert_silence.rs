//! A silence: a time in which alerts are not told.

use sea_orm::entity::prelude::*;

use crate::id::{AlertRuleId, AlertSilenceId, EnvironmentId, JobId, OrganizationId, ProjectId};

/// Which alerts are silenced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SilenceTarget {
    Organization,
    Project,
    Environment,
    Job,
    Label,
    Rule,
}

/// Row of `alert_silence`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "alert_silence")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AlertSilenceId,
    pub organization_id: OrganizationId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// Who created it.
    pub author: String,
    pub comment: String,
    pub begins_at: DateTimeUtc,
    /// The end is not silent.
    pub ends_at: DateTimeUtc,
    pub target: SilenceTarget,
    pub project_id: Option<ProjectId>,
    pub environment_id: Option<EnvironmentId>,
    pub job_id: Option<JobId>,
    pub rule_id: Option<AlertRuleId>,
    pub label_key: Option<String>,
    pub label_value: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
