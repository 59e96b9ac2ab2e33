//! Ends rows that passes could not process again and again, with their reason. Only single columns are written, so that whatever
//! else a row contains or brought cannot prevent its end.

use chrono::{DateTime, TimeDelta, Utc};
use entity::deployment::Progress;
use entity::id::{DeploymentId, RunId};
use entity::run::RunState;
use entity::workspace_job::JobStatus;
use entity::{deployment, workspace_job};
use sea_orm::DatabaseTransaction;

use crate::app::App;
use crate::engine::{announce, news};
use crate::error::{Error, Result};
use crate::store;

/// How long a run that was given up is kept.
const KEPT: TimeDelta = TimeDelta::days(30);

/// Ends a run, and the workspace step that it executed. Returns false if it has ended, if another server owns it, or on an error.
pub(super) async fn run(app: &App, id: RunId, (state, reason): (RunState, String), now: DateTime<Utc>) -> bool {
    let ended = store::write(&app.db, async |tx| {
        store::workspace::lock_job_of_run(tx, id).await?;
        let end = (state, reason.clone());
        if !store::run::give_up(tx, id, app.instance, end, (now, now + KEPT)).await? {
            return Ok(false);
        }
        let status = if state == RunState::Cancelled { JobStatus::Cancelled } else { JobStatus::Failed };
        store::workspace::give_up_step(tx, id, (status, &reason), now).await?;
        news::run_given_up(app, tx, (id, state), now).await?;
        Ok::<_, Error>(true)
    })
    .await;
    match ended {
        Ok(true) => {
            tracing::error!(run = %id, reason, "run given up");
            app.wake.now();
            true
        }
        Ok(false) => false,
        Err(error) => {
            tracing::error!(run = %id, ?error, "run could not be ended; will retry");
            false
        }
    }
}

/// Ends a deployment with its parts, and cancels its runs.
pub(super) async fn deployment(app: &App, id: DeploymentId, reason: String, now: DateTime<Utc>) {
    let end = async |told| store::write(&app.db, async |tx| end_deployment(tx, id, &reason, told, now).await).await;
    // If even the announcement fails, the deployment ends without one.
    let ended = match end(Told::Everybody).await {
        Err(_) => end(Told::Nobody).await,
        ended => ended,
    };
    match ended {
        Ok(()) => {
            tracing::error!(deployment = %id, reason, "deployment given up");
            app.wake.now();
        }
        Err(error) => tracing::error!(deployment = %id, ?error, "deployment could not be ended; will retry"),
    }
}

/// Whether webhooks and events tell the end of a deployment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Everybody,
    Nobody,
}

async fn end_deployment(
    tx: &DatabaseTransaction,
    id: DeploymentId,
    reason: &str,
    told: Told,
    now: DateTime<Utc>,
) -> Result<()> {
    let Some(row) = store::row::by_id::<deployment::Model>(tx, id).await? else { return Ok(()) };
    store::environment::lock(tx, row.environment_id).await?;
    let cancelled = row.cancel_requested_at.is_some();
    let outcome = if cancelled { Progress::Cancelled } else { Progress::Failed };
    if !store::deployment::give_up(tx, id, outcome, reason, now).await? {
        return Ok(());
    }
    store::run::cancel::request_cancel_of_deployment(tx, id, now).await?;
    if told == Told::Everybody {
        announce::end(tx, &row, outcome, now).await?;
    }
    Ok(())
}

/// Ends a workspace job with its steps.
pub(super) async fn workspace_job(app: &App, id: i32, reason: String, now: DateTime<Utc>) {
    let ended = store::write(&app.db, async |tx| {
        let Some(job) = store::workspace::lock_job(tx, id).await?.filter(|job| !job.status.is_final()) else {
            return Ok(());
        };
        let waited = job.status == JobStatus::WaitingApproval;
        store::workspace::cancel_runs(tx, id, now).await?;
        store::workspace::turn_steps(tx, id, (JobStatus::Pending, JobStatus::NotExecuted), now).await?;
        let output = Some(reason.clone());
        let job = workspace_job::Model { status: JobStatus::Failed, output, updated_at: now, ..job };
        let job = store::workspace::update_job(tx, job).await?;
        if waited {
            news::approval_decided(app, tx, &job, now).await?;
        }
        Ok::<_, Error>(())
    })
    .await;
    match ended {
        Ok(()) => tracing::error!(job = id, reason, "workspace job given up"),
        Err(error) => tracing::error!(job = id, ?error, "workspace job could not be ended; will retry"),
    }
}
