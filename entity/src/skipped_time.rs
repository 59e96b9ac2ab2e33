//! A time of a schedule that came and was not run.

use sea_orm::entity::prelude::*;

use crate::id::JobId;

/// Why a time was not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SkipReason {
    /// The run before was not over.
    Overlap,
    /// Nobody was there when it came, and it was not to be made up for.
    Missed,
    /// The schedule was suspended.
    Paused,
    /// It was found after its starting deadline.
    TooLate,
}

/// Row of `skipped_time`: one for each time, but for a long absence, whose older times share a row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "skipped_time")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub job_id: JobId,
    /// The first time that the row is for.
    #[sea_orm(primary_key, auto_increment = false)]
    pub scheduled_for: DateTimeUtc,
    /// The last one; the same in most rows.
    pub through: DateTimeUtc,
    pub reason: SkipReason,
    pub recorded_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
