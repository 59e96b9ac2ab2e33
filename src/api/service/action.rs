//! Actions on several services of an environment.

use std::sync::Arc;

use entity::deployment::Action as DeploymentAction;
use entity::id::{EnvironmentId, JobId};
use entity::{environment, job};
use poem_openapi::param::{Path, Query};
use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::request::{
    CleanRequest, DeployAllRequest, EnvironmentServiceIdsAllRequest, JobToDeploy, RebootServicesRequest, count,
    reject_other_kinds, unique_ids,
};
use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::job::failures::clear_failures;
use crate::api::status::{self, EnvironmentStatus, Status};
use crate::api::tag::Tag;
use crate::api::wire::{Accepted, Body, EmptyResponse, Json, Success};
use crate::app::App;
use crate::engine::command::{self, JobTarget, Removal};
use crate::engine::deploy_version::{CheckedVersion, DeployVersion};
use crate::error::{Error, Result};

#[derive(Debug, Serialize, Deserialize, Object)]
struct Cleaned {
    clean_job_ids: Vec<Uuid>,
    clean_kubernetes_jobs: Vec<String>,
}

pub(in crate::api) struct ServiceActionApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl ServiceActionApi {
    #[oai(path = "/environment/:environmentId/service/deploy", method = "post", operation_id = "deployAllServices", tag = Tag::EnvironmentActions)]
    async fn deploy_all_services(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        body: Body<DeployAllRequest>,
    ) -> Result<Accepted<EnvironmentStatus>> {
        let row = self.environment(&auth, Action::Deploy, environment_id).await?;
        let DeployAllRequest { applications, databases, containers, jobs, helms, terraforms } = body.0;
        reject_other_kinds(&[
            ("applications", count(&applications)),
            ("databases", count(&databases)),
            ("containers", count(&containers)),
            ("helms", count(&helms)),
            ("terraforms", count(&terraforms)),
        ])?;
        let jobs = jobs.unwrap_or_default();
        let missing = |place: usize| Error::invalid(format!("jobs[{place}].id"), "is missing");
        let ids = jobs.iter().enumerate().map(|(place, one)| one.id.ok_or_else(|| missing(place)));
        let ids = unique_ids("jobs", ids.collect::<Result<_>>()?)?;
        let rows = self.jobs(&auth, Action::Deploy, &row, "jobs", &ids).await?;
        let mut targets = Vec::with_capacity(rows.len());
        for job in rows {
            let found = jobs.iter().enumerate().find(|(_, one)| one.id == Some(job.id.0));
            let version = match found {
                Some((place, JobToDeploy { id: _, image_tag, git_commit_id })) => {
                    let version = DeployVersion { image_tag: image_tag.clone(), git_commit_id: git_commit_id.clone() };
                    version.check(&format!("jobs[{place}]."), &job)?
                }
                None => CheckedVersion::default(),
            };
            targets.push(JobTarget::in_version(job, version));
        }
        // Clients leave out what is stopped, and then there may be nothing to do.
        if !targets.is_empty() {
            command::request_jobs(&self.0, &auth.requester(), row.id, targets, DeploymentAction::Deploy).await?;
        }
        Ok(Json(status::of_environment(&self.0.db, row.id).await?))
    }

    #[oai(path = "/environment/:environmentId/service/stop", method = "post", operation_id = "stopSelectedServices", tag = Tag::EnvironmentActions)]
    async fn stop_selected_services(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        body: Body<EnvironmentServiceIdsAllRequest>,
    ) -> Result<EmptyResponse<200>> {
        self.request(&auth, environment_id, body.0, DeploymentAction::Stop).await
    }

    #[oai(path = "/environment/:environmentId/service/uninstall", method = "post", operation_id = "uninstallSelectedServices", tag = Tag::EnvironmentActions)]
    async fn uninstall_selected_services(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        body: Body<EnvironmentServiceIdsAllRequest>,
    ) -> Result<EmptyResponse<200>> {
        self.request(&auth, environment_id, body.0, DeploymentAction::Uninstall).await
    }

    #[oai(path = "/environment/:environmentId/service/delete", method = "post", operation_id = "deleteSelectedServices", tag = Tag::EnvironmentActions)]
    async fn delete_selected_services(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        #[oai(name = "skipReconcile", default)] skip_reconcile: Query<bool>,
        body: Body<EnvironmentServiceIdsAllRequest>,
    ) -> Result<EmptyResponse<200>> {
        let row = self.environment(&auth, Action::Manage, environment_id).await?;
        let ids = body.0.jobs()?;
        let jobs = self.jobs(&auth, Action::Manage, &row, "job_ids", &ids).await?;
        let removal = if skip_reconcile.0 { Removal::RowsOnly } else { Removal::Complete };
        if !jobs.is_empty() {
            command::delete_jobs(&self.0, &auth.requester(), row.id, jobs, removal).await?;
        }
        Ok(EmptyResponse)
    }

    #[oai(path = "/environment/:environmentId/service/restart-service", method = "post", operation_id = "rebootServices", tag = Tag::EnvironmentActions)]
    async fn reboot_services(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        body: Body<RebootServicesRequest>,
    ) -> Result<Accepted<Status>> {
        self.environment(&auth, Action::Deploy, environment_id).await?;
        let RebootServicesRequest { application_ids, database_ids, container_ids } = body.0;
        reject_other_kinds(&[
            ("application_ids", count(&application_ids)),
            ("database_ids", count(&database_ids)),
            ("container_ids", count(&container_ids)),
        ])?;
        Err(Error::invalid("application_ids", "there is nothing to restart: this server supports only jobs"))
    }

    #[oai(path = "/environment/:environmentId/cleanFailedJobs", method = "post", operation_id = "cleanFailedJobs", tag = Tag::EnvironmentActions)]
    async fn clean_failed_jobs(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        body: Body<CleanRequest>,
    ) -> Result<Success<Cleaned>> {
        let row = self.environment(&auth, Action::Deploy, environment_id).await?;
        let ids = unique_ids("job_ids", body.0.job_ids.unwrap_or_default())?;
        let jobs = self.jobs(&auth, Action::Deploy, &row, "job_ids", &ids).await?;
        let (clean_job_ids, clean_kubernetes_jobs) = clear_failures(&self.0, jobs).await?;
        Ok(Json(Cleaned { clean_job_ids, clean_kubernetes_jobs }))
    }
}

impl ServiceActionApi {
    async fn environment(&self, auth: &Auth, action: Action, id: Path<Uuid>) -> Result<environment::Model> {
        access::environment(&self.0.db, &auth.0, action, EnvironmentId(id.0)).await
    }

    /// Loads jobs of an environment, if the caller may perform the action on each of them.
    async fn jobs(
        &self,
        auth: &Auth,
        action: Action,
        environment: &environment::Model,
        field: &str,
        ids: &[Uuid],
    ) -> Result<Vec<job::Model>> {
        let mut jobs = Vec::with_capacity(ids.len());
        for id in ids {
            let job = match access::job_row(&self.0.db, &auth.0, action, JobId(*id)).await {
                Ok(job) if job.environment_id == environment.id => job,
                Ok(_) | Err(Error::NotFound(_)) => {
                    return Err(Error::invalid(field, format!("{id} is not a job of this environment")));
                }
                Err(error) => return Err(error),
            };
            jobs.push(job);
        }
        Ok(jobs)
    }

    async fn request(
        &self,
        auth: &Auth,
        environment: Path<Uuid>,
        given: EnvironmentServiceIdsAllRequest,
        action: DeploymentAction,
    ) -> Result<EmptyResponse<200>> {
        let row = self.environment(auth, Action::Deploy, environment).await?;
        let jobs = self.jobs(auth, Action::Deploy, &row, "job_ids", &given.jobs()?).await?;
        let targets: Vec<_> = jobs.into_iter().map(JobTarget::from).collect();
        if !targets.is_empty() {
            command::request_jobs(&self.0, &auth.requester(), row.id, targets, action).await?;
        }
        Ok(EmptyResponse)
    }
}
