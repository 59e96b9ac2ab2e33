//! /job/{jobId}/skippedTime: the times of a schedule that were skipped.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::id::JobId;
use entity::skipped_time::{self, SkipReason};
use poem_openapi::param::{Path, Query};
use poem_openapi::{Enum, Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::tag::Tag;
use crate::api::wire::{Json, Results, Success, Timestamp};
use crate::app::App;
use crate::engine::limits;
use crate::error::Result;
use crate::store;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum SkipReasonEnum {
    Overlap,
    Missed,
    Paused,
    Requested,
    TooLate,
    Calendar,
    NoPing,
}

impl SkipReasonEnum {
    fn of(reason: SkipReason, requested_by: Option<&String>) -> Self {
        match (reason, requested_by) {
            (SkipReason::Overlap, _) => Self::Overlap,
            (SkipReason::Missed, _) => Self::Missed,
            (SkipReason::Paused, None) => Self::Paused,
            (SkipReason::Paused, Some(_)) => Self::Requested,
            (SkipReason::TooLate, _) => Self::TooLate,
            (SkipReason::Calendar, _) => Self::Calendar,
            (SkipReason::NoPing, _) => Self::NoPing,
        }
    }
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct SkippedTime {
    scheduled_for: Timestamp,
    through: Timestamp,
    reason: SkipReasonEnum,
    requested_by: Option<String>,
    detail: Option<String>,
    recorded_at: Timestamp,
}

impl From<skipped_time::Model> for SkippedTime {
    fn from(row: skipped_time::Model) -> Self {
        let skipped_time::Model { job_id: _, scheduled_for, through, reason, recorded_at, requested_by, detail } = row;
        Self {
            scheduled_for: Timestamp(scheduled_for),
            through: Timestamp(through),
            reason: SkipReasonEnum::of(reason, requested_by.as_ref()),
            requested_by,
            detail,
            recorded_at: Timestamp(recorded_at),
        }
    }
}

pub(in crate::api) struct SkippedTimeApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl SkippedTimeApi {
    #[oai(path = "/job/:jobId/skippedTime", method = "get", operation_id = "listJobSkippedTimes", tag = Tag::JobRun)]
    async fn list_job_skipped_times(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        #[oai(default = "default_times")] count: Query<i32>,
        before: Query<Option<DateTime<Utc>>>,
    ) -> Result<Success<Results<SkippedTime>>> {
        let count = limits::between("count", count.0, 1, 200)?;
        let job = access::job_or_check(&self.0.db, &auth.0, Action::View, JobId(job_id.0)).await?;
        let rows =
            store::run::skipped::list_newest(&self.0.db, job.id, before.0, u64::from(count.unsigned_abs())).await?;
        Ok(Json(Results { results: rows.into_iter().map(SkippedTime::from).collect() }))
    }
}

fn default_times() -> i32 {
    50
}
