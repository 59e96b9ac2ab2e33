//! Services of an environment: jobs, and empty lists of the kinds that this server has none of; and actions on several.

use std::sync::Arc;

use entity::deployment::Action as DeploymentAction;
use entity::id::{EnvironmentId, JobId};
use entity::{environment, job};
use poem_openapi::param::{Path, Query};
use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::caller::Auth;
use super::job::{self as job_api, JobResponse, Version};
use super::limits;
use super::status::{self, EnvironmentStatus, Status};
use super::tag::Tag;
use super::wire::{Accepted, Body, EmptyResponse, Ignored, Json, JsonStream, Never, Results, Success};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::command::{self, Removal, Target};
use crate::error::{Error, Result};

/// Services by their kinds; ids of kinds that are not there are refused.
#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
struct EnvironmentServiceIdsAllRequest {
    application_ids: Option<Vec<Uuid>>,
    container_ids: Option<Vec<Uuid>>,
    database_ids: Option<Vec<Uuid>>,
    job_ids: Option<Vec<Uuid>>,
    helm_ids: Option<Vec<Uuid>>,
    terraform_ids: Option<Vec<Uuid>>,
}

#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
struct JobToDeploy {
    id: Option<Uuid>,
    image_tag: Option<String>,
    git_commit_id: Option<String>,
}

#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
struct DeployAllRequest {
    applications: Option<Vec<Ignored>>,
    databases: Option<Vec<Uuid>>,
    containers: Option<Vec<Ignored>>,
    jobs: Option<Vec<JobToDeploy>>,
    helms: Option<Vec<Ignored>>,
    terraforms: Option<Vec<Ignored>>,
}

#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
struct RebootServicesRequest {
    application_ids: Option<Vec<Uuid>>,
    database_ids: Option<Vec<Uuid>>,
    container_ids: Option<Vec<Uuid>>,
}

#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
struct CleanRequest {
    job_ids: Option<Vec<Uuid>>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct Cleaned {
    clean_job_ids: Vec<Uuid>,
    clean_kubernetes_jobs: Vec<String>,
}

/// Refuses services of kinds that this server has none of.
fn refuse_others(given: &[(&str, usize)]) -> Result<()> {
    match given.iter().find(|(_, count)| *count > 0) {
        Some((field, _)) => Err(Error::invalid(*field, "this server has jobs only")),
        None => Ok(()),
    }
}

fn count<T>(list: &Option<Vec<T>>) -> usize {
    list.as_ref().map_or(0, Vec::len)
}

impl EnvironmentServiceIdsAllRequest {
    fn jobs(self) -> Result<Vec<Uuid>> {
        let Self { application_ids, container_ids, database_ids, job_ids, helm_ids, terraform_ids } = self;
        refuse_others(&[
            ("application_ids", count(&application_ids)),
            ("container_ids", count(&container_ids)),
            ("database_ids", count(&database_ids)),
            ("helm_ids", count(&helm_ids)),
            ("terraform_ids", count(&terraform_ids)),
        ])?;
        some("job_ids", job_ids.unwrap_or_default())
    }
}

/// A list of ids that is neither empty nor too long, each once.
fn some(field: &str, mut ids: Vec<Uuid>) -> Result<Vec<Uuid>> {
    if ids.is_empty() || ids.len() > limits::ITEMS {
        return Err(Error::invalid(field, format!("has not between 1 and {} items", limits::ITEMS)));
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// The handlers.
pub(super) struct ServiceApi(pub(super) Arc<App>);

/// A list that is there, and empty.
macro_rules! none {
    ($self:ident, $auth:ident, $id:ident) => {{
        $self.environment(&$auth, Action::View, $id).await?;
        Ok(Json(Results { results: Vec::new() }))
    }};
}

#[OpenApi]
impl ServiceApi {
    #[oai(path = "/environment/:environmentId/services", method = "get", operation_id = "listServicesByEnvironmentId", tag = Tag::EnvironmentMainCalls)]
    async fn list_services_by_environment_id(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<JsonStream<Results<JobResponse>>> {
        let row = self.environment(&auth, Action::View, environment_id).await?;
        Ok(job_api::all(&self.0, row.id))
    }

    #[oai(path = "/environment/:environmentId/application", method = "get", operation_id = "listApplication", tag = Tag::Applications)]
    async fn list_application(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        #[oai(name = "toUpdate", default)] _to_update: Query<bool>,
    ) -> Result<Success<Results<Never>>> {
        none!(self, auth, environment_id)
    }

    #[oai(path = "/environment/:environmentId/container", method = "get", operation_id = "listContainer", tag = Tag::Containers)]
    async fn list_container(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Success<Results<Never>>> {
        none!(self, auth, environment_id)
    }

    #[oai(path = "/environment/:environmentId/database", method = "get", operation_id = "listDatabase", tag = Tag::Databases)]
    async fn list_database(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Success<Results<Never>>> {
        none!(self, auth, environment_id)
    }

    #[oai(path = "/environment/:environmentId/helm", method = "get", operation_id = "listHelms", tag = Tag::Helms)]
    async fn list_helms(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        #[oai(name = "toUpdate", default)] _to_update: Query<bool>,
    ) -> Result<Success<Results<Never>>> {
        none!(self, auth, environment_id)
    }

    #[oai(path = "/environment/:environmentId/terraform", method = "get", operation_id = "listTerraforms", tag = Tag::Terraforms)]
    async fn list_terraforms(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Success<Results<Never>>> {
        none!(self, auth, environment_id)
    }

    #[oai(path = "/environment/:environmentId/service/deploy", method = "post", operation_id = "deployAllServices", tag = Tag::EnvironmentActions)]
    async fn deploy_all_services(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        body: Body<DeployAllRequest>,
    ) -> Result<Accepted<EnvironmentStatus>> {
        let row = self.environment(&auth, Action::Deploy, environment_id).await?;
        let DeployAllRequest { applications, databases, containers, jobs, helms, terraforms } = body.0;
        refuse_others(&[
            ("applications", count(&applications)),
            ("databases", count(&databases)),
            ("containers", count(&containers)),
            ("helms", count(&helms)),
            ("terraforms", count(&terraforms)),
        ])?;
        let jobs = jobs.unwrap_or_default();
        let missing = |place: usize| Error::invalid(format!("jobs[{place}].id"), "is missing");
        let ids = jobs.iter().enumerate().map(|(place, one)| one.id.ok_or_else(|| missing(place)));
        let ids = some("jobs", ids.collect::<Result<_>>()?)?;
        let rows = self.jobs(&auth, Action::Deploy, &row, "jobs", &ids).await?;
        let now = self.0.clock.now();
        let mut targets = Vec::with_capacity(rows.len());
        for mut job in rows {
            let found = jobs.iter().enumerate().find(|(_, one)| one.id == Some(job.id.0));
            let (edit, commit) = match found {
                Some((place, JobToDeploy { id: _, image_tag, git_commit_id })) => {
                    let version = Version { image_tag: image_tag.clone(), git_commit_id: git_commit_id.clone() };
                    version.apply(&format!("jobs[{place}]."), &mut job, now)?
                }
                None => (None, None),
            };
            targets.push(Target { edit, commit, ..Target::from(job) });
        }
        command::request_jobs(&self.0, &auth.requester(), row.id, targets, DeploymentAction::Deploy).await?;
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
        command::delete_jobs(&self.0, &auth.requester(), row.id, jobs, removal).await?;
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
        refuse_others(&[
            ("application_ids", count(&application_ids)),
            ("database_ids", count(&database_ids)),
            ("container_ids", count(&container_ids)),
        ])?;
        Err(Error::invalid("application_ids", "there is nothing to restart: this server has jobs only"))
    }

    #[oai(path = "/environment/:environmentId/cleanFailedJobs", method = "post", operation_id = "cleanFailedJobs", tag = Tag::EnvironmentActions)]
    async fn clean_failed_jobs(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        body: Body<CleanRequest>,
    ) -> Result<Success<Cleaned>> {
        let row = self.environment(&auth, Action::Deploy, environment_id).await?;
        let ids = some("job_ids", body.0.job_ids.unwrap_or_default())?;
        let jobs = self.jobs(&auth, Action::Deploy, &row, "job_ids", &ids).await?;
        let (clean_job_ids, clean_kubernetes_jobs) = job_api::clean(&self.0, jobs).await?;
        Ok(Json(Cleaned { clean_job_ids, clean_kubernetes_jobs }))
    }
}

impl ServiceApi {
    async fn environment(&self, auth: &Auth, action: Action, id: Path<Uuid>) -> Result<environment::Model> {
        access::environment(&self.0.db, &auth.0, action, EnvironmentId(id.0)).await
    }

    /// Jobs of an environment that the caller was allowed to reach.
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
        let targets = jobs.into_iter().map(Target::from).collect();
        command::request_jobs(&self.0, &auth.requester(), row.id, targets, action).await?;
        Ok(EmptyResponse)
    }
}
