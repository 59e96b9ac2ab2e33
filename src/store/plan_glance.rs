//! What the plan loop waits for, in one statement: most of the time, nothing is due.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr, Statement};

use super::workspace::DUE;

/// What there is to plan, for which a few queries find out the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanGlance {
    /// The next time of the schedule of a job.
    pub next_of_jobs: Option<DateTime<Utc>>,
    /// The next time of the schedule of a workspace.
    pub next_of_workspaces: Option<DateTime<Utc>>,
    /// When something is due that concerns a check.
    pub next_of_checks: Option<DateTime<Utc>>,
    /// The next times of deployment rules: a start, and a stop.
    pub next_of_rules: [Option<DateTime<Utc>>; 2],
    /// Whether a deployment has not ended.
    pub deployments: bool,
    /// Whether a workspace job can be advanced, or waits for an approval.
    pub workspace_jobs: bool,
    /// Whether a schedule is held back.
    pub holds: bool,
}

/// Glances at everything that the plan loop processes.
///
/// # Errors
/// When the query fails.
pub async fn plan_glance(db: &impl ConnectionTrait) -> Result<PlanGlance, DbErr> {
    let sql = format!(
        "SELECT (SELECT MIN(next_run_at) FROM job_schedule), (SELECT MIN(next_run_at) FROM workspace_schedule), \
         (SELECT MIN(next_start_at) FROM deployment_rule), (SELECT MIN(next_stop_at) FROM deployment_rule), \
         CASE WHEN EXISTS (SELECT 1 FROM deployment WHERE progress IN ('QUEUED', 'RUNNING')) THEN 1 ELSE 0 END, \
         CASE WHEN EXISTS (SELECT 1 FROM workspace_job WHERE {DUE}) \
         OR EXISTS (SELECT 1 FROM workspace_job WHERE workspace_job.status = 'waitingApproval') THEN 1 ELSE 0 END, \
         CASE WHEN EXISTS (SELECT 1 FROM schedule_pause) OR EXISTS (SELECT 1 FROM schedule_skip) THEN 1 ELSE 0 END, \
         (SELECT MIN(due_at) FROM job_check)"
    );
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("a row of constants".into()))?;
    let is = |column: usize| Ok::<_, DbErr>(row.try_get_by_index::<i32>(column)? != 0);
    Ok(PlanGlance {
        next_of_jobs: row.try_get_by_index(0)?,
        next_of_workspaces: row.try_get_by_index(1)?,
        next_of_rules: [row.try_get_by_index(2)?, row.try_get_by_index(3)?],
        deployments: is(4)?,
        workspace_jobs: is(5)?,
        holds: is(6)?,
        next_of_checks: row.try_get_by_index(7)?,
    })
}
