//! Runs the past times of a schedule that have no run, one after the other.

use chrono::{DateTime, TimeDelta, Utc};
use entity::job;
use entity::run::{self, Event, Trigger};
use uuid::Uuid;

use super::announce::{self, Announcement};
use super::command;
use super::cron::Timing;
use super::deployment::run_spec;
use super::requester::Requester;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// The result of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backfill {
    pub id: Uuid,
    /// How many runs were queued.
    pub queued: u64,
    /// How many of the times already have a run.
    pub refused: usize,
    /// Whether the span has more times than the limit.
    pub more: bool,
}

/// Queues runs for the times in `from..until` of the schedule, deployed or else configured, at most `limit` of them, oldest first.
///
/// # Errors
/// `Invalid` for a LIFECYCLE job or an impossible span; `Conflict` if its image was never built, all of its
/// times have a run, or the job is being deleted.
pub async fn backfill(
    app: &App,
    by: &Requester,
    job: &job::Model,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    limit: usize,
) -> Result<Backfill> {
    let now = app.clock.now();
    check_span((from, until), now)?;
    let (times, more) = times(job, (from, until), limit)?;
    let id = Uuid::now_v7();
    let (queued, refused) = store::write(&app.db, async |tx| {
        let environment = command::lock_for_addition(tx, job.environment_id).await?;
        command::refuse_while_job_is_deleted(tx, job).await?;
        let taken = store::run::list_scheduled_times(tx, job.id, times.clone()).await?;
        let free: Vec<_> = times.iter().copied().filter(|time| !taken.contains(time)).collect();
        if free.is_empty() {
            return Err(Error::Conflict("every time of the schedule in this span already has a run".into()));
        }
        let rows = free.iter().map(|time| row(job, id, *time, now)).collect::<Result<_>>()?;
        store::run::skipped::forget(tx, job.id, free).await?;
        let queued = store::run::create(tx, rows).await?;
        let after = serde_json::json!({"backfill": {"id": id, "from": from, "until": until, "runs": queued}});
        let announcement = Announcement::job("TRIGGER_FORCE_RUN", &environment, job).after(after);
        announce::event(tx, announcement, by, now).await?;
        Ok((queued, taken.len()))
    })
    .await?;
    app.wake.now();
    Ok(Backfill { id, queued, refused, more })
}

/// The most times of one backfill.
pub const MOST: i32 = 1000;

/// What a backfill would run.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The times that would run.
    pub free: Vec<DateTime<Utc>>,
    /// How many times already have a run.
    pub taken: usize,
    /// Whether the span has more times than the limit.
    pub more: bool,
}

/// What `backfill` would run.
///
/// # Errors
/// `Invalid` for a LIFECYCLE job or an impossible span; database errors.
pub async fn planned(
    app: &App,
    job: &job::Model,
    span: (DateTime<Utc>, DateTime<Utc>),
    limit: usize,
) -> Result<Planned> {
    check_span(span, app.clock.now())?;
    let (times, more) = times(job, span, limit)?;
    let taken = store::run::list_scheduled_times(&app.db, job.id, times.clone()).await?;
    let free: Vec<_> = times.iter().copied().filter(|time| !taken.contains(time)).collect();
    Ok(Planned { taken: times.len() - free.len(), free, more })
}

fn check_span((from, until): (DateTime<Utc>, DateTime<Utc>), now: DateTime<Utc>) -> Result<()> {
    if until > now {
        return Err(Error::invalid("until", "must not be in the future"));
    }
    if from >= until {
        return Err(Error::invalid("until", "must be after from"));
    }
    Ok(())
}

/// The first times of the schedule in a span, and whether there are more.
fn times(
    job: &job::Model,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    limit: usize,
) -> Result<(Vec<DateTime<Utc>>, bool)> {
    let spec = job.deployed.as_ref().unwrap_or(&job.spec);
    let timing = Timing::of(job.id, spec).map_err(|_| Error::Conflict("the schedule cannot be parsed".into()))?;
    let timing = timing.ok_or_else(|| Error::invalid("jobId", "a LIFECYCLE job has no schedule"))?;
    let before = from.checked_sub_signed(TimeDelta::microseconds(1));
    let first = before.and_then(|before| timing.next(before));
    let all = std::iter::successors(first, |time| timing.next(*time)).take_while(|time| *time < until);
    let mut times: Vec<_> = all.take(limit.saturating_add(1)).collect();
    let more = times.len() > limit;
    times.truncate(limit);
    if times.is_empty() {
        return Err(Error::invalid("from", "the schedule has no time between from and until"));
    }
    Ok((times, more))
}

fn row(job: &job::Model, backfill: Uuid, scheduled_for: DateTime<Utc>, now: DateTime<Utc>) -> Result<run::Model> {
    let spec = job.deployed.as_ref().unwrap_or(&job.spec);
    let from_git = spec.source.is_built();
    let mut spec = run_spec(spec, job.built.as_ref(), Event::Cron)
        .ok_or_else(|| Error::invalid("jobId", "a LIFECYCLE job has no schedule"))?;
    if from_git && spec.built_image.is_none() {
        return Err(Error::Conflict("the image of the job was never built; deploy the job to build it".into()));
    }
    // All of these times are long past.
    spec.starting_deadline_seconds = None;
    Ok(run::Model {
        trigger: Trigger::Schedule,
        scheduled_for: Some(scheduled_for),
        in_turn: true,
        backfill_id: Some(backfill),
        ..run::Model::queued(job.id, Event::Cron, spec, now)
    })
}

/// Requests the cancellation of all open runs of a backfill, and returns their number.
///
/// # Errors
/// `NotFound` if the job has no such backfill.
pub async fn cancel(app: &App, by: &Requester, job: &job::Model, id: Uuid) -> Result<u64> {
    let now = app.clock.now();
    let cancelled = store::write(&app.db, async |tx| {
        let environment = command::lock_for_addition(tx, job.environment_id).await?;
        if !store::run::has_backfill(tx, job.id, id).await? {
            return Err(Error::NotFound("backfill"));
        }
        let cancelled = store::run::cancel::request_cancel_of_backfill(tx, job.id, id, now).await?;
        if cancelled > 0 {
            announce::event(tx, Announcement::job("TRIGGER_CANCEL", &environment, job), by, now).await?;
        }
        Ok(cancelled)
    })
    .await?;
    app.wake.now();
    Ok(cancelled)
}
