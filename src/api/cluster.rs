//! /organization/{organizationId}/cluster.

use std::sync::Arc;

use entity::cluster;
use entity::id::{ClusterId, OrganizationId};
use poem_openapi::param::Path;
use poem_openapi::{Enum, Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Tag;
use super::caller::Auth;
use super::wire::{Answer, Found, ReferenceObject, Results, Timestamp};
use crate::access::{self, Action};
use crate::app::App;
use crate::error::Result;
use crate::store;

#[derive(Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum CloudVendorEnum {
    OnPremise,
}

#[derive(Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum KubernetesEnum {
    SelfManaged,
}

#[derive(Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum ClusterStateEnum {
    Deployed,
}

#[derive(Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum ClusterDeploymentStatusEnum {
    UpToDate,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct Cluster {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    organization: ReferenceObject,
    name: String,
    description: String,
    region: String,
    cloud_provider: CloudVendorEnum,
    kubernetes: KubernetesEnum,
    cpu: i32,
    memory: i32,
    status: ClusterStateEnum,
    has_access: bool,
    is_default: bool,
    production: bool,
    deployment_status: ClusterDeploymentStatusEnum,
}

impl From<cluster::Model> for Cluster {
    fn from(row: cluster::Model) -> Self {
        let cluster::Model {
            id: ClusterId(id),
            organization_id,
            created_at,
            updated_at,
            name,
            description,
            region,
            kind,
            is_default,
            maximum_cpu_milli,
            maximum_memory_mib,
        } = row;
        let status = match kind {
            cluster::ClusterKind::Local => ClusterStateEnum::Deployed,
        };
        Self {
            id,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            organization: ReferenceObject { id: organization_id.0 },
            name,
            description: description.unwrap_or_default(),
            region,
            cloud_provider: CloudVendorEnum::OnPremise,
            kubernetes: KubernetesEnum::SelfManaged,
            cpu: maximum_cpu_milli,
            memory: maximum_memory_mib,
            status,
            has_access: true,
            is_default,
            production: false,
            deployment_status: ClusterDeploymentStatusEnum::UpToDate,
        }
    }
}

/// The handlers.
pub(super) struct ClusterApi(pub(super) Arc<App>);

#[OpenApi]
impl ClusterApi {
    #[oai(path = "/organization/:organizationId/cluster", method = "get", operation_id = "listOrganizationCluster", tag = Tag::Clusters)]
    async fn list_organization_cluster(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Found<Results<Cluster>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ViewCluster, id).await?;
        let rows = store::cluster::list_by_organization(&self.0.db, id).await?;
        Ok(Answer(Results { results: rows.into_iter().map(Cluster::from).collect() }))
    }
}
