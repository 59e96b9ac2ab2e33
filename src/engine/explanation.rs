//! Explains why a job ran or did not run at a minute.

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use entity::job;
use entity::skipped_time::{self, SkipReason};

use super::cron::{Hold, Holds, Keeper};
use super::schedule_times::{ScheduleTimes, schedule_times};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// Maximum rows in the explanation of one minute.
const MOST: u64 = 100;

/// What became of a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Ran,
    Skipped,
    Pending,
    NotDue,
    Unknown,
}

/// Why a job ran or did not run at a minute.
#[derive(Clone, Debug)]
pub struct Explanation {
    pub at: DateTime<Utc>,
    pub verdict: Verdict,
    pub reason: String,
    pub runs: Vec<entity::run::Model>,
    pub skipped: Vec<skipped_time::Model>,
    /// The times of the schedule before and after the minute.
    pub previous: Option<DateTime<Utc>>,
    pub next: Option<DateTime<Utc>>,
}

/// Explains the minute of an instant, or the current one.
///
/// # Errors
/// `Invalid` for a LIFECYCLE job or a date that is out of range; database errors.
pub async fn explain(app: &App, job: &job::Model, at: Option<DateTime<Utc>>) -> Result<Explanation> {
    let now = app.clock.now();
    // Read this before the runs, so that a time that becomes due in between already has its row.
    let ScheduleTimes { timing, keeper, planned, holds } = schedule_times(app, job, now).await?;
    let at = at.unwrap_or(now);
    let out_of_range = || Error::invalid("at", "is outside the supported range of dates");
    let from = at.duration_trunc(TimeDelta::minutes(1)).map_err(|_| out_of_range())?;
    let until = from.checked_add_signed(TimeDelta::minutes(1)).ok_or_else(out_of_range)?;
    let runs = store::run::list_scheduled_between(&app.db, job.id, (from, until), MOST).await?;
    let skipped = store::run::skipped::list_between(&app.db, job.id, (from, until), MOST).await?;
    let before = from.checked_sub_signed(TimeDelta::microseconds(1)).ok_or_else(out_of_range)?;
    let within = timing.next(before).filter(|time| *time < until);
    // A row for a long outage covers many times; it counts only if the schedule has a time in this minute.
    let skipped: Vec<_> = skipped.into_iter().filter(|row| row.scheduled_for >= from || within.is_some()).collect();
    let schedule = DueSchedule { within, planned, holds: &holds, by_kubernetes: keeper == Keeper::Kubernetes };
    let (verdict, reason) = verdict(job, (&runs, &skipped), schedule, now);
    Ok(Explanation {
        at,
        verdict,
        reason,
        runs,
        skipped,
        previous: timing.newest(from - TimeDelta::days(366 * 9), before, 1).pop(),
        next: timing.next(until - TimeDelta::microseconds(1)),
    })
}

/// What is known about the schedule at the explained minute.
struct DueSchedule<'a> {
    /// The time of the schedule in this minute.
    within: Option<DateTime<Utc>>,
    /// The next time that will be started; none if the schedule is not deployed.
    planned: Option<DateTime<Utc>>,
    holds: &'a Holds,
    by_kubernetes: bool,
}

fn verdict(
    job: &job::Model,
    (runs, skipped): (&[entity::run::Model], &[skipped_time::Model]),
    schedule: DueSchedule<'_>,
    now: DateTime<Utc>,
) -> (Verdict, String) {
    if let Some(run) = runs.last() {
        let state = match run.state {
            entity::run::RunState::Queued => "is queued",
            entity::run::RunState::Running => "is running",
            entity::run::RunState::Succeeded => "succeeded",
            entity::run::RunState::Failed => "failed",
            entity::run::RunState::Cancelled => "was cancelled",
        };
        let why = run.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        return (Verdict::Ran, format!("run {} was created for this time and {state}{why}", run.number));
    }
    if let Some(row) = skipped.last() {
        return (Verdict::Skipped, format!("the job did not run: {}", reason_of(row)));
    }
    without_record(job, schedule, now)
}

/// Why a time was skipped.
#[must_use]
pub fn reason_of(row: &skipped_time::Model) -> String {
    let why = match row.reason {
        SkipReason::Overlap => {
            "an earlier run of this schedule had not finished, and the concurrency policy does not allow another one"
        }
        SkipReason::Missed => "no server started the run in time, and the catch-up policy does not cover this time",
        SkipReason::Paused => match &row.requested_by {
            Some(by) => return format!("{by} requested that this time is skipped"),
            None => "the schedule was paused or suspended",
        },
        SkipReason::TooLate => "the starting deadline had passed",
        SkipReason::Calendar => match &row.detail {
            Some(detail) => return detail.clone(),
            None => "calendars removed all times of this span from the schedule",
        },
    };
    why.to_owned()
}

fn without_record(job: &job::Model, schedule: DueSchedule<'_>, now: DateTime<Utc>) -> (Verdict, String) {
    let DueSchedule { within, planned, holds, by_kubernetes } = schedule;
    let Some(time) = within else {
        return (Verdict::NotDue, "nothing is scheduled for this minute".into());
    };
    match planned {
        None => (Verdict::NotDue, "the schedule is not deployed, so the job does not run".into()),
        Some(next) if next <= time && time <= now => {
            (Verdict::Pending, "the time is due, and its run is about to be created".into())
        }
        Some(next) if time > now && time < next => {
            (Verdict::NotDue, format!("nothing starts at this time: the next planned time is {}", next.to_rfc3339()))
        }
        Some(_) if time > now => {
            let skipped = match holds.of(time) {
                Some(Hold::Pause(pause)) => {
                    format!(", and will be skipped: {} paused the schedule", pause.requested_by)
                }
                Some(Hold::Skip(skip)) => format!(", and will be skipped: {} requested it", skip.requested_by),
                Some(Hold::Calendar(why)) => format!(", and will be skipped: {why}"),
                None => String::new(),
            };
            (Verdict::Pending, format!("the time is in the future{skipped}"))
        }
        Some(_) if job.deployed_at.is_some_and(|at| time <= at) => {
            let text = "there is no record of this time: the current configuration was deployed later";
            (Verdict::Unknown, text.into())
        }
        Some(_) if by_kubernetes => {
            let text = "there is no record of this time: Kubernetes runs this schedule, and no Job for the time was \
                        seen. Either the CronJob skipped it, or the Job was deleted before it was recorded, or \
                        retention deleted the record";
            (Verdict::Unknown, text.into())
        }
        Some(_) => {
            let text =
                "there is no record of this time: the schedule was not deployed then, or retention deleted the record";
            (Verdict::Unknown, text.into())
        }
    }
}
