//! /job/{jobId}/nextRun, /explain and /skippedTime: what comes next, and why something ran or did not.

use std::sync::Arc;

use chrono::{DateTime, DurationRound as _, SecondsFormat, TimeDelta, Utc};
use entity::id::JobId;
use entity::job;
use entity::job_spec::Schedule;
use entity::skipped_time::{self, SkipReason};
use poem_openapi::param::{Path, Query};
use poem_openapi::{Enum, Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::Tag;
use super::super::caller::Auth;
use super::super::limits;
use super::super::wire::{self, Answer, Found, Results, Timestamp};
use super::run::Run;
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::cron::keeper::{KUBERNETES_TURNS, Keeper, keeper};
use crate::engine::cron::policy::Timing;
use crate::error::{Error, Result};
use crate::store;

/// The most rows of one minute that are answered.
const MOST: u64 = 100;

#[derive(Debug, Serialize, Deserialize, Object)]
struct NextRun {
    at: Timestamp,
    local_time: String,
    utc_offset: String,
}

/// Who keeps the time of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum TimeKeeperEnum {
    Server,
    Kubernetes,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct NextRunResponseList {
    timezone: String,
    scheduled_at: String,
    active: bool,
    keeper: TimeKeeperEnum,
    keeper_reason: Option<String>,
    jitter_seconds: i64,
    results: Vec<NextRun>,
}

wire::mirrored!(SkipReasonEnum of SkipReason { Overlap, Missed, Paused, TooLate });

#[derive(Debug, Serialize, Deserialize, Object)]
struct SkippedTime {
    scheduled_for: Timestamp,
    through: Timestamp,
    reason: SkipReasonEnum,
    recorded_at: Timestamp,
}

impl From<skipped_time::Model> for SkippedTime {
    fn from(row: skipped_time::Model) -> Self {
        let skipped_time::Model { job_id: _, scheduled_for, through, reason, recorded_at } = row;
        Self {
            scheduled_for: Timestamp(scheduled_for),
            through: Timestamp(through),
            reason: reason.into(),
            recorded_at: Timestamp(recorded_at),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum VerdictEnum {
    Ran,
    Skipped,
    Pending,
    NotDue,
    Unknown,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct Explanation {
    at: Timestamp,
    verdict: VerdictEnum,
    reason: String,
    runs: Vec<Run>,
    skipped: Vec<SkippedTime>,
    previous: Option<Timestamp>,
    next: Option<Timestamp>,
}

/// The handlers.
pub(in super::super) struct ExplainApi(pub(in super::super) Arc<App>);

#[OpenApi]
impl ExplainApi {
    #[oai(path = "/job/:jobId/nextRun", method = "get", operation_id = "listJobNextRuns", tag = Tag::JobRun)]
    async fn list_job_next_runs(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        #[oai(default = "default_next_runs")] count: Query<i32>,
    ) -> Result<Found<NextRunResponseList>> {
        let count = limits::between("count", count.0, 1, 100)?;
        let job = access::job_row(&self.0.db, &auth.0, Action::View, JobId(job_id.0)).await?;
        let Kept { timing, keeper } = self.kept(&job).await?;
        let Schedule::Cron { scheduled_at, timezone, .. } = &job.deployed.as_ref().unwrap_or(&job.spec).schedule else {
            return Err(no_times());
        };
        Ok(Answer(NextRunResponseList {
            timezone: timezone.clone(),
            scheduled_at: scheduled_at.clone(),
            active: match keeper {
                Keeper::Kubernetes => job.deployed.is_some(),
                Keeper::Server(_) => store::job_schedule::of_job(&self.0.db, job.id).await?.is_some(),
            },
            keeper: match keeper {
                Keeper::Kubernetes => TimeKeeperEnum::Kubernetes,
                Keeper::Server(_) => TimeKeeperEnum::Server,
            },
            keeper_reason: match keeper {
                Keeper::Server(Some(why)) => Some(format!("a CronJob of Kubernetes has nothing like {why}")),
                Keeper::Server(None) | Keeper::Kubernetes => None,
            },
            jitter_seconds: timing.jitter.num_seconds(),
            results: next_runs(&timing, self.0.clock.now(), count),
        }))
    }

    #[oai(path = "/job/:jobId/explain", method = "get", operation_id = "explainJob", tag = Tag::JobRun)]
    async fn explain_job(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        at: Query<Option<DateTime<Utc>>>,
    ) -> Result<Found<Explanation>> {
        let job = access::job_row(&self.0.db, &auth.0, Action::View, JobId(job_id.0)).await?;
        let Kept { timing, keeper } = self.kept(&job).await?;
        let now = self.0.clock.now();
        let at = at.0.unwrap_or(now);
        let out_of_range = || Error::invalid("at", "is out of the range of the calendar");
        let from = at.duration_trunc(TimeDelta::minutes(1)).map_err(|_| out_of_range())?;
        let until = from.checked_add_signed(TimeDelta::minutes(1)).ok_or_else(out_of_range)?;
        // First: a time that is taken meanwhile has its row then.
        let planned = match keeper {
            Keeper::Server(_) => store::job_schedule::of_job(&self.0.db, job.id).await?,
            Keeper::Kubernetes => job.deployed.as_ref().and_then(|_| timing.next(now)),
        };
        let runs = store::run::list_scheduled_between(&self.0.db, job.id, (from, until), MOST).await?;
        let skipped = store::run::skipped::list_between(&self.0.db, job.id, (from, until), MOST).await?;
        let before = from.checked_sub_signed(TimeDelta::microseconds(1)).ok_or_else(out_of_range)?;
        let within = timing.next(before).filter(|time| *time < until);
        // A row of a long absence covers times only; what is none of them was not left out.
        let skipped: Vec<_> = skipped.into_iter().filter(|row| row.scheduled_for >= from || within.is_some()).collect();
        let (verdict, reason) = judge(&job, (&runs, &skipped), (within, planned), keeper == Keeper::Kubernetes, now);
        Ok(Answer(Explanation {
            at: Timestamp(at),
            verdict,
            reason,
            runs: runs.into_iter().map(Run::from).collect(),
            skipped: skipped.into_iter().map(SkippedTime::from).collect(),
            previous: timing.newest(from - TimeDelta::days(366 * 9), before, 1).pop().map(Timestamp),
            next: timing.next(until - TimeDelta::microseconds(1)).map(Timestamp),
        }))
    }

    #[oai(path = "/job/:jobId/skippedTime", method = "get", operation_id = "listJobSkippedTimes", tag = Tag::JobRun)]
    async fn list_job_skipped_times(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        #[oai(default = "default_times")] count: Query<i32>,
        before: Query<Option<DateTime<Utc>>>,
    ) -> Result<Found<Results<SkippedTime>>> {
        let count = limits::between("count", count.0, 1, 200)?;
        let job = access::job_row(&self.0.db, &auth.0, Action::View, JobId(job_id.0)).await?;
        let rows =
            store::run::skipped::list_newest(&self.0.db, job.id, before.0, u64::from(count.unsigned_abs())).await?;
        Ok(Answer(Results { results: rows.into_iter().map(SkippedTime::from).collect() }))
    }
}

/// The times of a job, and who keeps them.
struct Kept {
    timing: Timing,
    keeper: Keeper,
}

impl ExplainApi {
    async fn kept(&self, job: &job::Model) -> Result<Kept> {
        let timing = timing(job)?;
        let cluster = store::cluster_objects::cluster_of_job(&self.0.db, job.id).await?;
        let spec = job.deployed.as_ref().unwrap_or(&job.spec);
        let keeper = cluster.and_then(|(_, kind)| keeper(kind, spec)).unwrap_or(Keeper::Server(None));
        let timing = if keeper == Keeper::Kubernetes { timing.turning(KUBERNETES_TURNS) } else { timing };
        Ok(Kept { timing, keeper })
    }
}

fn default_next_runs() -> i32 {
    5
}

fn default_times() -> i32 {
    50
}

fn no_times() -> Error {
    Error::invalid("jobId", "a LIFECYCLE job has no schedule")
}

/// The times of the deployed schedule, or of the configured one where none is deployed.
fn timing(job: &job::Model) -> Result<Timing> {
    let timing = Timing::of(job.id, job.deployed.as_ref().unwrap_or(&job.spec));
    let unreadable = |refused: crate::engine::cron::expression::Refused| {
        Error::internal(format!("a stored schedule cannot be read: {}", refused.0))
    };
    timing.map_err(unreadable)?.ok_or_else(no_times)
}

fn next_runs(timing: &Timing, now: DateTime<Utc>, count: i32) -> Vec<NextRun> {
    let times = std::iter::successors(timing.next(now), |time| timing.next(*time));
    let runs = times.take(usize::try_from(count).unwrap_or(0)).map(|at| {
        let local = at.with_timezone(&timing.zone());
        NextRun {
            at: Timestamp(at),
            local_time: local.to_rfc3339_opts(SecondsFormat::Secs, false),
            utc_offset: local.format("%:z").to_string(),
        }
    });
    runs.collect()
}

fn judge(
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
