//! Asks the steps that end with this server to stop, because it shuts down.

use std::time::Duration;

use super::act::stop_grace;
use crate::app::App;
use crate::engine::tick::prepared::run_of;
use crate::error::Result;
use crate::runner::time_limit::{log_failure, with_time_limit};
use crate::runner::{StepState, Target};
use crate::store;

/// Asks each running step that cannot outlive this server to stop, with the grace period of its run but at most `limit`. Steps that
/// were asked before are left alone.
pub(in crate::engine) async fn run_once(app: &App, limit: Duration) -> Result<()> {
    for kind in [Target::Docker, Target::Process] {
        let runner = app.runners.get(kind);
        let names = runner.tied_to_server();
        let ids = names.iter().filter_map(|name| run_of(name)).filter(|id| !app.shutdown.interrupted(*id)).collect();
        let runs = store::run::list_by_ids(&app.db, ids).await?;
        for name in names {
            let Some(run) = runs.iter().find(|run| Some(run.id) == run_of(&name)) else { continue };
            // A step that has ended by itself is not interrupted.
            if with_time_limit(runner.poll(&name)).await.is_ok_and(|state| state == StepState::Running)
                && app.shutdown.interrupt(run.id)
            {
                let grace = stop_grace(app, run).min(limit);
                tracing::info!(run = %run.id, grace_seconds = grace.as_secs(), "run is being stopped: the server shuts down");
                log_failure(&name, with_time_limit(runner.stop(&name, grace)).await);
            }
        }
    }
    Ok(())
}
