//! Jobs: /environment/{environmentId}/job and /job/{jobId}.

pub(super) mod action;
pub(super) mod advanced_settings;
pub(super) mod auto_deploy;
pub(super) mod backfill;
pub(super) mod clone;
pub(super) mod deployment_restriction;
pub(super) mod explain;
pub(super) mod failures;
mod healthcheck;
mod job_command;
pub(super) mod list;
pub(super) mod next_run;
pub(super) mod pause;
mod request;
mod response;
pub(super) mod run;
pub(super) mod run_log;
mod run_response;
pub(super) mod run_search;
pub(super) mod schedule_preview;
mod schedule_request;
mod schedule_response;
pub(super) mod skipped_time;
mod source_request;
mod source_response;
mod validate;

pub(super) use self::deployment_restriction::{DeploymentRestrictionModeEnum, path as restriction_path};
pub(super) use self::healthcheck::{Healthcheck, check_healthchecks};
pub(super) use self::job_command::{JobCommandResponse, JobLifecycleTypeEnum};
pub(super) use self::request::CpuArchitectureEnum;
pub(super) use self::response::{JobResponse, JobTypeEnum, ServiceTypeEnum};
pub(super) use self::run_response::{RunEventEnum, RunStateEnum, RunTriggerEnum};
pub(super) use self::source_request::{ApplicationGitRepositoryRequest, GitProviderEnum};

use std::sync::Arc;

use entity::id::{EnvironmentId, JobId};
use entity::job;
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use uuid::Uuid;

use self::list::{JobFilter, list};
use self::request::JobRequest;
use self::validate::JobDefinition;
use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::status::{self, Status};
use crate::api::tag::Tag;
use crate::api::wire::{
    Body, Created, EmptyResponse, Finished, Json, JsonStream, NoContent, Results, Success, Warnings, finished,
};
use crate::app::App;
use crate::engine::command::{self, Removal};
use crate::engine::definition::{self, NEVER_FIRES, References, never_fires};
use crate::error::Result;
use crate::store::job::JobView;

pub(in crate::api) struct JobApi(pub(in crate::api) Arc<App>);

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
        let filter = if to_update.0 { JobFilter::OutOfDate } else { JobFilter::All };
        Ok(list(&self.0, row.id, filter))
    }

    #[oai(path = "/environment/:environmentId/job", method = "post", operation_id = "createJob", tag = Tag::Jobs)]
    async fn create_job(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        body: Body<JobRequest>,
        warnings: Data<&Warnings>,
    ) -> Result<Created<JobResponse>> {
        let id = EnvironmentId(environment_id.0);
        let environment = access::environment(&self.0.db, &auth.0, Action::Manage, id).await?;
        let JobDefinition { name, spec } = validate::check(body.0, None)?;
        let checked = definition::check(&self.0, &self.0.db, &environment, &spec).await?;
        if never_fires(&spec.schedule) {
            warnings.add(NEVER_FIRES);
        }
        let row = job::Model::new(&environment, &name, spec, self.0.clock.now());
        let References { registry, groups } = checked.references;
        let view = JobView::new(row.clone(), &environment, &checked.cluster, registry, &groups);
        definition::create(&self.0, &auth.requester(), &environment, row).await?;
        Ok(Json(JobResponse::from(view)))
    }

    #[oai(path = "/job/:jobId", method = "get", operation_id = "getJob", tag = Tag::JobMainCalls)]
    async fn get_job(&self, auth: Auth, #[oai(name = "jobId")] job_id: Path<Uuid>) -> Result<Finished<JobResponse>> {
        let App { db, job_answers, .. } = &*self.0;
        let finish = |view| finished(&JobResponse::from(view));
        let answer = access::job_answer(db, job_answers, &auth.0, JobId(job_id.0), finish).await?;
        Ok(Finished::new(answer.body.clone(), answer.tag.clone()))
    }

    #[oai(path = "/job/:jobId", method = "put", operation_id = "editJob", tag = Tag::JobMainCalls)]
    async fn edit_job(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        body: Body<JobRequest>,
        warnings: Data<&Warnings>,
    ) -> Result<Success<JobResponse>> {
        let row = access::job_row(&self.0.db, &auth.0, Action::Manage, JobId(job_id.0)).await?;
        let environment = access::environment(&self.0.db, &auth.0, Action::Manage, row.environment_id).await?;
        let wanted = |stored: &job::Model| {
            let JobDefinition { name, spec } = validate::check(body.0.clone(), Some(stored))?;
            Ok((name, spec))
        };
        let new = definition::update(&self.0, &auth.requester(), &environment, (&row, None), wanted).await?;
        if never_fires(&new.spec.schedule) {
            warnings.add(NEVER_FIRES);
        }
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
