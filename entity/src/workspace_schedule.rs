//! A schedule that starts workspace jobs.

use sea_orm::entity::prelude::*;

use crate::id::{OrganizationId, WorkspaceId, WorkspaceScheduleId};

/// Row of `workspace_schedule`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workspace_schedule")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WorkspaceScheduleId,
    pub organization_id: OrganizationId,
    pub workspace_id: WorkspaceId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub created_by: String,
    pub updated_by: String,
    /// A Quartz expression, or one with five fields.
    pub cron: String,
    pub tcl: Option<String>,
    pub template_reference: Option<String>,
    pub description: Option<String>,
    pub enabled: bool,
    /// None while the schedule is disabled.
    pub next_run_at: Option<DateTimeUtc>,
    /// With whose rights its jobs act, like `workspace_job.principal`.
    pub principal: Option<String>,
    /// Whether its jobs only look for drift, instead of carrying out a template.
    pub refresh_only: bool,
}

impl ActiveModelBehavior for ActiveModel {}
