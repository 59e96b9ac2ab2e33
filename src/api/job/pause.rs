//! /job/{jobId}/pause, /resume and /skip: holds a schedule back without a deployment.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::id::JobId;
use entity::schedule_pause;
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::tag::Tag;
use crate::api::wire::{Json, StrictBody, Success, Timestamp};
use crate::app::App;
use crate::engine::cron::Holds;
use crate::engine::pause::{HoldChange, hold};
use crate::error::Result;

#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
struct SchedulePauseRequest {
    until: Option<DateTime<Utc>>,
}

#[derive(Debug, Deserialize, Object)]
struct ScheduleSkipRequest {
    at: DateTime<Utc>,
}

/// A pause that has not ended.
#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct PauseResponse {
    paused_at: Timestamp,
    until: Option<Timestamp>,
    requested_by: String,
}

impl PauseResponse {
    pub(super) fn lasting(row: schedule_pause::Model, now: DateTime<Utc>) -> Option<Self> {
        let schedule_pause::Model { job_id: _, paused_at, until, requested_by } = row;
        if until.is_some_and(|until| until <= now) {
            return None;
        }
        Some(Self { paused_at: Timestamp(paused_at), until: until.map(Timestamp), requested_by })
    }
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct ScheduleHolds {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pause: Option<PauseResponse>,
    skip: Vec<Timestamp>,
}

pub(in crate::api) struct PauseApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl PauseApi {
    #[oai(path = "/job/:jobId/pause", method = "post", operation_id = "pauseJob", tag = Tag::JobActions)]
    async fn pause_job(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        body: StrictBody<SchedulePauseRequest>,
    ) -> Result<Success<ScheduleHolds>> {
        self.hold(&auth, job_id, HoldChange::Pause { until: body.0.until }).await
    }

    #[oai(path = "/job/:jobId/resume", method = "post", operation_id = "resumeJob", tag = Tag::JobActions)]
    async fn resume_job(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
    ) -> Result<Success<ScheduleHolds>> {
        self.hold(&auth, job_id, HoldChange::Resume).await
    }

    #[oai(path = "/job/:jobId/skip", method = "post", operation_id = "skipJobTime", tag = Tag::JobActions)]
    async fn skip_job_time(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        body: StrictBody<ScheduleSkipRequest>,
    ) -> Result<Success<ScheduleHolds>> {
        self.hold(&auth, job_id, HoldChange::Skip { at: body.0.at }).await
    }
}

impl PauseApi {
    async fn hold(&self, auth: &Auth, job_id: Path<Uuid>, change: HoldChange) -> Result<Success<ScheduleHolds>> {
        let job = access::job_or_check(&self.0.db, &auth.0, Action::Deploy, JobId(job_id.0)).await?;
        let Holds { pause, skips, calendars: _ } = hold(&self.0, &auth.requester(), &job, change).await?;
        let now = self.0.clock.now();
        let coming = skips.into_iter().filter(|skip| skip.scheduled_for > now);
        Ok(Json(ScheduleHolds {
            pause: pause.and_then(|pause| PauseResponse::lasting(pause, now)),
            skip: coming.map(|skip| Timestamp(skip.scheduled_for)).collect(),
        }))
    }
}
