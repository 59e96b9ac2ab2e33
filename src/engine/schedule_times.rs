//! The times of a job's schedule, which component starts its runs, and what holds them back.

use chrono::{DateTime, Utc};
use entity::cluster::ClusterKind;
use entity::job;
use entity::job_spec::{JobSpec, JobType};

use super::calendars_of_jobs::calendars_of_job;
use super::cron::{
    Holds, KUBERNETES_CLOCK_CHANGES, Keeper, ParseError, StoredSchedule, Timing, keeper, keeper_of_deployed,
};
use super::definition::{AT_START, NEVER_FIRES};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// The times of a schedule.
pub struct ScheduleTimes {
    pub timing: Timing,
    /// Which component starts its runs.
    pub keeper: Keeper,
    /// The next time that it will start; none if the schedule is not deployed.
    pub planned: Option<DateTime<Utc>>,
    pub holds: Holds,
}

/// The times of the deployed schedule, or of the configured one if none is deployed.
///
/// # Errors
/// `Invalid` for a LIFECYCLE job, or a check with a period; database errors.
pub async fn schedule_times(app: &App, job: &job::Model, now: DateTime<Utc>) -> Result<ScheduleTimes> {
    let timing = timing(job, job.deployed.as_ref().unwrap_or(&job.spec))?;
    let kind = cluster_kind(app, job).await?;
    let stored = match job.job_type {
        JobType::Check => store::job_check::by_job(&app.db, job.id).await?.and_then(|check| check.expected_for),
        JobType::Cron | JobType::Lifecycle => store::job_schedule::of_job(&app.db, job.id).await?,
    };
    let keeper = match &job.deployed {
        Some(spec) => {
            let facts = StoredSchedule { planned: stored.is_some(), applied: job.applied.is_some() };
            keeper_of_deployed(kind, spec, facts)
        }
        None => keeper(kind, &job.spec),
    };
    let (pause, skips) = store::schedule_hold::of_job(&app.db, job.id).await?;
    let calendars = calendars_of_job(&app.db, job.id, job.deployed.as_ref().unwrap_or(&job.spec)).await?;
    let holds = Holds { pause, skips, calendars };
    let keeper = keeper.unwrap_or(Keeper::Server(None));
    let timing = by_rules_of(&keeper, timing);
    let planned = match keeper {
        Keeper::Server(_) => stored,
        Keeper::Kubernetes => job.deployed.as_ref().and_then(|_| timing.next(now)),
    };
    Ok(ScheduleTimes { timing, keeper, planned, holds })
}

/// The times of the configured schedule, as if it were deployed.
///
/// # Errors
/// `Invalid` for a LIFECYCLE job; database errors.
pub async fn draft_times(app: &App, job: &job::Model) -> Result<ScheduleTimes> {
    let keeper = keeper(cluster_kind(app, job).await?, &job.spec).unwrap_or(Keeper::Server(None));
    let timing = by_rules_of(&keeper, timing(job, &job.spec)?);
    let calendars = calendars_of_job(&app.db, job.id, &job.spec).await?;
    Ok(ScheduleTimes { timing, keeper, planned: None, holds: Holds { calendars, ..Holds::default() } })
}

async fn cluster_kind(app: &App, job: &job::Model) -> Result<ClusterKind> {
    let cluster = store::cluster_objects::cluster_of_job(&app.db, job.id).await?;
    Ok(cluster.map_or(ClusterKind::Local, |(_, kind)| kind))
}

fn by_rules_of(keeper: &Keeper, timing: Timing) -> Timing {
    match keeper {
        Keeper::Kubernetes => timing.with_clock_changes(KUBERNETES_CLOCK_CHANGES),
        Keeper::Server(_) => timing,
    }
}

/// How many times are examined for one that calendars leave.
const MOST_REMOVED: usize = 10_000;

/// The explanation of times of which none runs.
#[must_use]
pub fn explanation(timing: &Timing, holds: &Holds, now: DateTime<Utc>) -> Option<String> {
    if !timing.can_fire() {
        return Some(NEVER_FIRES.to_owned());
    }
    if timing.is_at_start() {
        return Some(AT_START.to_owned());
    }
    if holds.calendars.is_empty() {
        return None;
    }
    let mut times = std::iter::successors(timing.next(now), |time| timing.next(*time)).take(MOST_REMOVED);
    let none_is_left = times.all(|time| holds.calendars.removal(time).is_some());
    none_is_left.then(|| format!("calendars remove each of the next {MOST_REMOVED} times of the schedule"))
}

/// What a LIFECYCLE job is answered.
#[must_use]
pub fn no_schedule() -> Error {
    Error::invalid("jobId", "a LIFECYCLE job has no schedule")
}

/// What is answered about a job whose times are not known in advance.
fn no_times(job_type: JobType) -> Error {
    match job_type {
        JobType::Check => {
            Error::invalid("jobId", "a check with a period has no fixed times: it is counted from the last ping")
        }
        JobType::Cron | JobType::Lifecycle => no_schedule(),
    }
}

fn timing(job: &job::Model, spec: &JobSpec) -> Result<Timing> {
    let unreadable = |refused: ParseError| Error::internal(format!("cannot parse a stored schedule: {}", refused.0));
    Timing::of(job.id, spec).map_err(unreadable)?.ok_or_else(|| no_times(job.job_type))
}
