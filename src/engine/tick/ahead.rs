//! What the loops wait for, so that an idle server sends one statement instead of those of all passes.

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::error::Result;
use crate::liveness::passes::Pass;
use crate::store;

/// What the plan loop waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// Whether its passes may have something to do now, or have failed: what makes a pass succeed again need not be something to do.
    pub now: bool,
    /// When the next schedule is due.
    pub next: Option<DateTime<Utc>>,
}

/// What the plan loop waits for. Tells the other loops whether the ends of runs are awaited.
///
/// # Errors
/// Database errors.
pub async fn ahead(app: &App, now: DateTime<Utc>) -> Result<Ahead> {
    let found = store::plan_glance(&app.db).await?;
    if !found.deployments {
        app.wake.await_ends(false);
    }
    let schedules = [found.next_of_jobs, found.next_of_workspaces, found.next_of_checks];
    let is_due = schedules.iter().chain(&found.next_of_rules).flatten().any(|at| *at <= now);
    let is_open = found.deployments || found.workspace_jobs || (found.holds && !app.runners.clusters.is_empty());
    let is_unsettled = !app.clock_watch.is_well(now) || app.setbacks.has_failed_pass();
    Ok(Ahead { now: is_due || is_open || is_unsettled, next: next(app, schedules, now).await? })
}

/// The next time of a schedule that does not wait because it failed.
async fn next(app: &App, of_all: [Option<DateTime<Utc>>; 3], now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
    let paused = [Pass::Schedules, Pass::WorkspaceSchedules, Pass::Checks].map(|pass| app.setbacks.paused(pass, now));
    if paused.iter().all(Vec::is_empty) {
        return Ok(of_all.into_iter().flatten().min());
    }
    let [jobs, workspaces, checks] = paused;
    let jobs = store::job_schedule::next_due(&app.db, jobs).await?;
    let workspaces = store::workspace::next_due(&app.db, workspaces).await?;
    let checks = store::job_check::next_due(&app.db, checks).await?;
    Ok(jobs.into_iter().chain(workspaces).chain(checks).min())
}

/// Whether the passes over runs have nothing to do: nothing was requested, no pass has failed, and no run is open on any server.
pub(super) async fn rests(app: &App) -> bool {
    !app.wake.is_called()
        && !app.setbacks.has_failed_pass()
        && app.visits.is_empty()
        && app.runners.clusters.is_empty()
        && !store::run::has_open(&app.db).await.unwrap_or(true)
}
