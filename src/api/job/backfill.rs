//! /job/{jobId}/backfill: runs the past times of a schedule.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::id::JobId;
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::tag::Tag;
use crate::api::wire::{self, Accepted, Json, StrictBody};
use crate::app::App;
use crate::engine::backfill;
use crate::engine::limits;
use crate::error::Result;

#[derive(Debug, Deserialize, Object)]
struct BackfillRequest {
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    #[serde(default, deserialize_with = "wire::optional_number")]
    #[oai(default)]
    limit: Option<i32>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct BackfillResponse {
    id: Uuid,
    runs: u64,
    refused: u64,
    more: bool,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct CancelledBackfill {
    id: Uuid,
    runs: u64,
}

pub(in crate::api) struct BackfillApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl BackfillApi {
    #[oai(path = "/job/:jobId/backfill", method = "post", operation_id = "backfillJob", tag = Tag::JobRun)]
    async fn backfill_job(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        body: StrictBody<BackfillRequest>,
    ) -> Result<Accepted<BackfillResponse>> {
        let job = access::job_row(&self.0.db, &auth.0, Action::Deploy, JobId(job_id.0)).await?;
        let BackfillRequest { from, until, limit } = body.0;
        let limit = limits::between("limit", limit.unwrap_or(100), 1, 1000)?;
        let limit = usize::try_from(limit).unwrap_or(1);
        let done = backfill::backfill(&self.0, &auth.requester(), &job, (from, until), limit).await?;
        let backfill::Backfill { id, queued, refused, more } = done;
        Ok(Json(BackfillResponse { id, runs: queued, refused: refused as u64, more }))
    }

    #[oai(path = "/job/:jobId/backfill/:backfillId/cancel", method = "post", operation_id = "cancelBackfill", tag = Tag::JobRun)]
    async fn cancel_backfill(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        #[oai(name = "backfillId")] backfill_id: Path<Uuid>,
    ) -> Result<Accepted<CancelledBackfill>> {
        let job = access::job_row(&self.0.db, &auth.0, Action::Deploy, JobId(job_id.0)).await?;
        let runs = backfill::cancel(&self.0, &auth.requester(), &job, backfill_id.0).await?;
        Ok(Json(CancelledBackfill { id: backfill_id.0, runs }))
    }
}
