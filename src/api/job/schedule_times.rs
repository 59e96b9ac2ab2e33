//! The times of a job's schedule, and which component starts its runs.

use entity::job;

use crate::app::App;
use crate::engine::cron::Timing;
use crate::engine::cron::{KUBERNETES_CLOCK_CHANGES, Keeper, keeper};
use crate::error::{Error, Result};
use crate::store;

/// The times of a schedule, and whether this server or Kubernetes starts its runs.
pub(super) struct ScheduleTimes {
    pub(super) timing: Timing,
    pub(super) keeper: Keeper,
}

pub(super) async fn schedule_times(app: &App, job: &job::Model) -> Result<ScheduleTimes> {
    let timing = timing(job)?;
    let cluster = store::cluster_objects::cluster_of_job(&app.db, job.id).await?;
    let spec = job.deployed.as_ref().unwrap_or(&job.spec);
    let keeper = cluster.and_then(|(_, kind)| keeper(kind, spec)).unwrap_or(Keeper::Server(None));
    let timing =
        if keeper == Keeper::Kubernetes { timing.with_clock_changes(KUBERNETES_CLOCK_CHANGES) } else { timing };
    Ok(ScheduleTimes { timing, keeper })
}

pub(super) fn no_schedule() -> Error {
    Error::invalid("jobId", "a LIFECYCLE job has no schedule")
}

/// The timing of the deployed schedule, or of the configured one if none is deployed.
fn timing(job: &job::Model) -> Result<Timing> {
    let timing = Timing::of(job.id, job.deployed.as_ref().unwrap_or(&job.spec));
    let unreadable = |refused: crate::engine::cron::ParseError| {
        Error::internal(format!("cannot parse a stored schedule: {}", refused.0))
    };
    timing.map_err(unreadable)?.ok_or_else(no_schedule)
}
