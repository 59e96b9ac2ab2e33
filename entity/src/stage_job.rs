//! The deployment stage of a job.

use sea_orm::entity::prelude::*;

use crate::id::{JobId, StageId};

/// Row of `stage_job`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "stage_job")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub job_id: JobId,
    pub stage_id: StageId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// Whether deployments of the whole environment skip the job.
    pub is_skipped: bool,
}

impl ActiveModelBehavior for ActiveModel {}
