//! What happened to jobs in a span of time: their runs and skipped times.

use chrono::{DateTime, Utc};
use entity::id::JobId;
use entity::skipped_time;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait as _, FromQueryResult as _};

use super::newest_runs::{RunSummary, SUMMARY, executions};
use super::run_number::number_at;
use super::sight::ids_in;
use crate::store::binds::Binds;

/// How many runs of a job that were created before the span are looked at, because they may reach into it.
const BEFORE: i64 = 20;

/// The runs and skipped times of jobs in a span of time.
#[derive(Clone, Debug, Default)]
pub struct LaneRows {
    /// Newest first.
    pub runs: Vec<RunSummary>,
    /// Newest first.
    pub skipped: Vec<skipped_time::Model>,
    /// Whether there are older ones that were left out.
    pub more: bool,
}

/// What happened to these jobs in `from..until`: up to `most` runs and skipped times each, the newest. A run that began before the span
/// is found if it is one of the last twenty of its job from before.
///
/// # Errors
/// When a query fails.
pub async fn lane_rows(
    db: &impl ConnectionTrait,
    jobs: &[JobId],
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    most: usize,
) -> Result<LaneRows, DbErr> {
    if jobs.is_empty() || from >= until {
        return Ok(LaneRows::default());
    }
    let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
    let (low, high) = (number_at(db, from).await?, number_at(db, until).await?);
    let mut sql = Binds::new(db.get_database_backend(), SUMMARY);
    sql.sql(concat!(
        " AND ",
        executions!("r"),
        " AND r.number >= COALESCE((SELECT o.number FROM run o WHERE o.job_id = job.id AND o.number < "
    ));
    sql.value(low, "bigint").sql(" ORDER BY o.number DESC LIMIT 1 OFFSET ").value(BEFORE - 1, "bigint");
    sql.sql("), 0) AND r.number < ").value(high, "bigint").sql(" WHERE job.id");
    ids_in(&mut sql, jobs.iter().map(|id| id.0));
    sql.sql(" AND r.created_at < ").value(until, "timestamptz");
    sql.sql(" AND (r.finished_at IS NULL OR r.finished_at >= ").value(from, "timestamptz");
    sql.sql(") ORDER BY r.number DESC LIMIT ").value(limit, "bigint");
    let mut runs = RunSummary::find_by_statement(sql.statement()).all(db).await?;

    let mut sql = Binds::new(
        db.get_database_backend(),
        "SELECT s.* FROM job JOIN skipped_time s ON s.job_id = job.id AND s.scheduled_for >= COALESCE((SELECT o.scheduled_for \
         FROM skipped_time o WHERE o.job_id = job.id AND o.scheduled_for < ",
    );
    // Rows of a job do not overlap: at most the last one that begins before the span reaches into it.
    sql.value(from, "timestamptz").sql(" ORDER BY o.scheduled_for DESC LIMIT 1), ").value(from, "timestamptz");
    sql.sql(") AND s.scheduled_for < ").value(until, "timestamptz").sql(" WHERE job.id");
    ids_in(&mut sql, jobs.iter().map(|id| id.0));
    sql.sql(" AND s.through >= ").value(from, "timestamptz");
    sql.sql(" ORDER BY s.scheduled_for DESC LIMIT ").value(limit, "bigint");
    let mut skipped = skipped_time::Entity::find().from_raw_sql(sql.statement()).all(db).await?;
    let more = runs.len() > most || skipped.len() > most;
    runs.truncate(most);
    skipped.truncate(most);
    Ok(LaneRows { runs, skipped, more })
}
