//! /job/{jobId}/run and /run/{runId}: what ran, and runs that are asked for one by one.

use std::collections::BTreeMap;
use std::sync::Arc;

use entity::id::{JobId, RunId};
use entity::run;
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::caller::Auth;
use super::super::limits;
use super::super::tag::Tag;
use super::super::wire::{self, Accepted, Body, Json, ReferenceObject, Results, Success, Timestamp};
use super::action::JobForceEvent;
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::deployment;
use crate::engine::manual::{self, Difference};
use crate::error::{Error, Result};
use crate::store;

wire::mirrored!(RunStateEnum of run::RunState { Queued, Running, Succeeded, Failed, Cancelled });
wire::mirrored!(RunTriggerEnum of run::Trigger { Schedule, Deployment, Force, Manual });
wire::mirrored!(RunEventEnum of run::Event { Cron, Start, Stop, Delete, Build, Workspace, Apply });
wire::mirrored!(RunnerEnum of run::RunnerKind { Docker, Process, Kubernetes });

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct Run {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    number: i64,
    job: ReferenceObject,
    deployment_id: Option<Uuid>,
    state: RunStateEnum,
    trigger: RunTriggerEnum,
    event: RunEventEnum,
    scheduled_for: Option<Timestamp>,
    attempt: i32,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    exit_code: Option<i32>,
    reason: Option<String>,
    runner: Option<RunnerEnum>,
    image: Option<String>,
    cancel_requested_at: Option<Timestamp>,
    log_lines: i64,
    log_truncated: bool,
    entrypoint: Option<String>,
    arguments: Vec<String>,
}

/// What is different in one run.
#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
struct RunRequest {
    event: Option<JobForceEvent>,
    entrypoint: Option<String>,
    arguments: Option<Vec<String>>,
    environment: Option<BTreeMap<String, String>>,
    image_tag: Option<String>,
    #[serde(deserialize_with = "wire::optional_number")]
    timeout_seconds: Option<i32>,
}

impl From<run::Model> for Run {
    fn from(row: run::Model) -> Self {
        let run::Model {
            id,
            number,
            job_id,
            deployment_id,
            created_at,
            updated_at,
            trigger,
            event,
            scheduled_for,
            state,
            attempt,
            spec,
            runner,
            not_before: _,
            started_at,
            attempt_started_at: _,
            finished_at,
            cancel_requested_at,
            exit_code,
            reason,
            lease_owner: _,
            lease_until: _,
            attempt_lines: _,
            total_lines,
            in_turn: _,
            idempotency_key: _,
            place: _,
            masks: _,
            additions: _,
            log_bytes: _,
            log_cut,
            expires_at: _,
            built,
            stop_asked_at: _,
            step: _,
        } = row;
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            number,
            job: ReferenceObject { id: job_id.map_or(Uuid::nil(), |id| id.0) },
            deployment_id: deployment_id.map(|id| id.0),
            state: state.into(),
            trigger: trigger.into(),
            event: event.into(),
            scheduled_for: scheduled_for.map(Timestamp),
            attempt,
            started_at: started_at.map(Timestamp),
            finished_at: finished_at.map(Timestamp),
            exit_code,
            reason,
            runner: runner.map(RunnerEnum::from),
            image: (spec.image_name.zip(spec.image_tag).map(|(name, tag)| format!("{name}:{tag}")))
                .or(spec.built_image)
                .or(built.map(|built| built.image)),
            cancel_requested_at: cancel_requested_at.map(Timestamp),
            log_lines: total_lines,
            log_truncated: log_cut,
            entrypoint: spec.entrypoint,
            arguments: spec.arguments,
        }
    }
}

/// The handlers.
pub(in super::super) struct RunApi(pub(in super::super) Arc<App>);

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
        let job = access::job_row(&self.0.db, &auth.0, Action::View, JobId(job_id.0)).await?;
        let rows = store::run::list_by_job(&self.0.db, job.id, before.0, u64::from(count.unsigned_abs())).await?;
        Ok(Json(Results { results: rows.into_iter().map(Run::from).collect() }))
    }

    #[oai(path = "/job/:jobId/run", method = "post", operation_id = "runJob", tag = Tag::JobRun)]
    async fn run_job(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        #[oai(name = "Idempotency-Key")] idempotency_key: Header<Option<String>>,
        body: Body<RunRequest>,
    ) -> Result<Accepted<Run>> {
        let job = access::job_row(&self.0.db, &auth.0, Action::Deploy, JobId(job_id.0)).await?;
        let key = idempotency_key.0.map(|key| limits::name("Idempotency-Key", &key)).transpose()?;
        let RunRequest { event, entrypoint, arguments, environment, image_tag, timeout_seconds } = body.0;
        let difference = Difference {
            entrypoint: entrypoint.map(|text| limits::text("entrypoint", text)).transpose()?,
            arguments: arguments.map(|list| limits::list("arguments", list)).transpose()?,
            environment: self::environment(environment.unwrap_or_default())?,
            image_tag: image_tag.map(|tag| limits::image_tag("image_tag", &tag)).transpose()?,
            timeout_seconds: timeout_seconds
                .map(|seconds| limits::between("timeout_seconds", seconds, 0, i32::MAX))
                .transpose()?,
        };
        let spec = job.deployed.as_ref().unwrap_or(&job.spec);
        let event = match event {
            Some(event) => event.into(),
            None => *deployment::events(&spec.schedule).first().unwrap_or(&run::Event::Cron),
        };
        Ok(Json(Run::from(manual::run(&self.0, &auth.requester(), &job, event, difference, key).await?)))
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
}

fn default_runs() -> i32 {
    50
}

/// Names as a shell takes them, each once.
fn environment(given: BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
    if given.len() > limits::ITEMS {
        return Err(Error::invalid("environment", format!("has more than {} variables", limits::ITEMS)));
    }
    let checked = |(name, value): (String, String)| {
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !plain || name.is_empty() || name.len() > limits::NAME || name.starts_with(|c: char| c.is_ascii_digit()) {
            let shown: String = name.chars().take(40).collect();
            return Err(Error::invalid("environment", format!("{shown:?} is not the name of a variable")));
        }
        let value = limits::text(&format!("environment.{name}"), value)?;
        Ok((name, value))
    };
    given.into_iter().map(checked).collect()
}
