//! The agents of a cluster that the server cannot reach. A Windlass extension.

use std::sync::Arc;

use entity::agent;
use entity::id::{AgentId, ClusterId, OrganizationId};
use poem_openapi::param::Path;
use poem_openapi::{Enum, Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::caller::Auth;
use super::super::tag::Tag;
use super::super::wire::{Created, EmptyResponse, Json, NoContent, Results, StrictBody, Success, Timestamp};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::cluster::agent_status::{AgentStatus, status_of};
use crate::engine::settings::agent_settings;
use crate::error::Result;
use crate::store;

#[derive(Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum ClusterAgentStatusEnum {
    NeverConnected,
    Connected,
    Disconnected,
}

#[derive(Debug, Deserialize, Object)]
struct ClusterAgentRequest {
    name: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct ClusterAgent {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    name: String,
    status: ClusterAgentStatusEnum,
    last_seen_at: Option<Timestamp>,
    version: Option<String>,
    runner: Option<String>,
    capacity: Option<i32>,
    running_steps: i32,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct ClusterAgentCreate {
    #[serde(flatten)]
    #[oai(flatten)]
    stored: ClusterAgent,
    token: String,
}

impl ClusterAgent {
    fn new(app: &App, row: agent::Model, running: u64) -> Self {
        let status = match status_of(app, &row) {
            AgentStatus::NeverConnected => ClusterAgentStatusEnum::NeverConnected,
            AgentStatus::Connected => ClusterAgentStatusEnum::Connected,
            AgentStatus::Disconnected => ClusterAgentStatusEnum::Disconnected,
        };
        let agent::Model {
            id,
            organization_id: _,
            cluster_id: _,
            created_at,
            updated_at,
            name,
            hash: _,
            session: _,
            place: _,
            version,
            runner,
            capacity,
            seen_at,
        } = row;
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            name,
            status,
            last_seen_at: seen_at.map(Timestamp),
            version,
            runner,
            capacity,
            running_steps: i32::try_from(running).unwrap_or(i32::MAX),
        }
    }
}

pub(in crate::api) struct ClusterAgentApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl ClusterAgentApi {
    #[oai(path = "/organization/:organizationId/cluster/:clusterId/agent", method = "get", operation_id = "listClusterAgents", tag = Tag::Clusters)]
    async fn list_cluster_agents(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "clusterId")] cluster_id: Path<Uuid>,
    ) -> Result<Success<Results<ClusterAgent>>> {
        let (organization, cluster) = (OrganizationId(organization_id.0), ClusterId(cluster_id.0));
        access::cluster(&self.0.db, &auth.0, Action::ViewCluster, organization, cluster).await?;
        let mut results = Vec::new();
        for row in store::agent::list_of(&self.0.db, cluster).await? {
            let running = store::agent_step::count_open(&self.0.db, row.id).await?;
            results.push(ClusterAgent::new(&self.0, row, running));
        }
        Ok(Json(Results { results }))
    }

    #[oai(path = "/organization/:organizationId/cluster/:clusterId/agent", method = "post", operation_id = "createClusterAgent", tag = Tag::Clusters)]
    async fn create_cluster_agent(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "clusterId")] cluster_id: Path<Uuid>,
        body: StrictBody<ClusterAgentRequest>,
    ) -> Result<Created<ClusterAgentCreate>> {
        let (organization, cluster) = (OrganizationId(organization_id.0), ClusterId(cluster_id.0));
        let cluster = access::cluster(&self.0.db, &auth.0, Action::ManageCluster, organization, cluster).await?;
        let (row, token) = agent_settings::create(&self.0, &auth.requester(), cluster, &body.0.name).await?;
        let stored = ClusterAgent::new(&self.0, row, 0);
        Ok(Json(ClusterAgentCreate { stored, token: token.expose().clone() }))
    }

    #[oai(path = "/organization/:organizationId/cluster/:clusterId/agent/:agentId", method = "delete", operation_id = "deleteClusterAgent", tag = Tag::Clusters)]
    async fn delete_cluster_agent(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "clusterId")] cluster_id: Path<Uuid>,
        #[oai(name = "agentId")] agent_id: Path<Uuid>,
    ) -> Result<NoContent> {
        let cluster = (OrganizationId(organization_id.0), ClusterId(cluster_id.0));
        let agent = AgentId(agent_id.0);
        let row = access::agent(&self.0.db, &auth.0, Action::ManageCluster, cluster, agent).await?;
        agent_settings::remove(&self.0, &auth.requester(), row).await?;
        Ok(EmptyResponse)
    }
}
