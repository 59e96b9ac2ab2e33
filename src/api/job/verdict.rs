//! The verdict of an explanation, with its reason.

use chrono::{DateTime, Utc};
use entity::job;
use entity::skipped_time::{self, SkipReason};
use poem_openapi::Enum;
use serde::{Deserialize, Serialize};

use crate::engine::cron::{Hold, Holds};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum VerdictEnum {
    Ran,
    Skipped,
    Pending,
    NotDue,
    Unknown,
}

/// What is known about the schedule at the explained minute.
pub(super) struct DueSchedule<'a> {
    /// The time of the schedule in this minute.
    pub(super) within: Option<DateTime<Utc>>,
    /// The next time that will be started; none if the schedule is not deployed.
    pub(super) planned: Option<DateTime<Utc>>,
    pub(super) holds: &'a Holds,
    pub(super) by_kubernetes: bool,
}

pub(super) fn explain_verdict(
    job: &job::Model,
    (runs, skipped): (&[entity::run::Model], &[skipped_time::Model]),
    schedule: DueSchedule<'_>,
    now: DateTime<Utc>,
) -> (VerdictEnum, String) {
    if let Some(run) = runs.last() {
        let state = match run.state {
            entity::run::RunState::Queued => "is queued",
            entity::run::RunState::Running => "is running",
            entity::run::RunState::Succeeded => "succeeded",
            entity::run::RunState::Failed => "failed",
            entity::run::RunState::Cancelled => "was cancelled",
        };
        let why = run.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        return (VerdictEnum::Ran, format!("run {} was created for this time and {state}{why}", run.number));
    }
    if let Some(row) = skipped.last() {
        return (VerdictEnum::Skipped, format!("the job did not run: {}", reason_of(row)));
    }
    without_record(job, schedule, now)
}

fn reason_of(row: &skipped_time::Model) -> String {
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
    };
    why.to_owned()
}

fn without_record(job: &job::Model, schedule: DueSchedule<'_>, now: DateTime<Utc>) -> (VerdictEnum, String) {
    let DueSchedule { within, planned, holds, by_kubernetes } = schedule;
    let Some(time) = within else {
        return (VerdictEnum::NotDue, "nothing is scheduled for this minute".into());
    };
    match planned {
        None => (VerdictEnum::NotDue, "the schedule is not deployed, so the job does not run".into()),
        Some(next) if next <= time && time <= now => {
            (VerdictEnum::Pending, "the time is due, and its run is about to be created".into())
        }
        Some(next) if time > now && time < next => (
            VerdictEnum::NotDue,
            format!("nothing starts at this time: the next planned time is {}", next.to_rfc3339()),
        ),
        Some(_) if time > now => {
            let skipped = match holds.of(time) {
                Some(Hold::Pause(pause)) => {
                    format!(", and will be skipped: {} paused the schedule", pause.requested_by)
                }
                Some(Hold::Skip(skip)) => format!(", and will be skipped: {} requested it", skip.requested_by),
                None => String::new(),
            };
            (VerdictEnum::Pending, format!("the time is in the future{skipped}"))
        }
        Some(_) if job.deployed_at.is_some_and(|at| time <= at) => {
            let text = "there is no record of this time: the current configuration was deployed later";
            (VerdictEnum::Unknown, text.into())
        }
        Some(_) if by_kubernetes => {
            let text = "there is no record of this time: Kubernetes runs this schedule, and no Job for the time was \
                        seen. Either the CronJob skipped it, or the Job was deleted before it was recorded, or \
                        retention deleted the record";
            (VerdictEnum::Unknown, text.into())
        }
        Some(_) => {
            let text =
                "there is no record of this time: the schedule was not deployed then, or retention deleted the record";
            (VerdictEnum::Unknown, text.into())
        }
    }
}
