//! What the metrics of each job are read from.

use chrono::{DateTime, Utc};
use entity::id::JobId;
use entity::run::RunState;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use super::newest_runs::executions;
use crate::store::binds::Binds;

/// A job, its newest runs and its next time.
#[derive(Clone, Debug, FromQueryResult)]
pub struct JobOutcome {
    pub id: JobId,
    pub name: String,
    pub environment_name: String,
    pub project_name: String,
    pub next_run_at: Option<DateTime<Utc>>,
    pub succeeded_at: Option<DateTime<Utc>>,
    /// The newest run that has ended.
    pub last_state: Option<RunState>,
    pub last_started_at: Option<DateTime<Utc>>,
    pub last_finished_at: Option<DateTime<Utc>>,
}

/// Up to `limit` jobs of the installation, the oldest first, and how many jobs there are.
///
/// # Errors
/// When a query fails.
pub async fn job_outcomes(db: &impl ConnectionTrait, limit: u32) -> Result<(Vec<JobOutcome>, i64), DbErr> {
    let mut sql = Binds::new(
        db.get_database_backend(),
        "SELECT j.id, j.name, e.name AS environment_name, p.name AS project_name, COALESCE(s.next_run_at, c.expected_for) AS next_run_at, \
             good.finished_at AS succeeded_at, last.state AS last_state, last.started_at AS last_started_at, \
             last.finished_at AS last_finished_at \
             FROM (SELECT id, name, environment_id FROM job ORDER BY created_at, id LIMIT ",
    );
    sql.value(i64::from(limit), "bigint").sql(concat!(
        ") j JOIN environment e ON e.id = j.environment_id JOIN project p ON p.id = e.project_id \
         LEFT JOIN job_schedule s ON s.job_id = j.id LEFT JOIN job_check c ON c.job_id = j.id \
         LEFT JOIN run good ON good.number = (SELECT o.number FROM run o WHERE o.job_id = j.id AND o.state = 'SUCCEEDED' AND ",
        executions!("o"),
        " ORDER BY o.number DESC LIMIT 1) \
         LEFT JOIN run last ON last.number = (SELECT o.number FROM run o WHERE o.job_id = j.id \
         AND o.state NOT IN ('QUEUED', 'RUNNING') AND ",
        executions!("o"),
        " ORDER BY o.number DESC LIMIT 1)"
    ));
    let rows = JobOutcome::find_by_statement(sql.statement()).all(db).await?;
    let count = Binds::new(db.get_database_backend(), "SELECT COUNT(*) FROM job").statement();
    let all = db.query_one_raw(count).await?.map(|row| row.try_get_by_index(0)).transpose()?;
    Ok((rows, all.unwrap_or(0)))
}
