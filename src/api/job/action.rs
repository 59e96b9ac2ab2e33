//! Actions on one job.

use std::sync::Arc;

use entity::deployment::Action as DeploymentAction;
use entity::id::JobId;
use entity::job_spec::JobType;
use entity::run::Event;
use poem_openapi::param::{Path, Query};
use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::failures::clear_failures;
use super::request::JobForceEvent;
use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::status::{self, Status};
use crate::api::tag::Tag;
use crate::api::wire::{Accepted, Body, Empty, Json, Success};
use crate::app::App;
use crate::engine::command::{self, JobTarget};
use crate::engine::deploy_version::DeployVersion;
use crate::engine::deployment;
use crate::error::{Error, Result};
use crate::store;

#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
struct JobDeployRequest {
    image_tag: Option<String>,
    git_commit_id: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct CleanedJob {
    clean_kubernetes_jobs: Vec<String>,
}

pub(in crate::api) struct ActionApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl ActionApi {
    #[oai(path = "/job/:jobId/deploy", method = "post", operation_id = "deployJob", tag = Tag::JobActions)]
    async fn deploy_job(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        #[oai(name = "forceEvent")] force_event: Query<Option<JobForceEvent>>,
        body: Body<JobDeployRequest>,
    ) -> Result<Accepted<Status>> {
        let JobDeployRequest { image_tag, git_commit_id } = body.0;
        let version = DeployVersion { image_tag, git_commit_id };
        self.deploy(&auth, job_id, force_event.0, version).await
    }

    #[oai(path = "/job/:jobId/redeploy", method = "post", operation_id = "redeployJob", tag = Tag::JobActions)]
    async fn redeploy_job(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        #[oai(name = "forceEvent")] force_event: Query<Option<JobForceEvent>>,
    ) -> Result<Accepted<Status>> {
        self.deploy(&auth, job_id, force_event.0, DeployVersion::default()).await
    }

    #[oai(path = "/job/:jobId/stop", method = "post", operation_id = "stopJob", tag = Tag::JobActions)]
    async fn stop_job(&self, auth: Auth, #[oai(name = "jobId")] job_id: Path<Uuid>) -> Result<Accepted<Status>> {
        let row = access::job_row(&self.0.db, &auth.0, Action::Deploy, JobId(job_id.0)).await?;
        self.request(&auth, JobTarget::from(row), DeploymentAction::Stop).await
    }

    #[oai(path = "/job/:jobId/uninstall", method = "post", operation_id = "uninstallJob", tag = Tag::JobActions)]
    async fn uninstall_job(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        _body: Body<Empty>,
    ) -> Result<Accepted<Status>> {
        let row = access::job_row(&self.0.db, &auth.0, Action::Deploy, JobId(job_id.0)).await?;
        self.request(&auth, JobTarget::from(row), DeploymentAction::Uninstall).await
    }

    #[oai(path = "/job/:jobId/cleanFailedJob", method = "post", operation_id = "cleanFailedJob", tag = Tag::JobActions)]
    async fn clean_failed_job(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
    ) -> Result<Success<CleanedJob>> {
        let row = access::job_row(&self.0.db, &auth.0, Action::Deploy, JobId(job_id.0)).await?;
        let (_, clean_kubernetes_jobs) = clear_failures(&self.0, vec![row]).await?;
        Ok(Json(CleanedJob { clean_kubernetes_jobs }))
    }
}

impl ActionApi {
    async fn deploy(
        &self,
        auth: &Auth,
        job_id: Path<Uuid>,
        forced: Option<JobForceEvent>,
        version: DeployVersion,
    ) -> Result<Accepted<Status>> {
        let row = access::job_row(&self.0.db, &auth.0, Action::Deploy, JobId(job_id.0)).await?;
        let forced = forced.map(Event::from);
        if forced.is_some_and(|event| deployment::command(&row.spec.schedule, event).is_none()) {
            let text = match row.job_type {
                JobType::Cron => "a CRON job supports only the CRON event",
                JobType::Lifecycle | JobType::Check => "the job has no command for this event",
            };
            return Err(Error::invalid("forceEvent", text));
        }
        let version = version.check("", &row)?;
        let target = JobTarget { forced, ..JobTarget::in_version(row, version) };
        self.request(auth, target, DeploymentAction::Deploy).await
    }

    async fn request(&self, auth: &Auth, target: JobTarget, action: DeploymentAction) -> Result<Accepted<Status>> {
        let row = target.job.clone();
        command::request_jobs(&self.0, &auth.requester(), row.environment_id, vec![target], action).await?;
        // The request may have changed it.
        let row = store::job::by_id(&self.0.db, row.id).await?.unwrap_or(row);
        Ok(Json(status::of_job(&self.0.db, &row).await?))
    }
}
