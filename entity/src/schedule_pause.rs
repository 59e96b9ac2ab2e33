//! A pause of the schedule of a job, which needs no deployment.

use sea_orm::entity::prelude::*;

use crate::id::JobId;

/// Row of `schedule_pause`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "schedule_pause")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub job_id: JobId,
    /// Times from this one on are skipped.
    pub paused_at: DateTimeUtc,
    /// The first time that runs again; none if the pause has no end.
    pub until: Option<DateTimeUtc>,
    /// The name of the caller.
    pub requested_by: String,
}

impl ActiveModelBehavior for ActiveModel {}
