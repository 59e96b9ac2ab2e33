//! /job/{jobId}/skippedTime: the times of a schedule that were skipped.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::id::JobId;
use entity::skipped_time::{self, SkipReason};
use poem_openapi::param::{Path, Query};
use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::wire::{self, Json, Results, Success, Timestamp};
use crate::api::{limits, tag::Tag};
use crate::app::App;
use crate::error::Result;
use crate::store;

wire::mirrored!(SkipReasonEnum of SkipReason { Overlap, Missed, Paused, TooLate });

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct SkippedTime {
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
        let job = access::job_row(&self.0.db, &auth.0, Action::View, JobId(job_id.0)).await?;
        let rows =
            store::run::skipped::list_newest(&self.0.db, job.id, before.0, u64::from(count.unsigned_abs())).await?;
        Ok(Json(Results { results: rows.into_iter().map(SkippedTime::from).collect() }))
    }
}

fn default_times() -> i32 {
    50
}
