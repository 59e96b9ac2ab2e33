//! Removes steps of ended runs from the runners: a server can be killed between storing an end and removing the step. A step that
//! nobody wanted to stop is not removed while it runs.

use chrono::{DateTime, Utc};
use entity::run;
use entity::run::RunState;

use super::observed::name_of;
use crate::app::App;
use crate::engine::tick::pass::{Wish, report, succeeded};
use crate::engine::tick::prepared::run_of;
use crate::error::{Error, Result};
use crate::liveness::passes::Pass;
use crate::runner::time_limit::with_time_limit;
use crate::runner::{Runner, StepState, Target, Unavailable};
use crate::store;

const PASS: Pass = Pass::Sweep;

/// Removes the steps of ended runs from all runners.
pub async fn run_once(app: &App, now: DateTime<Utc>) {
    let clusters = app.runners.clusters.all().into_iter().map(|(id, _)| Target::Kubernetes(id));
    let agents = app.runners.agents.all().into_iter().map(Target::Agent);
    for kind in [Target::Docker, Target::Process].into_iter().chain(clusters).chain(agents) {
        // A runner that does not answer does not affect the others; the next sweep tries again.
        if let Err(error) = sweep_runner(app, kind, now).await {
            tracing::debug!(?kind, ?error, "leftover steps could not be listed; will retry");
        }
    }
}

async fn sweep_runner(app: &App, kind: Target, now: DateTime<Utc>) -> Result<()> {
    let runner = app.runners.get(kind);
    let names = with_time_limit(runner.list()).await.map_err(|e| Error::internal(e.0))?;
    let ids = names.iter().filter_map(|name| run_of(name)).collect();
    let runs = store::run::list_by_ids(&app.db, ids).await?;
    for name in names {
        let run = runs.iter().find(|run| Some(run.id) == run_of(&name));
        // Steps of unknown runs belong to another installation on the same engine.
        let Some(run) = run.filter(|run| run.state.is_final() || name_of(run) != name) else { continue };
        match sweep_step(app, runner.as_ref(), run, &name).await {
            Ok(()) => succeeded(app, PASS, &name),
            Err(error) => {
                report(app, (PASS, "step"), &name, &error, Wish::Process, now);
            }
        }
    }
    Ok(())
}

async fn sweep_step(app: &App, runner: &dyn Runner, run: &run::Model, name: &str) -> Result<()> {
    if !is_lost(run, name) || end_of_lost(app, runner, run, name).await? {
        with_time_limit(runner.remove(name)).await.map_err(|Unavailable(reason)| Error::internal(reason))?;
    }
    Ok(())
}

/// Whether a step belongs to a run that ended as lost: nobody wanted it to stop.
fn is_lost(run: &run::Model, name: &str) -> bool {
    run.state == RunState::Failed && run.stopping_at.is_none() && name_of(run) == name
}

/// Whether the step of a lost run has ended. One that is running is left alone; how it ends is added to the reason of its run.
async fn end_of_lost(app: &App, runner: &dyn Runner, run: &run::Model, name: &str) -> Result<bool> {
    match with_time_limit(runner.poll(name)).await.map_err(|e| Error::internal(e.0))? {
        StepState::Running | StepState::Starting { .. } => Ok(false),
        StepState::Exited { exit_code, .. } => {
            let reason = run.reason.as_deref().unwrap_or("the run was lost");
            let reason = format!("{reason}; later it was seen to have ended with exit code {exit_code}");
            store::write(&app.db, async |tx| {
                store::run::note_late_end(tx, run.id, exit_code, reason.clone()).await.map_err(Error::from)
            })
            .await?;
            Ok(true)
        }
        StepState::Failed { .. } | StepState::CannotStart { .. } | StepState::Lost | StepState::Unknown => Ok(true),
    }
}
