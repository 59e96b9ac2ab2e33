//! The next time of the deployed schedule of a job.

use sea_orm::entity::prelude::*;

use crate::id::JobId;

/// Row of `job_schedule`; a job without a row has no next time.
///
/// A separate table, because the next time changes often and rows of `job` are large.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job_schedule")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub job_id: JobId,
    pub next_run_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
