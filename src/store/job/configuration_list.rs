//! Whether the jobs of an environment are deployed, and in which configuration.

use chrono::{DateTime, Utc};
use entity::id::{DeploymentId, EnvironmentId, JobId, StageId};
use entity::job_spec::JobSpec;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement};

use super::cursor::Cursor;

/// The deployed configuration of a job, compared with the current one.
#[derive(Clone, Debug)]
pub enum Comparison {
    NotDeployed,
    Same,
    /// The texts of both differ.
    Different(Box<(JobSpec, JobSpec)>),
    /// Its variables, or its objects in the cluster, were changed since.
    Changed,
}

/// A job in a list of states.
#[derive(Clone, Debug)]
pub struct ComparedJob {
    pub id: JobId,
    pub created_at: DateTime<Utc>,
    pub stage_id: Option<StageId>,
    /// The newest deployment that it takes part in.
    pub deployment_id: Option<DeploymentId>,
    pub comparison: Comparison,
    /// The number of its newest execution.
    pub newest_run: Option<i64>,
}

/// The database compares the configurations, which are the same for most jobs; only those that differ are sent.
const SELECT: &str = "SELECT j.id, j.created_at, s.stage_id, \
     (SELECT p.deployment_id FROM deployment_job p WHERE p.job_id = j.id ORDER BY p.deployment_id DESC LIMIT 1), \
     CASE WHEN j.deployed IS NULL THEN 0 \
     WHEN j.drifted_at IS NOT NULL OR j.variables_changed_at > j.deployed_at \
     OR (j.variables_changed_at IS NOT NULL AND j.deployed_at IS NULL) THEN 1 \
     WHEN j.deployed = j.spec THEN 2 ELSE 3 END, \
     CASE WHEN j.deployed <> j.spec THEN j.spec END, CASE WHEN j.deployed <> j.spec THEN j.deployed END, \
     (SELECT r.number FROM run r WHERE r.job_id = j.id AND r.event NOT IN ('BUILD', 'APPLY') ORDER BY r.number DESC LIMIT 1) \
     FROM job j LEFT JOIN stage_job s ON s.job_id = j.id \
     WHERE j.environment_id = $1 AND j.job_type <> 'CHECK' AND (j.created_at, j.id) > ($2, $3) ORDER BY j.created_at, j.id LIMIT $4";

fn read(row: &QueryResult) -> Result<ComparedJob, DbErr> {
    let comparison = match row.try_get_by_index::<i32>(4)? {
        0 => Comparison::NotDeployed,
        1 => Comparison::Changed,
        2 => Comparison::Same,
        _ => Comparison::Different(Box::new((row.try_get_by_index(5)?, row.try_get_by_index(6)?))),
    };
    Ok(ComparedJob {
        id: row.try_get_by_index(0)?,
        created_at: row.try_get_by_index(1)?,
        stage_id: row.try_get_by_index(2)?,
        deployment_id: row.try_get_by_index(3)?,
        comparison,
        newest_run: row.try_get_by_index(7)?,
    })
}

/// A page of the jobs of an environment after `after`, sorted by creation.
///
/// # Errors
/// When the query fails.
pub async fn list_compared(
    db: &impl ConnectionTrait,
    environment: EnvironmentId,
    after: Option<Cursor>,
    limit: u64,
) -> Result<Vec<ComparedJob>, DbErr> {
    let (at, id) = after.unwrap_or((DateTime::UNIX_EPOCH, JobId(uuid::Uuid::nil())));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = [environment.into(), at.into(), id.into(), limit.into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), SELECT, values);
    db.query_all_raw(statement).await?.iter().map(read).collect()
}
