//! One tick: the passes, each of them bounded, idempotent, and ignorant of everything but `now` and the database.
//!
//! An error ends its pass, not the tick; the next tick is the retry. No transaction is open while a runner is asked.

mod deployments;
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
use crate::error::Result;

pub use self::prepared::step_name;
pub(in crate::engine) use self::run::lease::renew;
pub use self::run::sweep::sweep;

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
    more |= check("workspaces", workspace::advance::advance(app, now).await);
    Outcome { more }
}

/// The passes that look after runs.
pub async fn work(app: &App, now: DateTime<Utc>) -> Outcome {
    let mut more = false;
    more |= check("record runs of clusters", cluster::record::record(app, now).await);
    more |= check("cancel queued runs", run::claim::cancel_queued(app, now).await);
    more |= check("claim", run::claim::claim(app, now).await);
    more |= check("observe", run::observe::observe(app, now).await);
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
