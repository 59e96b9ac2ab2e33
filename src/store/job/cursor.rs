//! Positions in lists of jobs.

use chrono::{DateTime, Utc};
use entity::id::JobId;
use entity::job;
use sea_orm::{ColumnTrait, Condition};

/// The position of a job in a list that is sorted by creation.
pub type Cursor = (DateTime<Utc>, JobId);

pub(super) fn behind(after: Cursor) -> Condition {
    let same = Condition::all().add(job::Column::CreatedAt.eq(after.0)).add(job::Column::Id.gt(after.1));
    Condition::any().add(job::Column::CreatedAt.gt(after.0)).add(same)
}
