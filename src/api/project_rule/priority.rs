//! /project/{projectId}/deploymentRule/order: the priority of the deployment rules of a project.

use std::sync::Arc;

use entity::id::ProjectId;
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use serde::Deserialize;
use uuid::Uuid;

use super::body::change;
use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::wire::{Body, EmptyResponse, NoContent};
use crate::api::{audit, tag::Tag};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
struct ProjectDeploymentRulesPriorityOrderRequest {
    project_deployment_rule_ids_in_order: Option<Vec<String>>,
}

pub(in crate::api) struct ProjectRuleOrderApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl ProjectRuleOrderApi {
    #[oai(path = "/project/:projectId/deploymentRule/order", method = "put", operation_id = "updateDeploymentRulesPriorityOrder", tag = Tag::ProjectDeploymentRule)]
    async fn update_deployment_rules_priority_order(
        &self,
        auth: Auth,
        #[oai(name = "projectId")] project_id: Path<Uuid>,
        body: Body<ProjectDeploymentRulesPriorityOrderRequest>,
    ) -> Result<NoContent> {
        const FIELD: &str = "project_deployment_rule_ids_in_order";
        let project = access::project(&self.0.db, &auth.0, Action::Manage, ProjectId(project_id.0)).await?;
        let first_ids = body.0.project_deployment_rule_ids_in_order.unwrap_or_default();
        audit::write(&self.0, &auth, project.organization_id, async |tx| {
            let rows = store::project_rule::list_by_project(tx, project.id).await?;
            let mut order = Vec::new();
            for (place, text) in first_ids.iter().enumerate() {
                let row = rows.iter().find(|row| row.id.to_string() == *text && !order.contains(&row.id));
                let missing =
                    || Error::invalid(format!("{FIELD}[{place}]"), "is not a rule of this project, or is repeated");
                order.push(row.ok_or_else(missing)?.id);
            }
            // Rules that are not in the list keep their order, after the others.
            let rest: Vec<_> = rows.iter().map(|row| row.id).filter(|id| !order.contains(id)).collect();
            order.extend(rest);
            for (position, id) in (0_i32..).zip(&order) {
                store::project_rule::set_position(tx, *id, position).await?;
            }
            Ok(((), change("UPDATE", &project).after(&order)))
        })
        .await?;
        Ok(EmptyResponse)
    }
}
