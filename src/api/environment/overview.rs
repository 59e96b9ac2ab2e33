//! Overviews: the environments of a project and of an organization, the services of an organization, their numbers.

use std::collections::HashMap;
use std::sync::Arc;

use entity::environment;
use entity::id::{ClusterId, EnvironmentId, OrganizationId, ProjectId};
use poem_openapi::param::{Path, Query};
use poem_openapi::{Enum, Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::caller::Auth;
use super::super::cluster::CloudVendorEnum;
use super::super::job::{JobTypeEnum, ServiceTypeEnum};
use super::super::status::{self, EnvironmentStatus};
use super::super::tag::Tag;
use super::super::wire::{Json, ReferenceObject, Results, Success, Timestamp};
use super::{EnvironmentModeEnum, visible};
use crate::access::{self, Action, Place};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

#[derive(Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum ManagedBy {
    Qovery,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct ClusterOverviewResponse {
    id: Uuid,
    name: String,
    cloud_provider: CloudVendorEnum,
    is_demo: bool,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct ServicesOverviewResponse {
    service_count: i32,
    managed_by: ManagedBy,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct EnvironmentOverviewResponse {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    name: String,
    mode: EnvironmentModeEnum,
    cluster: ClusterOverviewResponse,
    services_overview: ServicesOverviewResponse,
    deployment_status: EnvironmentStatus,
}

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

/// The most services that are listed at once.
const MOST: usize = 10_000;

fn uuid(field: &str, given: Option<String>) -> Result<Option<Uuid>> {
    let given = given.filter(|text| !text.is_empty());
    given.map(|text| text.parse().map_err(|_| Error::invalid(field, "is not a UUID"))).transpose()
}

/// The handlers.
pub(in super::super) struct OverviewApi(pub(in super::super) Arc<App>);

#[OpenApi]
impl OverviewApi {
    #[oai(path = "/project/:projectId/environment/overview", method = "get", operation_id = "getProjectEnvironmentsOverview", tag = Tag::Environments)]
    async fn get_project_environments_overview(
        &self,
        auth: Auth,
        #[oai(name = "projectId")] project_id: Path<Uuid>,
    ) -> Result<Success<Results<EnvironmentOverviewResponse>>> {
        let project = access::project(&self.0.db, &auth.0, Action::View, ProjectId(project_id.0)).await?;
        let counts = store::job::count_by_environment(&self.0.db, project.organization_id).await?;
        let clusters = store::cluster::list_by_organization(&self.0.db, project.organization_id).await?;
        let mut results = Vec::new();
        for row in visible(&self.0, &auth, &project).await? {
            let deployment_status = status::of_environment(&self.0.db, row.id).await?;
            let cluster = clusters.iter().find(|cluster| cluster.id == row.cluster_id);
            results.push(EnvironmentOverviewResponse {
                id: row.id.0,
                created_at: Timestamp(row.created_at),
                updated_at: Timestamp(row.updated_at),
                name: row.name,
                mode: row.mode.into(),
                cluster: ClusterOverviewResponse {
                    id: row.cluster_id.0,
                    name: cluster.map(|cluster| cluster.name.clone()).unwrap_or_default(),
                    cloud_provider: CloudVendorEnum::OnPremise,
                    is_demo: false,
                },
                services_overview: ServicesOverviewResponse {
                    service_count: counts.get(&row.id).and_then(|n| i32::try_from(*n).ok()).unwrap_or(0),
                    managed_by: ManagedBy::Qovery,
                },
                deployment_status,
            });
        }
        Ok(Json(Results { results }))
    }

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
        let wanted = (
            uuid("project_id", project_id.0)?.map(ProjectId),
            uuid("environment_id", environment_id.0)?.map(EnvironmentId),
            uuid("cluster_id", cluster_id.0)?.map(ClusterId),
        );
        let (mut results, mut after) = (Vec::new(), None);
        while results.len() < MOST {
            let page = store::job::list_by_organization(&self.0.db, id, wanted, after).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.created_at, last.id));
            for (job, environment, project) in store::job_usage::locate(&self.0.db, page).await? {
                if !auth.0.may(id, Action::View, &access::place(&environment)) {
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
        let seen = |id_of: ProjectId| auth.0.may(id, Action::View, &Place { project: Some(id_of), ..Place::default() });
        let answer = |id: ProjectId| {
            let (environments, services) = stats.get(&id).copied().unwrap_or_default();
            ProjectStats { id: id.0, service_total_number: services, environment_total_number: environments }
        };
        let results = projects.into_iter().map(|row| row.id).filter(|id| seen(*id)).map(answer).collect();
        Ok(Json(Results { results }))
    }
}

impl OverviewApi {
    /// The environments of an organization that the caller may see.
    async fn environments(&self, auth: &Auth, id: OrganizationId) -> Result<Vec<environment::Model>> {
        let rows = store::environment::list_by_organization(&self.0.db, id).await?;
        Ok(rows.into_iter().filter(|row| auth.0.may(id, Action::View, &access::place(row))).collect())
    }
}
