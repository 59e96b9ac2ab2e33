//! A time of a schedule without a run.

use sea_orm::entity::prelude::*;

use crate::id::JobId;

/// Why a time was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SkipReason {
    /// The previous run had not ended.
    Overlap,
    /// No server was running at that time, and the schedule does not catch up on it.
    Missed,
    /// The schedule was suspended.
    Paused,
    /// The starting deadline had passed.
    TooLate,
    /// A calendar of the schedule removed the time.
    Calendar,
    /// No ping of a check arrived within its grace.
    NoPing,
}

impl SkipReason {
    /// Whether somebody wanted that there is no run.
    #[must_use]
    pub fn is_wanted(self) -> bool {
        match self {
            Self::Paused | Self::Calendar => true,
            Self::Overlap | Self::Missed | Self::TooLate | Self::NoPing => false,
        }
    }
}

/// Row of `skipped_time`: one for each time. After a long outage the older times share one row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "skipped_time")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub job_id: JobId,
    /// The first time of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub scheduled_for: DateTimeUtc,
    /// The last time of the row; the same as the first in most rows.
    pub through: DateTimeUtc,
    pub reason: SkipReason,
    pub recorded_at: DateTimeUtc,
    /// Who requested that this time is skipped; the reason is `Paused` then.
    pub requested_by: Option<String>,
    /// Which calendar removed the time, and by which entry.
    pub detail: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
