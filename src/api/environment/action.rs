//! Actions on a whole environment.

use std::sync::Arc;

use entity::deployment::Action as DeploymentAction;
use entity::environment;
use entity::id::{DeploymentId, EnvironmentId};
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use serde::Deserialize;
use uuid::Uuid;

use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::status::{self, EnvironmentStatus, Status};
use crate::api::tag::Tag;
use crate::api::wire::{Accepted, Body, Empty, EmptyResponse, Json};
use crate::app::App;
use crate::engine::command::{self, RunningRuns};
use crate::error::Result;

#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
struct CancelRequest {
    force_cancel: Option<bool>,
}

pub(in crate::api) struct EnvironmentActionApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl EnvironmentActionApi {
    #[oai(path = "/environment/:environmentId/deploy", method = "post", operation_id = "deployEnvironment", tag = Tag::EnvironmentActions)]
    async fn deploy_environment(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Accepted<Status>> {
        let row = self.load(&auth, environment_id).await?;
        let by = auth.requester();
        let deployment = command::request_environment(&self.0, &by, row.id, DeploymentAction::Deploy).await?;
        Ok(Json(status::of_request(&self.0.db, &deployment).await?))
    }

    #[oai(path = "/environment/:environmentId/redeploy", method = "post", operation_id = "redeployEnvironment", tag = Tag::EnvironmentActions)]
    async fn redeploy_environment(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Accepted<EnvironmentStatus>> {
        self.request(&auth, environment_id, DeploymentAction::Deploy).await
    }

    #[oai(path = "/environment/:environmentId/stop", method = "post", operation_id = "stopEnvironment", tag = Tag::EnvironmentActions)]
    async fn stop_environment(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Accepted<EnvironmentStatus>> {
        self.request(&auth, environment_id, DeploymentAction::Stop).await
    }

    #[oai(path = "/environment/:environmentId/uninstall", method = "post", operation_id = "uninstallEnvironment", tag = Tag::EnvironmentActions)]
    async fn uninstall_environment(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Accepted<Empty>> {
        self.request(&auth, environment_id, DeploymentAction::Uninstall).await?;
        Ok(Json(Empty {}))
    }

    #[oai(path = "/environment/:environmentId/cancelDeployment", method = "post", operation_id = "cancelEnvironmentDeployment", tag = Tag::EnvironmentActions)]
    async fn cancel_environment_deployment(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        body: Body<CancelRequest>,
    ) -> Result<Accepted<EnvironmentStatus>> {
        let row = self.load(&auth, environment_id).await?;
        let runs = if body.0.force_cancel.unwrap_or(false) { RunningRuns::Interrupted } else { RunningRuns::GoOn };
        command::cancel_environment(&self.0, &auth.requester(), row.id, runs).await?;
        Ok(Json(status::of_environment(&self.0.db, row.id).await?))
    }

    #[oai(path = "/deploymentQueue/:deploymentRequestId/cancelDeployment", method = "post", operation_id = "cancelDeploymentRequest", tag = Tag::DeploymentQueueActions)]
    async fn cancel_deployment_request(
        &self,
        auth: Auth,
        #[oai(name = "deploymentRequestId")] deployment_request_id: Path<Uuid>,
        _body: Body<Empty>,
    ) -> Result<EmptyResponse<202>> {
        let id = DeploymentId(deployment_request_id.0);
        let (row, _) = access::deployment(&self.0.db, &auth.0, Action::Deploy, id).await?;
        command::cancel_request(&self.0, &auth.requester(), &row).await?;
        Ok(EmptyResponse)
    }
}

impl EnvironmentActionApi {
    async fn load(&self, auth: &Auth, id: Path<Uuid>) -> Result<environment::Model> {
        access::environment(&self.0.db, &auth.0, Action::Deploy, EnvironmentId(id.0)).await
    }

    async fn request(
        &self,
        auth: &Auth,
        id: Path<Uuid>,
        action: DeploymentAction,
    ) -> Result<Accepted<EnvironmentStatus>> {
        let row = self.load(auth, id).await?;
        command::request_environment(&self.0, &auth.requester(), row.id, action).await?;
        Ok(Json(status::of_environment(&self.0.db, row.id).await?))
    }
}
