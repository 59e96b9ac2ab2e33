//! Removes steps of ended runs from the runners: a server can be killed between storing an end and removing the step.

use chrono::{DateTime, Utc};

use super::observed::name_of;
use crate::app::App;
use crate::engine::tick::pass::{Wish, report};
use crate::engine::tick::prepared::run_of;
use crate::error::{Error, Result};
use crate::liveness::passes::Pass;
use crate::runner::time_limit::with_time_limit;
use crate::runner::{Target, Unavailable};
use crate::store;

const PASS: Pass = Pass::Sweep;

/// Removes the steps of ended runs from all runners.
pub async fn run_once(app: &App, now: DateTime<Utc>) {
    let clusters = app.runners.clusters.all().into_iter().map(|(id, _)| Target::Kubernetes(id));
    for kind in [Target::Docker, Target::Process].into_iter().chain(clusters) {
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
        let over = run.is_some_and(|run| run.state.is_final() || name_of(run) != name);
        if over && let Err(Unavailable(reason)) = with_time_limit(runner.remove(&name)).await {
            report(app, (PASS, "step"), &name, &Error::internal(reason), Wish::Process, now);
        }
    }
    Ok(())
}
