//! Why a job ran at a time, or did not.

use chrono::{DateTime, Utc};
use entity::job;
use entity::skipped_time::{self, SkipReason};
use poem_openapi::Enum;
use serde::{Deserialize, Serialize};

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

pub(super) fn judge(
    job: &job::Model,
    (runs, skipped): (&[entity::run::Model], &[skipped_time::Model]),
    (within, planned): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    by_kubernetes: bool,
    now: DateTime<Utc>,
) -> (VerdictEnum, String) {
    if let Some(run) = runs.last() {
        let state = match run.state {
            entity::run::RunState::Queued => "waits to be started",
            entity::run::RunState::Running => "is running",
            entity::run::RunState::Succeeded => "has succeeded",
            entity::run::RunState::Failed => "has failed",
            entity::run::RunState::Cancelled => "was cancelled",
        };
        let why = run.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        return (VerdictEnum::Ran, format!("run {} is for this time; it {state}{why}", run.number));
    }
    if let Some(row) = skipped.last() {
        let why = match row.reason {
            SkipReason::Overlap => "a run of the schedule was still open, and the job does not run beside or behind it",
            SkipReason::Missed => "nobody took it when it came, and it was not to be made up for",
            SkipReason::Paused => "the schedule was suspended",
            SkipReason::TooLate => "it was found after its starting deadline",
        };
        return (VerdictEnum::Skipped, format!("it was not run: {why}"));
    }
    let Some(time) = within else {
        return (VerdictEnum::NotDue, "the schedule has no time in this minute".into());
    };
    match planned {
        None => (VerdictEnum::NotDue, "the schedule is not deployed, so its times are not run".into()),
        Some(next) if next <= time && time <= now => {
            (VerdictEnum::Pending, "it has come, and is about to be taken".into())
        }
        Some(_) if time > now => (VerdictEnum::Pending, "it has not come yet".into()),
        Some(_) if job.deployed_at.is_some_and(|at| time <= at) => {
            let text = "there is no record of it: what is deployed now was deployed after it had come";
            (VerdictEnum::Unknown, text.into())
        }
        Some(_) if by_kubernetes => {
            let text = "Kubernetes keeps the time of this job, and no Job for it was seen: it was left out by the rules of \
                        the CronJob, or was deleted before it was recorded, or the record was deleted for its age";
            (VerdictEnum::Unknown, text.into())
        }
        Some(_) => {
            let text =
                "there is no record of it: this schedule was not deployed then, or the record was deleted for its age";
            (VerdictEnum::Unknown, text.into())
        }
    }
}
