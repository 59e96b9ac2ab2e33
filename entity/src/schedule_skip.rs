//! A time of a schedule that will be skipped by request.

use sea_orm::entity::prelude::*;

use crate::id::JobId;

/// Row of `schedule_skip`; it is deleted when the time has come.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "schedule_skip")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub job_id: JobId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub scheduled_for: DateTimeUtc,
    pub requested_at: DateTimeUtc,
    /// The name of the caller.
    pub requested_by: String,
}

impl ActiveModelBehavior for ActiveModel {}
