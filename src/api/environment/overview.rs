//! /project/{projectId}/environment/overview and /project/{projectId}/environment/stats.

use std::sync::Arc;

use entity::environment;
use entity::id::ProjectId;
use poem_openapi::param::Path;
use poem_openapi::{Enum, Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::response::EnvironmentModeEnum;
use super::visible::visible;
use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::cluster::CloudVendorEnum;
use crate::api::status::{self, EnvironmentStatus};
use crate::api::tag::Tag;
use crate::api::wire::{Json, Results, Success, Timestamp};
use crate::app::App;
use crate::error::Result;
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

/// The number of services in an environment.
#[derive(Debug, Serialize, Deserialize, Object)]
struct EnvironmentStats {
    id: Uuid,
    service_total_number: i64,
}

pub(in crate::api) struct OverviewApi(pub(in crate::api) Arc<App>);

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
        let rows = visible(&self.0, &auth, &project).await?;
        let statuses = status::of_environments(&self.0.db, &rows).await?;
        for (row, deployment_status) in rows.into_iter().zip(statuses) {
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

    #[oai(path = "/project/:projectId/environment/stats", method = "get", operation_id = "getProjectEnvironmentServiceNumber", tag = Tag::Environments)]
    async fn get_project_environment_service_number(
        &self,
        auth: Auth,
        #[oai(name = "projectId")] project_id: Path<Uuid>,
    ) -> Result<Success<Results<EnvironmentStats>>> {
        let project = access::project(&self.0.db, &auth.0, Action::View, ProjectId(project_id.0)).await?;
        let counts = store::job::count_by_environment(&self.0.db, project.organization_id).await?;
        let rows = visible(&self.0, &auth, &project).await?.into_iter();
        let answer = |row: environment::Model| EnvironmentStats {
            id: row.id.0,
            service_total_number: counts.get(&row.id).copied().unwrap_or(0),
        };
        Ok(Json(Results { results: rows.map(answer).collect() }))
    }
}
