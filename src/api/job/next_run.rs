//! /job/{jobId}/nextRun: the next times of a schedule.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, TimeZone, Utc};
use entity::id::JobId;
use entity::job_spec::{Rhythm, Schedule};
use poem::web::Data;
use poem_openapi::param::{Path, Query};
use poem_openapi::{Enum, Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::pause::PauseResponse;
use super::skipped_time::SkipReasonEnum;
use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::tag::Tag;
use crate::api::wire::{Json, Success, Timestamp, Warnings};
use crate::app::App;
use crate::engine::cron::{Hold, Holds, Keeper};
use crate::engine::definition::NEVER_FIRES;
use crate::engine::limits;
use crate::engine::schedule_times::{ScheduleTimes, draft_times, explanation, no_schedule, schedule_times};
use crate::error::Result;

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct NextRun {
    at: Timestamp,
    local_time: String,
    utc_offset: String,
    /// Why the time will be skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    skip_reason: Option<SkipReasonEnum>,
    /// Which calendar removes the time, and by which entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    skip_detail: Option<String>,
}

impl NextRun {
    pub(super) fn new(at: DateTime<Utc>, zone: &impl TimeZone, holds: &Holds) -> Self {
        let local = at.with_timezone(zone).fixed_offset();
        let (skip_reason, skip_detail) = match holds.of(at) {
            None => (None, None),
            Some(Hold::Pause(_)) => (Some(SkipReasonEnum::Paused), None),
            Some(Hold::Skip(_)) => (Some(SkipReasonEnum::Requested), None),
            Some(Hold::Calendar(why)) => (Some(SkipReasonEnum::Calendar), Some(why)),
        };
        Self {
            at: Timestamp(at),
            local_time: local.to_rfc3339_opts(SecondsFormat::Secs, false),
            utc_offset: local.format("%:z").to_string(),
            skip_reason,
            skip_detail,
        }
    }
}

/// The component that starts the runs of a schedule.
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
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pause: Option<PauseResponse>,
    results: Vec<NextRun>,
    /// Why there are no times.
    explanation: Option<String>,
}

pub(in crate::api) struct NextRunApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl NextRunApi {
    #[oai(path = "/job/:jobId/nextRun", method = "get", operation_id = "listJobNextRuns", tag = Tag::JobRun)]
    async fn list_job_next_runs(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        #[oai(default = "default_next_runs")] count: Query<i32>,
        #[oai(default)] draft: Query<bool>,
        warnings: Data<&Warnings>,
    ) -> Result<Success<NextRunResponseList>> {
        let count = limits::between("count", count.0, 1, 100)?;
        let job = access::job_or_check(&self.0.db, &auth.0, Action::View, JobId(job_id.0)).await?;
        let now = self.0.clock.now();
        let (times, spec) = match (draft.0, &job.deployed) {
            (false, Some(deployed)) => (schedule_times(&self.0, &job, now).await?, deployed),
            (false, None) => (schedule_times(&self.0, &job, now).await?, &job.spec),
            (true, _) => (draft_times(&self.0, &job).await?, &job.spec),
        };
        let ScheduleTimes { timing, keeper, planned, holds } = times;
        let (Schedule::Cron { scheduled_at, timezone, .. }
        | Schedule::Check { rhythm: Rhythm::Cron { scheduled_at, timezone }, .. }) = &spec.schedule
        else {
            return Err(no_schedule());
        };
        if !timing.can_fire() {
            warnings.add(NEVER_FIRES);
        }
        let first = planned.filter(|planned| *planned > now).or_else(|| timing.next(now));
        let times = std::iter::successors(first, |time| timing.next(*time));
        let runs = times.take(usize::try_from(count).unwrap_or(0));
        Ok(Json(NextRunResponseList {
            timezone: timezone.clone(),
            scheduled_at: scheduled_at.clone(),
            active: planned.is_some() || (timing.is_at_start() && !draft.0 && job.deployed.is_some()),
            keeper: match keeper {
                Keeper::Kubernetes => TimeKeeperEnum::Kubernetes,
                Keeper::Server(_) => TimeKeeperEnum::Server,
            },
            keeper_reason: match keeper {
                Keeper::Server(why) => why,
                Keeper::Kubernetes => None,
            },
            jitter_seconds: timing.jitter.num_seconds(),
            results: runs.map(|at| NextRun::new(at, &timing.zone(), &holds)).collect(),
            explanation: explanation(&timing, &holds, now),
            pause: holds.pause.and_then(|pause| PauseResponse::lasting(pause, now)),
        }))
    }
}

pub(super) fn default_next_runs() -> i32 {
    5
}
