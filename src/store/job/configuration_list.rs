//! Whether the jobs of an environment are deployed, and in which configuration.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use entity::id::{DeploymentId, EnvironmentId, JobId, StageId};
use entity::job_spec::JobSpec;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use serde::Deserialize;
use uuid::Uuid;

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
    pub stage_id: Option<StageId>,
    /// The newest deployment that it takes part in.
    pub deployment_id: Option<DeploymentId>,
    pub comparison: Comparison,
    /// The number of its newest execution.
    pub newest_run: Option<i64>,
}

/// A page of such a list, and where the next one begins.
pub type ComparedPage = (Vec<ComparedJob>, Cursor);

/// The database compares the configurations, which are the same for most jobs; only those that differ are sent.
const ROWS: &str = "SELECT j.id AS id, j.created_at AS created, s.stage_id AS stage, \
     (SELECT p.deployment_id FROM deployment_job p WHERE p.job_id = j.id ORDER BY p.deployment_id DESC LIMIT 1) AS part, \
     CASE WHEN j.deployed IS NULL THEN 0 \
     WHEN j.drifted_at IS NOT NULL OR j.variables_changed_at > j.deployed_at \
     OR (j.variables_changed_at IS NOT NULL AND j.deployed_at IS NULL) THEN 1 \
     WHEN j.deployed = j.spec THEN 2 ELSE 3 END AS comparison, \
     CASE WHEN j.deployed <> j.spec THEN CAST(j.spec AS TEXT) END AS spec, \
     CASE WHEN j.deployed <> j.spec THEN CAST(j.deployed AS TEXT) END AS deployed, \
     (SELECT r.number FROM run r WHERE r.job_id = j.id AND r.event NOT IN ('BUILD', 'APPLY') ORDER BY r.number DESC LIMIT 1) AS newest \
     FROM job j LEFT JOIN stage_job s ON s.job_id = j.id \
     WHERE j.environment_id = $1 AND j.job_type <> 'CHECK' AND (j.created_at, j.id) > ($2, $3) ORDER BY j.created_at, j.id LIMIT $4";

/// A page as one value: to hand over a row from the thread of an SQLite connection costs more than to read it.
static PAGE_SQLITE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT json_group_array(json_array(hex(id), NULLIF(hex(stage), ''), NULLIF(hex(part), ''), comparison, spec, deployed, \
         newest) ORDER BY created, id), MAX(created) FROM ({ROWS}) AS page"
    )
});
static PAGE_POSTGRES: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT CAST(json_agg(json_build_array(id, stage, part, comparison, spec, deployed, newest) ORDER BY created, id) AS TEXT), \
         MAX(created) FROM ({ROWS}) AS page"
    )
});

/// The columns of a job in a page.
#[derive(Deserialize)]
struct Row(Uuid, Option<Uuid>, Option<Uuid>, i32, Option<String>, Option<String>, Option<i64>);

impl Row {
    fn job(self) -> Result<ComparedJob, DbErr> {
        let Self(id, stage, deployment, comparison, spec, deployed, newest_run) = self;
        let comparison = match (comparison, spec, deployed) {
            (0, ..) => Comparison::NotDeployed,
            (1, ..) => Comparison::Changed,
            (_, Some(spec), Some(deployed)) => Comparison::Different(Box::new((parse(&spec)?, parse(&deployed)?))),
            _ => Comparison::Same,
        };
        Ok(ComparedJob {
            id: JobId(id),
            stage_id: stage.map(StageId),
            deployment_id: deployment.map(DeploymentId),
            comparison,
            newest_run,
        })
    }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, DbErr> {
    serde_json::from_str(text).map_err(|error| DbErr::Json(error.to_string()))
}

/// A page of the jobs of an environment after `after`, sorted by creation. `None` behind the last one.
///
/// # Errors
/// When the query fails.
pub async fn list_compared(
    db: &impl ConnectionTrait,
    environment: EnvironmentId,
    after: Option<Cursor>,
    limit: u64,
) -> Result<Option<ComparedPage>, DbErr> {
    let (at, id) = after.unwrap_or((DateTime::UNIX_EPOCH, JobId(Uuid::nil())));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = [environment.into(), at.into(), id.into(), limit.into()];
    let backend = db.get_database_backend();
    let sql = if backend == DbBackend::Postgres { &PAGE_POSTGRES } else { &PAGE_SQLITE };
    let statement = Statement::from_sql_and_values(backend, sql.as_str(), values);
    let Some(row) = db.query_one_raw(statement).await? else { return Ok(None) };
    let Some(last) = row.try_get_by_index::<Option<DateTime<Utc>>>(1)? else { return Ok(None) };
    let text: String = row.try_get_by_index(0)?;
    let rows: Vec<Row> = parse(&text)?;
    let jobs: Vec<ComparedJob> = rows.into_iter().map(Row::job).collect::<Result<_, _>>()?;
    Ok(jobs.last().map(|job| job.id).map(|id| (jobs, (last, id))))
}
