//! What has failed, and what is late.

use chrono::{DateTime, Utc};
use entity::deployment::Action;
use entity::id::{DeploymentId, EnvironmentId, ProjectId, RunId};
use entity::run::Event;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use super::attention_list::{Attention, FIRST, JOINS, JobPlaceNames, Moment, PLACE, last};
use super::sight::Sight;
use crate::store::binds::Binds;

/// How many failures in a row are counted.
const IN_A_ROW: i64 = 1000;

/// A job whose last run failed.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct FailingJob {
    #[sea_orm(nested)]
    pub place: JobPlaceNames,
    /// The last run.
    pub run_id: RunId,
    pub number: i64,
    pub event: Event,
    pub finished_at: Moment,
    pub exit_code: Option<i32>,
    pub reason: Option<String>,
    /// How many runs have failed since the last success, 1,000 at most.
    pub in_a_row: i64,
    /// When the first of them ended.
    pub since: Moment,
}

/// The jobs whose last run failed, and whose failures were not cleared since, the newest failure first. Cancelled runs do not count;
/// a build does, so that a job that was built again is not listed until it fails again.
///
/// # Errors
/// When the query fails.
pub async fn failing_jobs(db: &impl ConnectionTrait, sight: &Sight) -> Result<Attention<FailingJob>, DbErr> {
    // The states are read from an index; only failures are looked up.
    let newest = |column: &str| {
        format!(
            "(SELECT r.{column} FROM run r WHERE r.job_id = job.id AND r.state IN ('SUCCEEDED', 'FAILED') \
             ORDER BY r.number DESC LIMIT 1)"
        )
    };
    let since_success = "x.job_id = listed.job_id AND x.state = 'FAILED' AND x.number > COALESCE((SELECT s.number FROM run s \
         WHERE s.job_id = listed.job_id AND s.state = 'SUCCEEDED' ORDER BY s.number DESC LIMIT 1), 0)";
    let mut sql = Binds::new(
        db.get_database_backend(),
        &format!(
            "SELECT listed.*, (SELECT COUNT(*) FROM (SELECT 1 FROM run x WHERE {since_success} LIMIT {IN_A_ROW}) counted) AS in_a_row, \
             (SELECT x.finished_at FROM run x WHERE {since_success} ORDER BY x.number LIMIT 1) AS since FROM ({FIRST}\
             SELECT {PLACE}, f.id AS run_id, f.number, f.event, f.finished_at, f.exit_code, f.reason FROM \
             (SELECT job.id, {} AS newest FROM job WHERE {} = 'FAILED' AND ",
            newest("number"),
            newest("state"),
        ),
    );
    sight.bind(&mut sql, "job.environment_id");
    sql.sql(&format!(
        ") failing JOIN run f ON f.number = failing.newest JOIN job j ON j.id = failing.id{JOINS}\
         WHERE j.failures_cleared_at IS NULL OR f.finished_at > j.failures_cleared_at{}) listed ORDER BY number DESC",
        last("number DESC")
    ));
    Attention::read(&db.query_all_raw(sql.statement()).await?)
}

/// A run that is due and has not started.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct LateRun {
    #[sea_orm(nested)]
    pub place: JobPlaceNames,
    pub run_id: RunId,
    pub number: i64,
    pub scheduled_for: Moment,
    /// When it could have started.
    pub not_before: DateTime<Utc>,
    /// Whether it waits for an older run of the same job.
    pub in_turn: bool,
}

/// The runs of jobs that were due before `due_before` and are still queued, the longest wait first.
///
/// # Errors
/// When the query fails.
pub async fn late_runs(
    db: &impl ConnectionTrait,
    sight: &Sight,
    due_before: DateTime<Utc>,
) -> Result<Attention<LateRun>, DbErr> {
    let mut sql = Binds::new(
        db.get_database_backend(),
        &format!(
            "{FIRST}SELECT {PLACE}, r.id AS run_id, r.number, r.scheduled_for, r.not_before, r.in_turn \
             FROM run r JOIN job j ON j.id = r.job_id{JOINS}WHERE r.state = 'QUEUED' AND r.not_before < "
        ),
    );
    sql.value(due_before, "timestamptz").sql(" AND ");
    sight.bind(&mut sql, "j.environment_id");
    sql.sql(&last("not_before, number"));
    Attention::read(&db.query_all_raw(sql.statement()).await?)
}

/// An environment whose last deployment failed.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct FailedDeployment {
    pub id: DeploymentId,
    pub number: i32,
    pub action: Action,
    pub triggered_by: String,
    pub finished_at: Moment,
    /// Why it failed, if no part of it shows that.
    pub reason: Option<String>,
    pub environment_id: EnvironmentId,
    pub environment_name: String,
    pub project_id: ProjectId,
    pub project_name: String,
}

/// The environments whose last deployment failed, the newest first.
///
/// # Errors
/// When the query fails.
pub async fn failed_deployments(
    db: &impl ConnectionTrait,
    sight: &Sight,
) -> Result<Attention<FailedDeployment>, DbErr> {
    let mut sql = Binds::new(
        db.get_database_backend(),
        &format!(
            "{FIRST}SELECT d.id, d.number, d.action, d.triggered_by, d.finished_at, d.reason, e.id AS environment_id, \
             e.name AS environment_name, p.id AS project_id, p.name AS project_name FROM environment e \
             JOIN deployment d ON d.environment_id = e.id AND d.number = (SELECT n.number FROM deployment n \
             WHERE n.environment_id = e.id ORDER BY n.number DESC LIMIT 1) JOIN project p ON p.id = e.project_id \
             WHERE d.progress = 'FAILED' AND "
        ),
    );
    sight.bind(&mut sql, "e.id");
    sql.sql(&last("finished_at DESC, id"));
    Attention::read(&db.query_all_raw(sql.statement()).await?)
}
