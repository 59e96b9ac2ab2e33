//! Pauses the schedule of a job, and skips single times, without a deployment.
//!
//! A schedule that Kubernetes runs is taken over by this server (`tick/takeover`).

use chrono::{DateTime, Utc};
use entity::job;
use entity::job_spec::{JobType, Rhythm, Schedule};
use entity::{schedule_pause, schedule_skip};
use sea_orm::DatabaseTransaction;
use serde_json::json;

use super::announce::{self, Announcement};
use super::calendars_of_jobs::calendars_of_job;
use super::command;
use super::cron::{Holds, Timing};
use super::job_check;
use super::requester::Requester;
use super::tick::schedules::settle;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// A change of what holds a schedule back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldChange {
    /// No time runs before `until`, or until the schedule is resumed.
    Pause { until: Option<DateTime<Utc>> },
    /// Ends the pause, and withdraws the times to skip.
    Resume,
    /// One time does not run.
    Skip { at: DateTime<Utc> },
}

/// Changes what holds the schedule of a job back, and returns the result.
///
/// # Errors
/// `Invalid` for a LIFECYCLE job or an impossible time; `Conflict` while the job is being deleted.
pub async fn hold(app: &App, by: &Requester, job: &job::Model, change: HoldChange) -> Result<Holds> {
    let now = app.clock.now();
    if matches!(job.spec.schedule, Schedule::Lifecycle { .. }) {
        return Err(Error::invalid("jobId", "a LIFECYCLE job has no schedule"));
    }
    let holds = store::write(&app.db, async |tx| {
        let environment = command::lock_for_addition(tx, job.environment_id).await?;
        command::refuse_while_job_is_deleted(tx, job).await?;
        // Read again under the lock.
        let job = store::job::by_id(tx, job.id).await?.ok_or(Error::NotFound("job"))?;
        // Times that are due belong to the state before the change.
        if job.job_type == JobType::Check {
            job_check::settle(app, tx, job.id, now).await?;
            if change == HoldChange::Resume {
                job_check::release(app, tx, job.id, now).await?;
            }
        } else {
            settle(app, tx, job.id, now).await?;
        }
        let after = apply(tx, by, &job, change, now).await?;
        announce::event(tx, Announcement::job("UPDATE", &environment, &job).after(after), by, now).await?;
        let (pause, skips) = store::schedule_hold::of_job(tx, job.id).await?;
        let calendars = calendars_of_job(tx, job.id, job.deployed.as_ref().unwrap_or(&job.spec)).await?;
        Ok::<_, Error>(Holds { pause, skips, calendars })
    })
    .await?;
    app.wake.now();
    Ok(holds)
}

/// Stores a change; returns its description for the event.
async fn apply(
    tx: &DatabaseTransaction,
    by: &Requester,
    job: &job::Model,
    change: HoldChange,
    now: DateTime<Utc>,
) -> Result<serde_json::Value> {
    let requested_by = by.name.clone();
    match change {
        HoldChange::Pause { until } => {
            if until.is_some_and(|until| until <= now) {
                return Err(Error::invalid("until", "must be in the future"));
            }
            let (old, _) = store::schedule_hold::of_job(tx, job.id).await?;
            let lasting = old.filter(|old| old.until.is_none_or(|until| until > now));
            let paused_at = lasting.map_or(now, |old| old.paused_at);
            let row = schedule_pause::Model { job_id: job.id, paused_at, until, requested_by };
            store::schedule_hold::pause(tx, row).await?;
            Ok(json!({"schedule": {"paused": true, "until": until}}))
        }
        HoldChange::Resume => {
            store::schedule_hold::end(tx, job.id).await?;
            Ok(json!({"schedule": {"paused": false}}))
        }
        HoldChange::Skip { at } => {
            check_time(job, at, now)?;
            if store::schedule_hold::count_skips(tx, job.id).await? >= store::schedule_hold::MOST_SKIPS {
                let most = store::schedule_hold::MOST_SKIPS;
                return Err(Error::Conflict(format!("at most {most} times of a schedule can be skipped in advance")));
            }
            let row = schedule_skip::Model { job_id: job.id, scheduled_for: at, requested_at: now, requested_by };
            store::schedule_hold::skip(tx, row).await?;
            Ok(json!({"schedule": {"skip": at}}))
        }
    }
}

/// Only a future time of the schedule can be skipped: of the deployed one, if one is deployed.
fn check_time(job: &job::Model, at: DateTime<Utc>, now: DateTime<Utc>) -> Result<()> {
    if matches!(job.spec.schedule, Schedule::Check { rhythm: Rhythm::Period { .. }, .. }) {
        let text = "a check with a period has no fixed times that could be skipped; pause it instead";
        return Err(Error::invalid("at", text));
    }
    let timing = Timing::of(job.id, job.deployed.as_ref().unwrap_or(&job.spec)).ok().flatten();
    let timing = timing.ok_or_else(|| Error::Conflict("the schedule cannot be parsed".into()))?;
    if at <= now {
        return Err(Error::invalid("at", "must be in the future"));
    }
    if timing.is_due(at) {
        return Ok(());
    }
    let next = timing.next(at).map(|next| format!("; the next one is {}", next.to_rfc3339())).unwrap_or_default();
    Err(Error::invalid("at", format!("is not a time of the schedule{next}")))
}
