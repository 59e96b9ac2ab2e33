//! /job/{jobId}/nextRun: the next times of a schedule.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use entity::id::JobId;
use entity::job_spec::Schedule;
use poem_openapi::param::{Path, Query};
use poem_openapi::{Enum, Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::schedule_times::{ScheduleTimes, no_schedule, schedule_times};
use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::wire::{Json, Success, Timestamp};
use crate::api::{limits, tag::Tag};
use crate::app::App;
use crate::engine::cron::Keeper;
use crate::engine::cron::Timing;
use crate::error::Result;
use crate::store;

#[derive(Debug, Serialize, Deserialize, Object)]
struct NextRun {
    at: Timestamp,
    local_time: String,
    utc_offset: String,
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
    results: Vec<NextRun>,
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
    ) -> Result<Success<NextRunResponseList>> {
        let count = limits::between("count", count.0, 1, 100)?;
        let job = access::job_row(&self.0.db, &auth.0, Action::View, JobId(job_id.0)).await?;
        let ScheduleTimes { timing, keeper } = schedule_times(&self.0, &job).await?;
        let Schedule::Cron { scheduled_at, timezone, .. } = &job.deployed.as_ref().unwrap_or(&job.spec).schedule else {
            return Err(no_schedule());
        };
        Ok(Json(NextRunResponseList {
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
                Keeper::Server(Some(why)) => Some(format!("a Kubernetes CronJob does not support {why}")),
                Keeper::Server(None) | Keeper::Kubernetes => None,
            },
            jitter_seconds: timing.jitter.num_seconds(),
            results: next_runs(&timing, self.0.clock.now(), count),
        }))
    }
}

fn default_next_runs() -> i32 {
    5
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
