//! /job/{jobId}/explain: why a job ran or did not run at a given minute.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::id::JobId;
use poem_openapi::param::{Path, Query};
use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::run_response::Run;
use super::skipped_time::SkippedTime;
use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::tag::Tag;
use crate::api::wire::{self, Json, Success, Timestamp};
use crate::app::App;
use crate::engine::explanation::{self, Verdict, explain};
use crate::error::Result;

wire::mirrored!(VerdictEnum of Verdict { Ran, Skipped, Pending, NotDue, Unknown });

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

pub(in crate::api) struct ExplainApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl ExplainApi {
    #[oai(path = "/job/:jobId/explain", method = "get", operation_id = "explainJob", tag = Tag::JobRun)]
    async fn explain_job(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        at: Query<Option<DateTime<Utc>>>,
    ) -> Result<Success<Explanation>> {
        let job = access::job_or_check(&self.0.db, &auth.0, Action::View, JobId(job_id.0)).await?;
        let explained = explain(&self.0, &job, at.0).await?;
        let explanation::Explanation { at, verdict, reason, runs, skipped, previous, next } = explained;
        Ok(Json(Explanation {
            at: Timestamp(at),
            verdict: verdict.into(),
            reason,
            runs: runs.into_iter().map(Run::from).collect(),
            skipped: skipped.into_iter().map(SkippedTime::from).collect(),
            previous: previous.map(Timestamp),
            next: next.map(Timestamp),
        }))
    }
}
