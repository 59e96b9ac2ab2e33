//! One tick: the passes. Each is bounded and idempotent, and knows only `now` and the database.
//!
//! An error of one row is logged with its id and leaves the other rows alone; an error of a pass leaves the other passes alone.
//! The next tick is the retry. No transaction is open while a runner is called.

mod deployment;
pub(super) mod job;
mod prepared;
mod prune;
mod rules;
pub(super) mod run;
pub(super) mod schedules;
pub(super) mod workspace;

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::engine::cluster;
use crate::error::{Error, Result};

pub use self::prepared::step_name;
pub(in crate::engine) use self::run::lease::renew;
pub use self::run::sweep::sweep;

/// How many rows a pass takes at once.
pub const BATCH: u64 = 200;

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
    more |= check("finish deployments", deployment::advance::finish(app, now).await);
    Outcome { more }
}

/// The passes that call no runner, so that a slow engine delays no schedule and no deployment.
pub async fn plan(app: &App, now: DateTime<Utc>) -> Outcome {
    let mut more = false;
    more |= check("schedule", schedules::schedule(app, now).await);
    more |= check("follow deployment rules", rules::follow(app, now).await);
    more |= check("finish deployments", deployment::advance::finish(app, now).await);
    more |= check("start deployments", deployment::advance::start(app, now).await);
    more |= check("advance workspaces", workspace::advance::advance(app, now).await);
    Outcome { more }
}

/// The passes over runs.
pub async fn work(app: &App, now: DateTime<Utc>) -> Outcome {
    let mut more = false;
    more |= check("record cluster runs", cluster::record::record(app, now).await);
    more |= check("end queued runs", run::claim::cancel_queued(app, now).await);
    more |= check("claim", run::claim::claim(app, now).await);
    more |= check("observe", run::observe::observe(app, now).await);
    Outcome { more }
}

/// Deletes a bounded number of expired rows.
pub async fn prune(app: &App, now: DateTime<Utc>) -> Outcome {
    Outcome { more: check("prune", prune::prune(app, now).await) }
}

fn check(pass: &'static str, result: Result<bool>) -> bool {
    result.unwrap_or_else(|error| {
        tracing::error!(pass, ?error, "engine pass failed; will retry");
        false
    })
}

/// Logs that a pass could not process one row; the pass goes on with the others.
pub(in crate::engine) fn report(pass: &'static str, kind: &'static str, id: &dyn std::fmt::Display, error: &Error) {
    tracing::error!(pass, kind, id = %id, ?error, "row could not be processed; will retry");
}
