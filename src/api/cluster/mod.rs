//! Clusters of an organization.
//!
//! Kubernetes clusters are registered, not created. Kubeconfigs are stored sealed, and returned only to callers who may
//! manage the cluster.

mod cloud;
pub(super) mod cloud_provider;
pub(super) mod cluster_agent;
mod readiness;
mod request;
mod response;

use std::sync::Arc;

use entity::cluster::{ClusterKind, Model};
use entity::id::{ClusterId, OrganizationId};
use poem::http::HeaderMap;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use uuid::Uuid;

pub(super) use self::cloud::CloudVendorEnum;
use self::readiness::{ClusterReadinessStatus, ClusterStatus};
use self::request::{ClusterDeleteMode, ClusterRequest};
use self::response::Cluster;
use super::caller::Auth;
use super::tag::Tag;
use super::wire::{Body, Created, EmptyResponse, Json, NoContent, Results, Success, Yaml, YamlBody};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::cluster::usable::{Usable, usable};
use crate::engine::settings::cluster_settings;
use crate::error::{Error, Result};
use crate::secret;
use crate::store;

pub(super) struct ClusterApi(pub(super) Arc<App>);

#[OpenApi]
impl ClusterApi {
    #[oai(path = "/organization/:organizationId/cluster", method = "get", operation_id = "listOrganizationCluster", tag = Tag::Clusters)]
    async fn list_organization_cluster(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Success<Results<Cluster>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ViewCluster, id).await?;
        let rows = store::cluster::list_by_organization(&self.0.db, id).await?;
        let response = |row| Cluster::new(&self.0, row);
        Ok(Json(Results { results: rows.into_iter().map(response).collect() }))
    }

    #[oai(path = "/organization/:organizationId/cluster", method = "post", operation_id = "createCluster", tag = Tag::Clusters)]
    async fn create_cluster(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        body: Body<ClusterRequest>,
    ) -> Result<Created<Cluster>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ManageCluster, id).await?;
        let row = cluster_settings::create(&self.0, &auth.requester(), id, body.0.wanted()?).await?;
        Ok(Json(Cluster::new(&self.0, row)))
    }

    #[oai(path = "/organization/:organizationId/cluster/status", method = "get", operation_id = "getOrganizationClusterStatus", tag = Tag::Clusters)]
    async fn get_organization_cluster_status(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Success<Results<ClusterStatus>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ViewCluster, id).await?;
        let rows = store::cluster::list_by_organization(&self.0.db, id).await?;
        Ok(Json(Results { results: rows.iter().map(|row| ClusterStatus::new(&self.0, row)).collect() }))
    }

    #[oai(path = "/organization/:organizationId/cluster/:clusterId", method = "put", operation_id = "editCluster", tag = Tag::Clusters)]
    async fn edit_cluster(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "clusterId")] cluster_id: Path<Uuid>,
        body: Body<ClusterRequest>,
    ) -> Result<Success<Cluster>> {
        let row = self.load(&auth, Action::ManageCluster, organization_id.0, cluster_id.0).await?;
        let row = cluster_settings::edit(&self.0, &auth.requester(), row, body.0.wanted()?).await?;
        Ok(Json(Cluster::new(&self.0, row)))
    }

    #[oai(path = "/organization/:organizationId/cluster/:clusterId", method = "delete", operation_id = "deleteCluster", tag = Tag::Clusters)]
    async fn delete_cluster(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "clusterId")] cluster_id: Path<Uuid>,
        #[oai(name = "deleteMode", default)] delete_mode: Query<ClusterDeleteMode>,
        #[oai(name = "skipReconcile", default)] _skip_reconcile: Query<bool>,
    ) -> Result<NoContent> {
        let row = self.load(&auth, Action::ManageCluster, organization_id.0, cluster_id.0).await?;
        if matches!(delete_mode.0, ClusterDeleteMode::DeleteClusterAndQoveryConfig) {
            return Err(Error::invalid(
                "deleteMode",
                "must be DEFAULT or DELETE_QOVERY_CONFIG: this server does not delete the cluster itself",
            ));
        }
        cluster_settings::delete(&self.0, &auth.requester(), row).await?;
        Ok(EmptyResponse)
    }

    #[oai(path = "/organization/:organizationId/cluster/:clusterId/status", method = "get", operation_id = "getClusterStatus", tag = Tag::Clusters)]
    async fn get_cluster_status(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "clusterId")] cluster_id: Path<Uuid>,
    ) -> Result<Success<ClusterStatus>> {
        let row = self.load(&auth, Action::ViewCluster, organization_id.0, cluster_id.0).await?;
        Ok(Json(ClusterStatus::new(&self.0, &row)))
    }

    #[oai(path = "/organization/:organizationId/cluster/:clusterId/isReady", method = "get", operation_id = "getClusterReadinessStatus", tag = Tag::Clusters)]
    async fn get_cluster_readiness_status(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "clusterId")] cluster_id: Path<Uuid>,
    ) -> Result<Success<ClusterReadinessStatus>> {
        let row = self.load(&auth, Action::ViewCluster, organization_id.0, cluster_id.0).await?;
        Ok(Json(ClusterReadinessStatus { is_ready: usable(&self.0, &row) == Usable::Yes }))
    }

    #[oai(path = "/organization/:organizationId/cluster/:clusterId/kubeconfig", method = "get", operation_id = "getClusterKubeconfig", tag = Tag::Clusters)]
    async fn get_cluster_kubeconfig(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "clusterId")] cluster_id: Path<Uuid>,
        with_token_from_cli: Query<Option<bool>>,
        read_only: Query<Option<bool>>,
        headers: &HeaderMap,
    ) -> Result<Yaml> {
        let row = self.load(&auth, Action::ManageCluster, organization_id.0, cluster_id.0).await?;
        let _unused = (with_token_from_cli, read_only);
        let sealed = row.kubeconfig.as_ref().ok_or(Error::NotFound("kubeconfig"))?;
        let text = self.0.keys.open_text(&secret::place("cluster", row.id.0), sealed)?;
        Ok(Yaml::new(text.expose().clone(), headers))
    }

    #[oai(path = "/organization/:organizationId/cluster/:clusterId/kubeconfig", method = "put", operation_id = "editClusterKubeconfig", tag = Tag::Clusters)]
    async fn edit_cluster_kubeconfig(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "clusterId")] cluster_id: Path<Uuid>,
        body: YamlBody,
    ) -> Result<NoContent> {
        let row = self.load(&auth, Action::ManageCluster, organization_id.0, cluster_id.0).await?;
        if row.kind == ClusterKind::Local {
            return Err(Error::invalid("clusterId", "is the local cluster, which has no kubeconfig"));
        }
        cluster_settings::set_kubeconfig(&self.0, &auth.requester(), row, ("body", &body.0)).await?;
        Ok(EmptyResponse)
    }
}

impl ClusterApi {
    async fn load(&self, auth: &Auth, action: Action, organization: Uuid, id: Uuid) -> Result<Model> {
        access::cluster(&self.0.db, &auth.0, action, OrganizationId(organization), ClusterId(id)).await
    }
}
