//! Lists and counts of the environments, services and projects of an organization.

use std::collections::HashMap;
use std::sync::Arc;

use entity::environment;
use entity::id::{ClusterId, EnvironmentId, OrganizationId, ProjectId};
use poem_openapi::param::{Path, Query};
use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::response::EnvironmentModeEnum;
use crate::access::{self, Action, Location};
use crate::api::caller::Auth;
use crate::api::job::{JobTypeEnum, ServiceTypeEnum};
use crate::api::tag::Tag;
use crate::api::wire::{Json, ReferenceObject, Results, Success, Timestamp};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

#[derive(Debug, Serialize, Deserialize, Object)]
struct OrganizationEnvironmentResponse {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    name: String,
    organization: ReferenceObject,
    project: ReferenceObject,
    mode: EnvironmentModeEnum,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct ServiceLightResponse {
    id: Uuid,
    name: String,
    description: String,
    icon_uri: String,
    service_type: ServiceTypeEnum,
    project_id: Uuid,
    project_name: String,
    environment_id: Uuid,
    environment_name: String,
    cluster_id: Uuid,
    job_type: JobTypeEnum,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct ProjectStats {
    id: Uuid,
    service_total_number: i64,
    environment_total_number: i64,
}

/// Maximum services in one list.
const MOST: usize = 10_000;

fn uuid(field: &str, given: Option<String>) -> Result<Option<Uuid>> {
    let given = given.filter(|text| !text.is_empty());
    given.map(|text| text.parse().map_err(|_| Error::invalid(field, "must be a UUID"))).transpose()
}

pub(in crate::api) struct OrganizationOverviewApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl OrganizationOverviewApi {
    #[oai(path = "/organization/:organizationId/environments", method = "get", operation_id = "listEnvironmentsByOrganizationId", tag = Tag::OrganizationMainCalls)]
    async fn list_environments_by_organization_id(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Success<Results<OrganizationEnvironmentResponse>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::View, id).await?;
        let rows = self.environments(&auth, id).await?;
        let answer = |row: environment::Model| OrganizationEnvironmentResponse {
            id: row.id.0,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
            name: row.name,
            organization: ReferenceObject { id: row.organization_id.0 },
            project: ReferenceObject { id: row.project_id.0 },
            mode: row.mode.into(),
        };
        Ok(Json(Results { results: rows.into_iter().map(answer).collect() }))
    }

    #[oai(path = "/organization/:organizationId/services", method = "get", operation_id = "listServicesByOrganizationId", tag = Tag::OrganizationMainCalls)]
    async fn list_services_by_organization_id(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        project_id: Query<Option<String>>,
        environment_id: Query<Option<String>>,
        cluster_id: Query<Option<String>>,
    ) -> Result<Success<Results<ServiceLightResponse>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::View, id).await?;
        let filter = (
            uuid("project_id", project_id.0)?.map(ProjectId),
            uuid("environment_id", environment_id.0)?.map(EnvironmentId),
            uuid("cluster_id", cluster_id.0)?.map(ClusterId),
        );
        let (mut results, mut after) = (Vec::new(), None);
        while results.len() < MOST {
            let page = store::job::list_by_organization(&self.0.db, id, filter, after).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.created_at, last.id));
            for (job, environment, project) in store::job_usage::locate(&self.0.db, page).await? {
                if !auth.0.may(id, Action::View, &access::location(&environment)) {
                    continue;
                }
                results.push(ServiceLightResponse {
                    id: job.id.0,
                    name: job.name,
                    description: job.spec.description,
                    icon_uri: job.spec.icon_uri,
                    service_type: ServiceTypeEnum::Job,
                    project_id: project.id.0,
                    project_name: project.name,
                    environment_id: environment.id.0,
                    environment_name: environment.name,
                    cluster_id: environment.cluster_id.0,
                    job_type: job.job_type.into(),
                });
            }
        }
        Ok(Json(Results { results }))
    }

    #[oai(path = "/organization/:organizationId/project/stats", method = "get", operation_id = "getOrganizationProjectStats", tag = Tag::Projects)]
    async fn get_organization_project_stats(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Success<Results<ProjectStats>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::View, id).await?;
        let counts = store::job::count_by_environment(&self.0.db, id).await?;
        let mut stats: HashMap<ProjectId, (i64, i64)> = HashMap::new();
        for row in self.environments(&auth, id).await? {
            let (environments, services) = stats.entry(row.project_id).or_default();
            *environments += 1;
            *services += counts.get(&row.id).copied().unwrap_or(0);
        }
        let projects = store::project::list_by_organization(&self.0.db, id).await?;
        let seen =
            |id_of: ProjectId| auth.0.may(id, Action::View, &Location { project: Some(id_of), ..Location::default() });
        let answer = |id: ProjectId| {
            let (environments, services) = stats.get(&id).copied().unwrap_or_default();
            ProjectStats { id: id.0, service_total_number: services, environment_total_number: environments }
        };
        let results = projects.into_iter().map(|row| row.id).filter(|id| seen(*id)).map(answer).collect();
        Ok(Json(Results { results }))
    }
}

impl OrganizationOverviewApi {
    /// The environments of an organization that the caller may see.
    async fn environments(&self, auth: &Auth, id: OrganizationId) -> Result<Vec<environment::Model>> {
        let rows = store::environment::list_by_organization(&self.0.db, id).await?;
        Ok(rows.into_iter().filter(|row| auth.0.may(id, Action::View, &access::location(row))).collect())
    }
}
