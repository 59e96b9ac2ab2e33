//! The passes that start deployments, one at a time in an environment, and end those whose parts have ended.

use chrono::{DateTime, Utc};
use entity::deployment::{Action, Progress, Scope};
use entity::job::{JobSpec, Schedule};
use entity::run::{RunState, Trigger};
use entity::{deployment, deployment_job, job};
use sea_orm::DatabaseTransaction;

use super::BATCH;
use super::schedules::new_run;
use crate::app::App;
use crate::engine::deployment::{Deployed, plan, run_spec};
use crate::engine::schedule;
use crate::error::{Error, Result};
use crate::store;

pub(super) async fn start(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let due = store::deployment::due(&app.db, BATCH).await?;
    let more = due.len() as u64 == BATCH;
    for row in due {
        store::write(&app.db, async |tx| {
            // Another server may have started one of this environment since `due` was read.
            store::environment::lock(tx, row.environment_id).await?;
            let newer = store::deployment::due(tx, BATCH).await?;
            if !newer.iter().any(|candidate| candidate.id == row.id)
                || !store::deployment::advance(tx, row.id, Progress::Queued, Progress::Running, now).await?
            {
                return Ok::<_, Error>(());
            }
            for part in store::deployment::list_parts(tx, row.id).await? {
                start_part(tx, &row, &part, now).await?;
            }
            Ok(())
        })
        .await?;
    }
    Ok(more)
}

async fn start_part(
    tx: &DatabaseTransaction,
    of: &deployment::Model,
    part: &deployment_job::Model,
    now: DateTime<Utc>,
) -> Result<()> {
    let Some(job) = store::job::by_id(tx, part.job_id).await? else { return Ok(()) };
    // What is taken away is what is deployed, not what was written since.
    let spec = match (of.action, &job.deployed) {
        (Action::Stop | Action::Delete, Some(deployed)) => deployed,
        _ => &job.spec,
    };
    let plan = plan(of.action, part.forced_event, &spec.schedule);
    set_deployed(tx, &job, plan.deployed, now).await?;
    let run = match plan.run.map(|event| (event, run_spec(spec, event))) {
        None => None,
        Some((_, None)) => {
            store::deployment::advance_part(tx, part, Progress::Failed, None, now).await?;
            return Ok(());
        }
        Some((event, Some(spec))) => {
            let trigger = if part.forced_event.is_some() { Trigger::Force } else { Trigger::Deployment };
            let run = new_run(job.id, event, spec, now);
            Some(entity::run::Model { trigger, deployment_id: Some(of.id), ..run })
        }
    };
    let id = run.as_ref().map(|run| run.id);
    store::run::create(tx, run.into_iter().collect()).await?;
    store::deployment::advance_part(tx, part, Progress::Running, id, now).await?;
    Ok(())
}

async fn set_deployed(
    tx: &DatabaseTransaction,
    job: &job::Model,
    deployed: Deployed,
    now: DateTime<Utc>,
) -> Result<()> {
    match deployed {
        Deployed::Kept => {}
        Deployed::Replaced => {
            let next = next_time(&job.spec, now);
            store::job::set_deployed(tx, job.id, Some(job.spec.clone()), next).await?;
        }
        Deployed::Removed => {
            store::job::set_deployed(tx, job.id, None, None).await?;
            store::run::request_cancel_of_schedule(tx, job.id, now).await?;
        }
    }
    Ok(())
}

fn next_time(spec: &JobSpec, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let Schedule::Cron { scheduled_at, timezone, .. } = &spec.schedule else { return None };
    let expression = scheduled_at.parse::<schedule::Schedule>().ok()?;
    expression.next(now, schedule::parse_timezone(timezone).ok()?)
}

pub(super) async fn finish(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let running = store::deployment::list_running(&app.db, BATCH).await?;
    for row in running {
        store::write(&app.db, async |tx| {
            let mut open = false;
            let mut failed = false;
            for part in store::deployment::list_parts(tx, row.id).await? {
                let progress = finish_part(tx, &row, &part, now).await?;
                open |= !progress.is_final();
                failed |= progress == Progress::Failed;
            }
            if !open {
                end(tx, &row, failed, now).await?;
            }
            Ok::<_, Error>(())
        })
        .await?;
    }
    Ok(false)
}

/// Ends the part of a job when its run has ended; a job that is stopped or deleted must have no other run left.
async fn finish_part(
    tx: &DatabaseTransaction,
    of: &deployment::Model,
    part: &deployment_job::Model,
    now: DateTime<Utc>,
) -> Result<Progress> {
    if part.progress.is_final() {
        return Ok(part.progress);
    }
    let run = match part.run_id {
        Some(id) => store::run::by_id(tx, id).await?,
        None => None,
    };
    let reached = match run.map(|run| run.state) {
        None | Some(RunState::Succeeded) => Progress::Succeeded,
        Some(RunState::Failed | RunState::Cancelled) => Progress::Failed,
        Some(RunState::Queued | RunState::Running) => return Ok(Progress::Running),
    };
    let takes_away = part.forced_event.is_none() && of.action != Action::Deploy;
    if takes_away && store::run::count_open_by_job(tx, part.job_id).await? > 0 {
        return Ok(Progress::Running);
    }
    store::deployment::advance_part(tx, part, reached, part.run_id, now).await?;
    if takes_away && of.action == Action::Delete && reached == Progress::Succeeded {
        store::job::delete(tx, part.job_id).await?;
    }
    Ok(reached)
}

async fn end(tx: &DatabaseTransaction, row: &deployment::Model, failed: bool, now: DateTime<Utc>) -> Result<()> {
    let reached = if failed { Progress::Failed } else { Progress::Succeeded };
    if !store::deployment::advance(tx, row.id, Progress::Running, reached, now).await? {
        return Ok(());
    }
    if row.action == Action::Delete && row.scope == Scope::Environment && !failed {
        store::environment::delete(tx, row.environment_id).await?;
    }
    Ok(())
}
