//! /job/{jobId}/run and /run/{runId}: the runs of a job, and manual runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use entity::id::{JobId, RunId};
use entity::run;
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::{Object, OpenApi};
use serde::Deserialize;
use uuid::Uuid;

use super::request::JobForceEvent;
use super::run_response::Run;
use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::tag::Tag;
use crate::api::wire::{self, Accepted, Json, Results, StrictBody, Success};
use crate::app::App;
use crate::engine::deployment;
use crate::engine::limits;
use crate::engine::manual::{self, RunOverrides};
use crate::engine::overrides::check_overrides;
use crate::error::{Error, Result};
use crate::store;

/// Overrides for one run.
#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
struct RunRequest {
    event: Option<JobForceEvent>,
    entrypoint: Option<String>,
    arguments: Option<Vec<String>>,
    environment: Option<BTreeMap<String, String>>,
    secret_environment: Option<BTreeMap<String, String>>,
    image_tag: Option<String>,
    #[serde(deserialize_with = "wire::optional_number")]
    timeout_seconds: Option<i32>,
}

pub(in crate::api) struct RunApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl RunApi {
    #[oai(path = "/job/:jobId/run", method = "get", operation_id = "listJobRuns", tag = Tag::JobRun)]
    async fn list_job_runs(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        #[oai(default = "default_runs")] count: Query<i32>,
        before: Query<Option<i64>>,
    ) -> Result<Success<Results<Run>>> {
        let count = limits::between("count", count.0, 1, 200)?;
        let job = access::job_or_check(&self.0.db, &auth.0, Action::View, JobId(job_id.0)).await?;
        let rows = store::run::list_by_job(&self.0.db, job.id, before.0, u64::from(count.unsigned_abs())).await?;
        Ok(Json(Results { results: rows.into_iter().map(Run::from).collect() }))
    }

    #[oai(path = "/job/:jobId/run", method = "post", operation_id = "runJob", tag = Tag::JobRun)]
    async fn run_job(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        #[oai(name = "Idempotency-Key")] idempotency_key: Header<Option<String>>,
        body: StrictBody<RunRequest>,
    ) -> Result<Accepted<Run>> {
        let job = access::job_row(&self.0.db, &auth.0, Action::Deploy, JobId(job_id.0)).await?;
        let key = key(idempotency_key)?;
        let RunRequest { event, entrypoint, arguments, environment, secret_environment, image_tag, timeout_seconds } =
            body.0;
        let overrides = RunOverrides {
            entrypoint,
            arguments,
            environment: environment.unwrap_or_default(),
            secret_environment: secret_environment.unwrap_or_default(),
            image_tag,
            timeout_seconds,
        };
        let overrides = check_overrides(overrides)?;
        let spec = job.deployed.as_ref().unwrap_or(&job.spec);
        let event = match event {
            Some(event) => event.into(),
            None => *deployment::events(&spec.schedule).first().unwrap_or(&run::Event::Cron),
        };
        Ok(Json(Run::from(manual::run(&self.0, &auth.requester(), &job, event, overrides, key).await?)))
    }

    #[oai(path = "/run/:runId", method = "get", operation_id = "getRun", tag = Tag::JobRun)]
    async fn get_run(&self, auth: Auth, #[oai(name = "runId")] run_id: Path<Uuid>) -> Result<Success<Run>> {
        let row = access::run(&self.0.db, &auth.0, Action::View, RunId(run_id.0)).await?;
        Ok(Json(Run::from(row)))
    }

    #[oai(path = "/run/:runId/cancel", method = "post", operation_id = "cancelRun", tag = Tag::JobRun)]
    async fn cancel_run(&self, auth: Auth, #[oai(name = "runId")] run_id: Path<Uuid>) -> Result<Accepted<Run>> {
        let row = access::run(&self.0.db, &auth.0, Action::Deploy, RunId(run_id.0)).await?;
        let job = row.job_id.ok_or(Error::NotFound("run"))?;
        let job = store::job::by_id(&self.0.db, job).await?.ok_or(Error::NotFound("run"))?;
        Ok(Json(Run::from(manual::cancel(&self.0, &auth.requester(), &job, &row).await?)))
    }

    #[oai(path = "/run/:runId/rerun", method = "post", operation_id = "rerunRun", tag = Tag::JobRun)]
    async fn rerun_run(
        &self,
        auth: Auth,
        #[oai(name = "runId")] run_id: Path<Uuid>,
        #[oai(name = "Idempotency-Key")] idempotency_key: Header<Option<String>>,
    ) -> Result<Accepted<Run>> {
        let row = access::run(&self.0.db, &auth.0, Action::Deploy, RunId(run_id.0)).await?;
        let key = key(idempotency_key)?;
        let job = row.job_id.ok_or(Error::NotFound("run"))?;
        let job = store::job::by_id(&self.0.db, job).await?.ok_or(Error::NotFound("run"))?;
        Ok(Json(Run::from(manual::rerun(&self.0, &auth.requester(), &job, &row, key).await?)))
    }
}

fn key(given: Header<Option<String>>) -> Result<Option<String>> {
    given.0.map(|key| limits::name("Idempotency-Key", &key)).transpose()
}

fn default_runs() -> i32 {
    50
}
