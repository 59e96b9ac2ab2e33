//! One tick runs the passes. Each pass is bounded and idempotent, and depends only on `now` and the database.
//!
//! An error in one row does not affect other rows: it is logged with the id of the row, counted, and retried after a pause that
//! grows, until the row is ended with the reason. An error in a pass does not affect other passes; the next tick retries. No
//! transaction is open while a runner is called. A pass is one file with one `run_once`.

mod ahead;
mod clock_jump;
mod deployment;
mod give_up;
mod installation_start;
pub(super) mod job;
mod job_checks;
pub(in crate::engine) mod pass;
mod prepared;
mod prune;
mod rules;
pub(super) mod run;
pub(super) mod schedules;
mod takeover;
pub(super) mod workspace;

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::engine::cluster;
use crate::liveness::passes::Pass;
use crate::liveness::visits::Scope;
use crate::liveness::wake::Calls;

pub use self::ahead::{Ahead, ahead};
pub use self::installation_start::begin;
pub use self::pass::BATCH;
use self::pass::check;
pub use self::prepared::step_name;
pub use self::run::Visitors;
pub(in crate::engine) use self::run::drain;
pub use self::run::lease::renew;
pub use self::run::sweep::run_once as sweep;

/// The result of a tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// A pass has more work waiting.
    pub more: bool,
    /// There was nothing to do, and no run is open.
    pub rests: bool,
}

impl Outcome {
    fn with(more: bool) -> Self {
        Self { more, rests: false }
    }
}

/// Runs all passes once.
pub async fn tick(app: &App, now: DateTime<Utc>) -> Outcome {
    let mut more = false;
    more |= plan(app, now).await.more;
    more |= work(app, now).await.more;
    more |= check(app, Pass::FinishDeployments, deployment::finish::run_once(app, now).await, now);
    Outcome::with(more)
}

/// The passes that call no runner, so that a slow engine does not delay schedules or deployments.
pub async fn plan(app: &App, now: DateTime<Utc>) -> Outcome {
    // What is requested from now on may be missed below, and waits for runs.
    app.wake.await_ends(true);
    let mut more = false;
    more |= check(app, Pass::ClockJumps, clock_jump::run_once(app, now).await, now);
    more |= check(app, Pass::Schedules, schedules::run_once(app, now).await, now);
    more |= check(app, Pass::Checks, job_checks::run_once(app, now).await, now);
    more |= check(app, Pass::Takeovers, takeover::run_once(app, now).await, now);
    more |= check(app, Pass::DeploymentRules, rules::run_once(app, now).await, now);
    more |= check(app, Pass::FinishDeployments, deployment::finish::run_once(app, now).await, now);
    more |= check(app, Pass::StartDeployments, deployment::start::run_once(app, now).await, now);
    more |= check(app, Pass::WorkspaceSchedules, workspace::schedule::run_once(app, now).await, now);
    more |= check(app, Pass::WorkspaceApprovals, workspace::withdrawn::run_once(app, now).await, now);
    more |= check(app, Pass::WorkspaceJobs, workspace::advance::run_once(app, now).await, now);
    Outcome::with(more)
}

/// The passes over runs, which observe all running ones.
pub async fn work(app: &App, now: DateTime<Utc>) -> Outcome {
    work_on(app, Scope::All, now).await
}

/// The passes over runs. Waits until all visits have been made.
pub async fn work_on(app: &App, scope: Scope, now: DateTime<Utc>) -> Outcome {
    let mut claimed = Vec::new();
    let mut more = claim(app, (scope, Calls::ALL), &mut claimed, now).await;
    if scope != Scope::News {
        more |= check(app, Pass::Orphans, run::orphans::run_once(app, now).await, now);
    }
    more |= check(app, Pass::Observe, run::observe::run_once(app, scope, claimed, now).await, now);
    Outcome::with(more)
}

/// The passes over runs, of which `visitors` make the visits.
pub async fn work_with(app: &Arc<App>, visitors: &mut Visitors, scope: Scope, now: DateTime<Utc>) -> Outcome {
    if scope != Scope::News && ahead::rests(app).await {
        return Outcome { more: false, rests: true };
    }
    let calls = app.wake.take_calls();
    let calls = if scope == Scope::News { calls } else { Calls::ALL };
    let mut claimed = Vec::new();
    let mut more = claim(app, (scope, calls), &mut claimed, now).await;
    let begun = visitors.begin(app, (scope, calls), claimed, now).await.map(|()| false);
    more |= check(app, Pass::Observe, begun, now);
    if more {
        app.wake.runs_here();
    }
    Outcome::with(more)
}

/// The passes that decide which runs this server has. Adds those that it has from now on.
async fn claim(
    app: &App,
    (scope, calls): (Scope, Calls),
    claimed: &mut Vec<entity::run::Model>,
    now: DateTime<Utc>,
) -> bool {
    let mut more = check(app, Pass::ClusterRuns, cluster::record::run_once(app, now).await, now);
    if calls.requests {
        more |= check(app, Pass::QueuedRuns, run::end_queued::run_once(app, scope, now).await, now);
    }
    if (calls.requests || calls.slots) && !app.shutdown.has_begun() {
        more |= check(app, Pass::Claim, run::claim::run_once(app, claimed, now).await, now);
    }
    more
}

/// Deletes a bounded number of expired rows.
pub async fn prune(app: &App, now: DateTime<Utc>) -> Outcome {
    Outcome::with(check(app, Pass::Prune, prune::run_once(app, now).await, now))
}
