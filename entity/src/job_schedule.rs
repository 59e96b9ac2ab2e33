//! When the deployed schedule of a job comes next.

use sea_orm::entity::prelude::*;

use crate::id::JobId;

/// Row of `job_schedule`; a job without one has nothing scheduled.
///
/// Apart from `job`, because it changes with every time, and a job is a large row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job_schedule")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub job_id: JobId,
    pub next_run_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
