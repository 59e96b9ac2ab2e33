//! One tick: the passes, each of them bounded, idempotent, and ignorant of everything but `now` and the database.
//!
//! An error ends its pass, not the tick; the next tick is the retry. No transaction is open while a runner is asked.

pub(super) mod clusters;
mod deployments;
mod log;
mod outcome;
mod pod;
mod prune;
mod rules;
mod runs;
pub(super) mod schedules;
mod step;
mod variables;
pub mod workspace_files;
mod workspace_step;
mod workspace_variables;
mod workspaces;

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::error::Result;

pub(in crate::engine) use self::runs::renew;
pub use self::runs::sweep;
pub use self::step::step_name;

/// How many rows a pass takes at once.
pub const BATCH: u64 = 200;

/// What a tick came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// A pass did not get to the end of its work.
    pub more: bool,
}

/// Runs all passes once.
pub async fn tick(app: &App, now: DateTime<Utc>) -> Outcome {
    let mut more = false;
    more |= plan(app, now).await.more;
    more |= work(app, now).await.more;
    more |= check("finish deployments", deployments::finish(app, now).await);
    Outcome { more }
}

/// The passes that ask no runner: times and deployments are not late because an engine is slow.
pub async fn plan(app: &App, now: DateTime<Utc>) -> Outcome {
    let mut more = false;
    more |= check("schedule", schedules::schedule(app, now).await);
    more |= check("follow deployment rules", rules::follow(app, now).await);
    more |= check("finish deployments", deployments::finish(app, now).await);
    more |= check("start deployments", deployments::start(app, now).await);
    more |= check("workspaces", workspaces::advance(app, now).await);
    Outcome { more }
}

/// The passes that look after runs.
pub async fn work(app: &App, now: DateTime<Utc>) -> Outcome {
    let mut more = false;
    more |= check("record runs of clusters", clusters::record(app, now).await);
    more |= check("cancel queued runs", runs::cancel_queued(app, now).await);
    more |= check("claim", runs::claim(app, now).await);
    more |= check("observe", runs::observe(app, now).await);
    Outcome { more }
}

/// Deletes what need not be kept any more: a bounded piece of it.
pub async fn prune(app: &App, now: DateTime<Utc>) -> Outcome {
    Outcome { more: check("prune", prune::prune(app, now).await) }
}

fn check(pass: &'static str, result: Result<bool>) -> bool {
    result.unwrap_or_else(|error| {
        tracing::error!(pass, ?error, "a pass of the engine failed; it is tried again");
        false
    })
}
