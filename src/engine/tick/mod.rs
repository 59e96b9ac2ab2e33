//! One tick runs the passes. Each pass is bounded and idempotent, and depends only on `now` and the database.
//!
//! An error in one row does not affect other rows: it is logged with the id of the row, counted, and retried after a pause that
//! grows, until the row is ended with the reason. An error in a pass does not affect other passes; the next tick retries. No
//! transaction is open while a runner is called. A pass is one file with one `run_once`.

mod clock_jump;
mod deployment;
mod give_up;
pub(super) mod job;
pub(in crate::engine) mod pass;
mod prepared;
mod prune;
mod rules;
pub(super) mod run;
pub(super) mod schedules;
mod takeover;
pub(super) mod workspace;

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::engine::cluster;
use crate::liveness::passes::Pass;
use crate::liveness::visits::Scope;

pub use self::pass::BATCH;
use self::pass::check;
pub use self::prepared::step_name;
pub(in crate::engine) use self::run::drain;
pub use self::run::lease::renew;
pub use self::run::sweep::run_once as sweep;

/// The result of a tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// A pass has more work waiting.
    pub more: bool,
}

/// Runs all passes once.
pub async fn tick(app: &App, now: DateTime<Utc>) -> Outcome {
    let mut more = false;
    more |= plan(app, now).await.more;
    more |= work(app, now).await.more;
    more |= check(app, Pass::FinishDeployments, deployment::finish::run_once(app, now).await, now);
    Outcome { more }
}

/// The passes that call no runner, so that a slow engine does not delay schedules or deployments.
pub async fn plan(app: &App, now: DateTime<Utc>) -> Outcome {
    let mut more = false;
    more |= check(app, Pass::ClockJumps, clock_jump::run_once(app, now).await, now);
    more |= check(app, Pass::Schedules, schedules::run_once(app, now).await, now);
    more |= check(app, Pass::Takeovers, takeover::run_once(app, now).await, now);
    more |= check(app, Pass::DeploymentRules, rules::run_once(app, now).await, now);
    more |= check(app, Pass::FinishDeployments, deployment::finish::run_once(app, now).await, now);
    more |= check(app, Pass::StartDeployments, deployment::start::run_once(app, now).await, now);
    more |= check(app, Pass::WorkspaceSchedules, workspace::schedule::run_once(app, now).await, now);
    more |= check(app, Pass::WorkspaceApprovals, workspace::withdrawn::run_once(app, now).await, now);
    more |= check(app, Pass::WorkspaceJobs, workspace::advance::run_once(app, now).await, now);
    Outcome { more }
}

/// The passes over runs, which observe all running ones.
pub async fn work(app: &App, now: DateTime<Utc>) -> Outcome {
    work_on(app, Scope::All, now).await
}

/// The passes over runs.
pub async fn work_on(app: &App, scope: Scope, now: DateTime<Utc>) -> Outcome {
    let mut more = false;
    more |= check(app, Pass::ClusterRuns, cluster::record::run_once(app, now).await, now);
    more |= check(app, Pass::QueuedRuns, run::end_queued::run_once(app, scope, now).await, now);
    if !app.shutdown.has_begun() {
        more |= check(app, Pass::Claim, run::claim::run_once(app, now).await, now);
    }
    more |= check(app, Pass::Observe, run::observe::run_once(app, scope, now).await, now);
    Outcome { more }
}

/// Deletes a bounded number of expired rows.
pub async fn prune(app: &App, now: DateTime<Utc>) -> Outcome {
    Outcome { more: check(app, Pass::Prune, prune::run_once(app, now).await, now) }
}
