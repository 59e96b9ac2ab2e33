//! Walks through the queued runs, a page at a time: to look at a part of a long queue costs no more than at a short one.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use entity::id::{JobId, RunId};
use entity::run;
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::in_turn::{ITS_TURN, counted};
use super::slots::Queue;
use crate::store::binds::Binds;

/// A queued run, as far as it matters for how long it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueuedRun {
    pub id: RunId,
    pub job_id: Option<JobId>,
    pub number: i64,
    pub attempt: i32,
    pub not_before: DateTime<Utc>,
    pub scheduled_for: Option<DateTime<Utc>>,
    pub starting_deadline_seconds: Option<i64>,
    pub in_turn: bool,
    /// Whether no older run has to end first.
    pub is_its_turn: bool,
    pub of_backfill: bool,
    pub queue: Queue,
}

/// How far the queued runs have been looked through. After the last one, the walk begins again.
#[derive(Default)]
pub struct QueueWalk(Mutex<Option<QueuedRun>>);

impl QueueWalk {
    /// The next queued runs, at most `limit`.
    ///
    /// # Errors
    /// When the query fails.
    pub async fn next(&self, db: &impl ConnectionTrait, limit: u64) -> Result<Vec<QueuedRun>, DbErr> {
        let after = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let page = list_queued(db, after.as_ref(), limit).await?;
        let last = page.last().copied().filter(|_| page.len() as u64 == limit);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = last;
        Ok(page)
    }
}

/// The first queued runs after one of them, in the order of the index of those that wait.
///
/// # Errors
/// When the query fails.
pub async fn list_queued(
    db: &impl ConnectionTrait,
    after: Option<&QueuedRun>,
    limit: u64,
) -> Result<Vec<QueuedRun>, DbErr> {
    let mut sql = Binds::new(
        db.get_database_backend(),
        "SELECT run.id, run.job_id, run.number, run.attempt, run.not_before, run.scheduled_for, run.in_turn, ",
    );
    sql.sql(ITS_TURN).sql(match db.get_database_backend() {
        DbBackend::Postgres => ", CAST(run.spec->>'starting_deadline_seconds' AS bigint)",
        // A row that cannot be read hides no other one.
        _ => ", CASE WHEN json_valid(run.spec) THEN CAST(run.spec->>'starting_deadline_seconds' AS bigint) END",
    });
    sql.sql(", run.backfill_id IS NOT NULL, run.slots, run.organization_id FROM run WHERE run.state = 'QUEUED'");
    if let Some(QueuedRun { queue: (slots, organization), not_before, number, .. }) = after {
        sql.sql(" AND (run.slots, run.organization_id, run.not_before, run.number) > (").value(*slots, "uuid");
        sql.sql(", ").value(organization.0, "uuid").sql(", ").value(*not_before, "timestamptz");
        sql.sql(", ").value(*number, "bigint").sql(")");
    }
    sql.sql(" ORDER BY run.slots, run.organization_id, run.not_before, run.number LIMIT ");
    sql.value(i64::try_from(limit).unwrap_or(i64::MAX), "bigint");
    let rows = db.query_all_raw(sql.statement()).await?;
    rows.iter()
        .map(|row| {
            Ok(QueuedRun {
                id: row.try_get_by_index(0)?,
                job_id: row.try_get_by_index(1)?,
                number: row.try_get_by_index(2)?,
                attempt: row.try_get_by_index(3)?,
                not_before: row.try_get_by_index(4)?,
                scheduled_for: row.try_get_by_index(5)?,
                in_turn: row.try_get_by_index(6)?,
                is_its_turn: row.try_get_by_index(7)?,
                starting_deadline_seconds: row.try_get_by_index(8)?,
                of_backfill: row.try_get_by_index(9)?,
                queue: (row.try_get_by_index(10)?, row.try_get_by_index(11)?),
            })
        })
        .collect()
}

/// When the last of the runs ended that a run with this number of a job had to wait for; none if there were none, or they are deleted.
///
/// # Errors
/// When the query fails.
pub async fn turn_came(db: &impl ConnectionTrait, job: JobId, number: i64) -> Result<Option<DateTime<Utc>>, DbErr> {
    let ended: Option<Option<DateTime<Utc>>> = run::Entity::find()
        .select_only()
        .column(run::Column::FinishedAt)
        .filter(run::Column::JobId.eq(job))
        .filter(run::Column::Number.lt(number))
        .filter(run::Column::FinishedAt.is_not_null())
        .filter(counted())
        .order_by_desc(run::Column::FinishedAt)
        .limit(1)
        .into_tuple()
        .one(db)
        .await?;
    Ok(ended.flatten())
}
