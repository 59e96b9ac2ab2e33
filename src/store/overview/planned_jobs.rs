//! The deployed CRON jobs of an organization, for a forecast.

use chrono::{DateTime, Utc};
use entity::cluster::ClusterKind;
use entity::id::{ClusterId, JobId};
use entity::job_spec::JobSpec;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use super::sight::Sight;
use crate::store::binds::Binds;

/// A deployed CRON job.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct PlannedJob {
    pub id: JobId,
    pub name: String,
    /// The deployed configuration.
    pub spec: JobSpec,
    pub cluster_id: ClusterId,
    pub kind: ClusterKind,
    /// None if the server does not schedule the job.
    pub next_run_at: Option<DateTime<Utc>>,
    /// Whether a CronJob in its cluster schedules it.
    pub is_applied: bool,
}

/// Up to `limit` deployed CRON jobs, in no order.
///
/// # Errors
/// When the query fails.
pub async fn planned_jobs(db: &impl ConnectionTrait, sight: &Sight, limit: u64) -> Result<Vec<PlannedJob>, DbErr> {
    let mut sql = Binds::new(
        db.get_database_backend(),
        "SELECT j.id, j.name, j.deployed AS spec, e.cluster_id, c.kind, s.next_run_at, j.applied IS NOT NULL AS is_applied \
         FROM job j JOIN environment e ON e.id = j.environment_id JOIN cluster c ON c.id = e.cluster_id \
         LEFT JOIN job_schedule s ON s.job_id = j.id WHERE j.job_type = 'CRON' AND j.deployed IS NOT NULL AND ",
    );
    sight.bind(&mut sql, "j.environment_id");
    sql.sql(" LIMIT ").value(i64::try_from(limit).unwrap_or(i64::MAX), "bigint");
    PlannedJob::find_by_statement(sql.statement()).all(db).await
}
