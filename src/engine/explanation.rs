//! Explains why a job ran or did not run at a minute.

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use entity::job;
use entity::job_spec::{JobType, Rhythm, Schedule};
use entity::skipped_time::{self, SkipReason};

use super::cron::{Hold, Holds, Keeper, Timing};
use super::schedule_times::{ScheduleTimes, schedule_times};
use super::skip_words::skip_words;
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
    let ExplainedTimes { timing, by_kubernetes, planned, holds } = explained_times(app, job, now).await?;
    let at = at.unwrap_or(now);
    let out_of_range = || Error::invalid("at", "is outside the supported range of dates");
    let from = at.duration_trunc(TimeDelta::minutes(1)).map_err(|_| out_of_range())?;
    let until = from.checked_add_signed(TimeDelta::minutes(1)).ok_or_else(out_of_range)?;
    let mut runs = store::run::list_scheduled_between(&app.db, job.id, (from, until), MOST).await?;
    let skipped = store::run::skipped::list_between(&app.db, job.id, (from, until), MOST).await?;
    let before = from.checked_sub_signed(TimeDelta::microseconds(1)).ok_or_else(out_of_range)?;
    let planned_within = planned.filter(|time| timing.is_none() && (from..until).contains(time));
    let within = timing.as_ref().and_then(|timing| timing.next(before)).filter(|time| *time < until).or(planned_within);
    if let Schedule::Check { grace_seconds, .. } = &job.spec.schedule
        && runs.is_empty()
    {
        // One ping reports about all times whose grace it comes in.
        let until = within.map_or(until, |time| time + TimeDelta::seconds((*grace_seconds).into()));
        runs = store::run::list_created_between(&app.db, job.id, (within.unwrap_or(from), until), 1).await?;
    }
    // A row for a long outage covers many times; it counts only if the schedule has a time in this minute.
    let skipped: Vec<_> = skipped.into_iter().filter(|row| row.scheduled_for >= from || within.is_some()).collect();
    let schedule = DueSchedule { within, planned, holds: &holds, by_kubernetes };
    let (verdict, reason) = verdict(job, (&runs, &skipped), schedule, now);
    let reason = match &timing {
        Some(timing) if timing.is_at_start() && verdict == Verdict::NotDue => {
            "the job runs at each start of the server, and none is recorded in this minute".into()
        }
        _ => reason,
    };
    Ok(Explanation {
        at,
        verdict,
        reason,
        runs,
        skipped,
        previous: timing.as_ref().and_then(|timing| timing.newest(from - TimeDelta::days(366 * 9), before, 1).pop()),
        next: match timing {
            Some(timing) => timing.next(until - TimeDelta::microseconds(1)),
            None => planned.filter(|time| *time >= until),
        },
    })
}

/// The times of a job, as far as they are known in advance.
struct ExplainedTimes {
    /// None for a check with a period.
    timing: Option<Timing>,
    by_kubernetes: bool,
    planned: Option<DateTime<Utc>>,
    holds: Holds,
}

async fn explained_times(app: &App, job: &job::Model, now: DateTime<Utc>) -> Result<ExplainedTimes> {
    if matches!(job.spec.schedule, Schedule::Check { rhythm: Rhythm::Period { .. }, .. }) {
        let planned = store::job_check::by_job(&app.db, job.id).await?.and_then(|check| check.expected_for);
        let (pause, skips) = store::schedule_hold::of_job(&app.db, job.id).await?;
        return Ok(ExplainedTimes {
            timing: None,
            by_kubernetes: false,
            planned,
            holds: Holds { pause, skips, ..Holds::default() },
        });
    }
    let ScheduleTimes { timing, keeper, planned, holds } = schedule_times(app, job, now).await?;
    Ok(ExplainedTimes { timing: Some(timing), by_kubernetes: keeper == Keeper::Kubernetes, planned, holds })
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
        if is_given_up(run, skipped) {
            let why = run.reason.as_deref().unwrap_or_else(|| skip_words(SkipReason::TooLate));
            return (Verdict::Skipped, format!("the job did not run: {why}"));
        }
        let state = match run.state {
            entity::run::RunState::Queued => "is queued",
            entity::run::RunState::Running => "is running",
            entity::run::RunState::Succeeded => "succeeded",
            entity::run::RunState::Failed => "failed",
            entity::run::RunState::Cancelled => "was cancelled",
        };
        let why = run.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let created = if job.job_type == JobType::Check { "reported" } else { "created" };
        return (Verdict::Ran, format!("run {} was {created} for this time and {state}{why}", run.number));
    }
    if let Some(row) = skipped.last() {
        return (Verdict::Skipped, format!("the job did not run: {}", reason_of(row)));
    }
    without_record(job, schedule, now)
}

/// Whether the time of a run was given up at its starting deadline: it has both a run and a row of a skipped time.
fn is_given_up(run: &entity::run::Model, skipped: &[skipped_time::Model]) -> bool {
    let of_run =
        |row: &skipped_time::Model| row.reason == SkipReason::TooLate && run.scheduled_for == Some(row.scheduled_for);
    run.state == entity::run::RunState::Cancelled && run.started_at.is_none() && skipped.iter().any(of_run)
}

/// Why a time was skipped.
#[must_use]
pub fn reason_of(row: &skipped_time::Model) -> String {
    match (row.reason, &row.requested_by) {
        (SkipReason::Paused, Some(by)) => format!("{by} requested that this time is skipped"),
        (SkipReason::Calendar, _) => row.detail.clone().unwrap_or_else(|| skip_words(row.reason).to_owned()),
        (reason, _) => skip_words(reason).to_owned(),
    }
}

fn without_record(job: &job::Model, schedule: DueSchedule<'_>, now: DateTime<Utc>) -> (Verdict, String) {
    let DueSchedule { within, planned, holds, by_kubernetes } = schedule;
    let Some(time) = within else {
        return (Verdict::NotDue, "nothing is scheduled for this minute".into());
    };
    if job.job_type == JobType::Check && time <= now {
        return match planned {
            Some(next) if next <= time => (Verdict::Pending, "the ping is expected, and its grace is not over".into()),
            _ => {
                let text =
                    "there is no record of this time: nothing was expected then, or retention deleted the record";
                (Verdict::Unknown, text.into())
            }
        };
    }
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
