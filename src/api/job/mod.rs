//! /environment/{environmentId}/job and /job/{jobId}.

pub(super) mod action;
pub(super) mod clone;
pub(super) mod explain;
mod list;
mod request;
mod response;
pub(super) mod run;
pub(super) mod run_log;
pub(super) mod settings;
mod validate;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::id::{EnvironmentId, JobId};
use entity::job;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use uuid::Uuid;

pub(super) use self::action::Version;
use self::list::Wanted;
pub(super) use self::list::{all, list};
use self::request::JobRequest;
pub(super) use self::request::{ApplicationGitRepositoryRequest, GitProviderEnum};
pub(super) use self::response::{JobCommandResponse, JobResponse, JobTypeEnum, ServiceTypeEnum};
use self::validate::Checked;
use super::audit::{self, Change};
use super::caller::Auth;
use super::status::{self, Status};
use super::tag::Tag;
use super::wire::{Body, Created, EmptyResponse, Json, JsonStream, NoContent, Results, Success};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::command::{self, Removal};
use crate::error::{Error, Result};
use crate::store;
use crate::store::job::JobEdit;

const TAKEN: &str = "Job name within the environment is already taken";

/// The handlers.
pub(super) struct JobApi(pub(super) Arc<App>);

#[OpenApi]
impl JobApi {
    #[oai(path = "/environment/:environmentId/job", method = "get", operation_id = "listJobs", tag = Tag::Jobs)]
    async fn list_jobs(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        #[oai(name = "toUpdate", default)] to_update: Query<bool>,
    ) -> Result<JsonStream<Results<JobResponse>>> {
        let id = EnvironmentId(environment_id.0);
        let row = access::environment(&self.0.db, &auth.0, Action::View, id).await?;
        let wanted = if to_update.0 { Wanted::ToUpdate } else { Wanted::All };
        Ok(list(&self.0, row.id, wanted))
    }

    #[oai(path = "/environment/:environmentId/job", method = "post", operation_id = "createJob", tag = Tag::Jobs)]
    async fn create_job(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        body: Body<JobRequest>,
    ) -> Result<Created<JobResponse>> {
        let id = EnvironmentId(environment_id.0);
        let environment = access::environment(&self.0.db, &auth.0, Action::Manage, id).await?;
        let Checked { name, spec } = self.check(&environment, body.0, None).await?;
        let row = job::Model::new(&environment, &name, spec, self.0.clock.now());
        let id = row.id;
        audit::write(&self.0, &auth, environment.organization_id, async |tx| {
            command::lock_for_addition(tx, environment.id).await?;
            let change = Change::create("JOB", id.0, &row.name).of_environment(&environment).after(&row.spec);
            store::job::create(tx, row).await.map_err(or_taken)?;
            Ok(((), change))
        })
        .await?;
        let view = access::job(&self.0.db, &auth.0, Action::View, id).await?;
        Ok(Json(JobResponse::from(view)))
    }

    #[oai(path = "/job/:jobId", method = "get", operation_id = "getJob", tag = Tag::JobMainCalls)]
    async fn get_job(&self, auth: Auth, #[oai(name = "jobId")] job_id: Path<Uuid>) -> Result<Success<JobResponse>> {
        let view = access::job(&self.0.db, &auth.0, Action::View, JobId(job_id.0)).await?;
        Ok(Json(JobResponse::from(view)))
    }

    #[oai(path = "/job/:jobId", method = "put", operation_id = "editJob", tag = Tag::JobMainCalls)]
    async fn edit_job(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        body: Body<JobRequest>,
    ) -> Result<Success<JobResponse>> {
        let row = access::job_row(&self.0.db, &auth.0, Action::Manage, JobId(job_id.0)).await?;
        let environment = access::environment(&self.0.db, &auth.0, Action::Manage, row.environment_id).await?;
        let Checked { name, spec } = self.check(&environment, body.0, Some(&row)).await?;
        let change = Change::update("JOB", row.id.0, &name).of_environment(&environment).before(&row.spec).after(&spec);
        let row = job::Model { name, spec, ..row };
        let edit = edit_of(&row, self.0.clock.now());
        audit::write(&self.0, &auth, environment.organization_id, async |tx| {
            store::job::update(tx, row.id, edit).await.map_err(or_taken)?;
            Ok(((), change))
        })
        .await?;
        let view = access::job(&self.0.db, &auth.0, Action::View, row.id).await?;
        Ok(Json(JobResponse::from(view)))
    }

    #[oai(path = "/job/:jobId", method = "delete", operation_id = "deleteJob", tag = Tag::JobMainCalls)]
    async fn delete_job(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        #[oai(name = "skipReconcile", default)] skip_reconcile: Query<bool>,
    ) -> Result<NoContent> {
        let row = access::job_row(&self.0.db, &auth.0, Action::Manage, JobId(job_id.0)).await?;
        let removal = if skip_reconcile.0 { Removal::RowsOnly } else { Removal::Complete };
        command::delete_jobs(&self.0, &auth.requester(), row.environment_id, vec![row], removal).await?;
        Ok(EmptyResponse)
    }

    #[oai(path = "/job/:jobId/status", method = "get", operation_id = "getJobStatus", tag = Tag::JobMainCalls)]
    async fn get_job_status(&self, auth: Auth, #[oai(name = "jobId")] job_id: Path<Uuid>) -> Result<Success<Status>> {
        let row = access::job_row(&self.0.db, &auth.0, Action::View, JobId(job_id.0)).await?;
        Ok(Json(status::of_job(&self.0.db, &row).await?))
    }
}

impl JobApi {
    /// Everything that a request has to satisfy, alone and against what is stored.
    async fn check(
        &self,
        environment: &entity::environment::Model,
        given: JobRequest,
        stored: Option<&job::Model>,
    ) -> Result<Checked> {
        let checked = validate::check(given, stored)?;
        let cluster = store::environment::cluster_of(&self.0.db, environment).await?;
        validate::check_limits(&checked.spec, &cluster)?;
        validate::check_references(&self.0.db, environment.organization_id, &checked.spec).await?;
        Ok(checked)
    }
}

/// A job's configuration as an edit that stores it.
fn edit_of(row: &job::Model, now: DateTime<Utc>) -> JobEdit {
    JobEdit {
        name: row.name.clone(),
        registry_id: row.spec.registry_id(),
        git_token_id: row.spec.git_token_id(),
        spec: row.spec.clone(),
        updated_at: now,
    }
}

fn or_taken(error: sea_orm::DbErr) -> Error {
    Error::or_taken(error, TAKEN)
}

/// Clears the failed state of jobs; returns those that had one, and the names of the runs that failed.
pub(super) async fn clean(app: &App, jobs: Vec<job::Model>) -> Result<(Vec<Uuid>, Vec<String>)> {
    /// The most failed runs of a job that are named.
    const MOST: u64 = 100;
    let (mut ids, mut names) = (Vec::new(), Vec::new());
    for job in &jobs {
        let runs = store::run::list_failed(&app.db, job.id, job.failures_cleared_at, MOST).await?;
        if !runs.is_empty() {
            ids.push(job.id.0);
        }
        names.extend(runs.iter().map(|run| format!("{}-{}", job.name, run.number)));
    }
    store::job::clear_failures(&app.db, jobs.iter().map(|job| job.id).collect(), app.clock.now()).await?;
    Ok((ids, names))
}
