//! One tick runs the passes. Each pass is bounded and idempotent, and depends only on `now` and the database.
//!
//! An error in one row is logged with the id of the row and does not affect other rows; an error in a pass does not affect other
//! passes. The next tick retries. No transaction is open while a runner is called. A pass is one file with one `run_once`.

mod clock_jump;
mod deployment;
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

pub use self::pass::BATCH;
use self::pass::check;
pub use self::prepared::step_name;
pub(in crate::engine) use self::run::lease::renew;
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
    more |= check("finish deployments", deployment::finish::run_once(app, now).await);
    Outcome { more }
}

/// The passes that call no runner, so that a slow engine does not delay schedules or deployments.
pub async fn plan(app: &App, now: DateTime<Utc>) -> Outcome {
    let mut more = false;
    more |= check("watch the clock", clock_jump::run_once(app, now).await);
    more |= check("schedule", schedules::run_once(app, now).await);
    more |= check("take over schedules", takeover::run_once(app, now).await);
    more |= check("apply deployment rules", rules::run_once(app, now).await);
    more |= check("finish deployments", deployment::finish::run_once(app, now).await);
    more |= check("start deployments", deployment::start::run_once(app, now).await);
    more |= check("schedule workspace jobs", workspace::schedule::run_once(app, now).await);
    more |= check("advance workspace jobs", workspace::advance::run_once(app, now).await);
    Outcome { more }
}

/// The passes over runs.
pub async fn work(app: &App, now: DateTime<Utc>) -> Outcome {
    let mut more = false;
    more |= check("record cluster runs", cluster::record::run_once(app, now).await);
    more |= check("end queued runs", run::end_queued::run_once(app, now).await);
    more |= check("claim", run::claim::run_once(app, now).await);
    more |= check("observe", run::observe::run_once(app, now).await);
    Outcome { more }
}

/// Deletes a bounded number of expired rows.
pub async fn prune(app: &App, now: DateTime<Utc>) -> Outcome {
    Outcome { more: check("prune", prune::run_once(app, now).await) }
}
