//! The newest runs of many jobs. Builds and changes of schedules in clusters are no executions of a job, and are left out.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::id::{JobId, RunId};
use entity::run::{Event, RunState, Trigger};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use super::sight::ids_in;
use crate::store::binds::Binds;

/// The most jobs of one statement.
const TOGETHER: usize = 1000;

/// The condition for executions of a job, for the alias of a run.
macro_rules! executions {
    ($run:literal) => {
        concat!($run, ".event NOT IN ('BUILD', 'APPLY')")
    };
}
pub(super) use executions;

/// What became of a run.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct RunSummary {
    pub id: RunId,
    pub number: i64,
    pub job_id: JobId,
    pub state: RunState,
    pub trigger: Trigger,
    pub event: Event,
    pub created_at: DateTime<Utc>,
    pub scheduled_for: Option<DateTime<Utc>>,
    /// When the first attempt started.
    pub started_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
}

/// The columns of `RunSummary`.
pub(super) const SUMMARY: &str = "SELECT r.id, r.number, r.job_id, r.state, r.\"trigger\", r.event, r.created_at, r.scheduled_for, \
     r.started_at, r.finished_at FROM job JOIN run r ON r.job_id = job.id";

/// The newest runs of each of these jobs, newest first: up to `each` of a job, for up to 1,000 jobs in one statement.
///
/// # Errors
/// When the query fails.
pub async fn newest_runs(db: &impl ConnectionTrait, jobs: &[JobId], each: u32) -> Result<Vec<RunSummary>, DbErr> {
    let mut found = Vec::new();
    for jobs in jobs.chunks(TOGETHER) {
        let mut sql = Binds::new(db.get_database_backend(), SUMMARY);
        sql.sql(concat!(
            " AND ",
            executions!("r"),
            " AND r.number >= COALESCE((SELECT o.number FROM run o WHERE o.job_id = job.id AND ",
            executions!("o"),
            " ORDER BY o.number DESC LIMIT 1 OFFSET "
        ));
        sql.value(i64::from(each.saturating_sub(1)), "bigint").sql("), 0) WHERE job.id");
        ids_in(&mut sql, jobs.iter().map(|id| id.0));
        sql.sql(" ORDER BY r.number DESC LIMIT ")
            .value(i64::from(each) * i64::try_from(TOGETHER).unwrap_or(0), "bigint");
        found.extend(RunSummary::find_by_statement(sql.statement()).all(db).await?);
    }
    Ok(found)
}

/// How long the newest successful runs of each of these jobs took, in milliseconds: up to `each` of a job.
///
/// # Errors
/// When a query fails.
pub async fn success_durations(
    db: &impl ConnectionTrait,
    jobs: &[JobId],
    each: u32,
) -> Result<HashMap<JobId, Vec<u64>>, DbErr> {
    let mut found: HashMap<JobId, Vec<u64>> = HashMap::new();
    for jobs in jobs.chunks(TOGETHER) {
        let mut sql = Binds::new(
            db.get_database_backend(),
            concat!(
                "SELECT r.job_id, r.started_at, r.finished_at FROM job JOIN run r ON r.job_id = job.id ",
                "AND r.state = 'SUCCEEDED' AND ",
                executions!("r"),
                " AND r.number >= COALESCE((SELECT o.number FROM run o WHERE o.job_id = job.id AND o.state = 'SUCCEEDED' AND ",
                executions!("o"),
                " ORDER BY o.number DESC LIMIT 1 OFFSET "
            ),
        );
        sql.value(i64::from(each.saturating_sub(1)), "bigint").sql("), 0) WHERE job.id");
        ids_in(&mut sql, jobs.iter().map(|id| id.0));
        sql.sql(" LIMIT ").value(i64::from(each) * i64::try_from(TOGETHER).unwrap_or(0), "bigint");
        for row in db.query_all_raw(sql.statement()).await? {
            let (started, finished): (Option<DateTime<Utc>>, Option<DateTime<Utc>>) =
                (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
            if let (Some(started), Some(finished)) = (started, finished) {
                let milliseconds = u64::try_from((finished - started).num_milliseconds()).unwrap_or(0);
                found.entry(row.try_get_by_index(0)?).or_default().push(milliseconds);
            }
        }
    }
    Ok(found)
}
