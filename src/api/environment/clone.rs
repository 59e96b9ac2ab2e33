//! /environment/{environmentId}/clone.

use std::sync::Arc;

use entity::environment::Mode;
use entity::id::{ClusterId, EnvironmentId, ProjectId};
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use serde::Deserialize;
use uuid::Uuid;

use super::response::{Environment, EnvironmentModeEnum, environment_response};
use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::tag::Tag;
use crate::api::wire::{Accepted, Body, Json};
use crate::app::App;
use crate::engine::copy_environment::RuleOfCopy;
use crate::engine::new_environment::{self, Copy};
use crate::error::Result;

#[derive(Debug, Deserialize, Object)]
struct CloneEnvironmentRequest {
    name: String,
    #[serde(default)]
    #[oai(default)]
    cluster_id: Option<Uuid>,
    #[serde(default)]
    #[oai(default)]
    mode: Option<EnvironmentModeEnum>,
    #[serde(default)]
    #[oai(default)]
    apply_deployment_rule: Option<bool>,
    #[serde(default)]
    #[oai(default)]
    project_id: Option<Uuid>,
}

pub(in crate::api) struct EnvironmentCloneApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl EnvironmentCloneApi {
    #[oai(path = "/environment/:environmentId/clone", method = "post", operation_id = "cloneEnvironment", tag = Tag::EnvironmentActions)]
    async fn clone_environment(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        body: Body<CloneEnvironmentRequest>,
    ) -> Result<Accepted<Environment>> {
        let id = EnvironmentId(environment_id.0);
        let source = access::environment(&self.0.db, &auth.0, Action::Manage, id).await?;
        let CloneEnvironmentRequest { name, cluster_id, mode, apply_deployment_rule, project_id } = body.0;
        let copy = Copy {
            name,
            project: project_id.map(ProjectId),
            cluster: cluster_id.map(ClusterId),
            mode: mode.map(Mode::from),
            rule: if apply_deployment_rule.unwrap_or(false) { RuleOfCopy::Same } else { RuleOfCopy::None },
        };
        let project = copy.project.unwrap_or(source.project_id);
        let project = access::project(&self.0.db, &auth.0, Action::View, project).await?;
        let (cluster, mode) = new_environment::place_of_copy(&self.0, &source, &project, &copy).await?;
        access::new_environment(&auth.0, &project, mode, cluster.id)?;
        let by = auth.requester();
        let (row, cluster) = new_environment::copy(&self.0, &by, &source, &project, (cluster, mode), copy).await?;
        Ok(Json(environment_response(row, cluster)))
    }
}
