//! /project/{projectId}/deploymentRule: the defaults for new environments of a project.

mod body;
pub(super) mod priority;

use std::sync::Arc;

use entity::deployment_rule::Weekdays;
use entity::environment::Mode;
use entity::id::{ClusterId, ProjectId, ProjectRuleId};
use entity::project;
use entity::project_rule::Model;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use uuid::Uuid;

use self::body::{ProjectDeploymentRule, ProjectDeploymentRuleRequest, change};
use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::wire::{Body, Created, EmptyResponse, Json, NoContent, Results, Success};
use crate::api::{audit, tag::Tag};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

const TAKEN: &str = "this project already has a deployment rule with this name";

pub(in crate::api) struct ProjectRuleApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl ProjectRuleApi {
    #[oai(path = "/project/:projectId/deploymentRule", method = "get", operation_id = "listProjectDeploymentRules", tag = Tag::ProjectDeploymentRule)]
    async fn list_project_deployment_rules(
        &self,
        auth: Auth,
        #[oai(name = "projectId")] project_id: Path<Uuid>,
    ) -> Result<Success<Results<ProjectDeploymentRule>>> {
        let project = access::project(&self.0.db, &auth.0, Action::View, ProjectId(project_id.0)).await?;
        let rows = store::project_rule::list_by_project(&self.0.db, project.id).await?;
        Ok(Json(Results { results: rows.into_iter().map(ProjectDeploymentRule::from).collect() }))
    }

    #[oai(path = "/project/:projectId/deploymentRule", method = "post", operation_id = "createDeploymentRule", tag = Tag::ProjectDeploymentRule)]
    async fn create_deployment_rule(
        &self,
        auth: Auth,
        #[oai(name = "projectId")] project_id: Path<Uuid>,
        body: Body<ProjectDeploymentRuleRequest>,
    ) -> Result<Created<ProjectDeploymentRule>> {
        let project = access::project(&self.0.db, &auth.0, Action::Manage, ProjectId(project_id.0)).await?;
        let clusters = store::cluster::list_by_organization(&self.0.db, project.organization_id).await?;
        let now = self.0.clock.now();
        let row = Model {
            id: ProjectRuleId::create(),
            organization_id: project.organization_id,
            created_at: now,
            updated_at: now,
            project_id: project.id,
            cluster_id: ClusterId(Uuid::nil()),
            name: String::new(),
            name_key: String::new(),
            description: String::new(),
            mode: Mode::Development,
            auto_deploy: false,
            auto_stop: false,
            auto_delete: false,
            timezone: String::new(),
            start_time: now,
            stop_time: now,
            weekdays: Weekdays::default(),
            wildcard: String::new(),
            position: i32::MAX,
        };
        let row = body.0.apply(row, &clusters)?;
        let answer = audit::write(&self.0, &auth, project.organization_id, async |tx| {
            let rows = store::project_rule::list_by_project(tx, project.id).await?;
            if rows.len() as u64 >= store::project_rule::MOST {
                return Err(Error::Conflict(format!(
                    "the project already has {} deployment rules, the maximum",
                    rows.len()
                )));
            }
            let last = rows.last().map_or(0, |last| last.position.saturating_add(1));
            let row = Model { position: row.position.min(last), ..row };
            let row = store::row::create(tx, row).await.map_err(|e| Error::or_taken(e, TAKEN))?;
            let answer = ProjectDeploymentRule::from(row);
            let change = change("CREATE", &project).after(&answer);
            Ok((answer, change))
        })
        .await?;
        Ok(Json(answer))
    }

    #[oai(path = "/project/:projectId/deploymentRule/:deploymentRuleId", method = "get", operation_id = "getProjectDeploymentRule", tag = Tag::ProjectDeploymentRule)]
    async fn get_project_deployment_rule(
        &self,
        auth: Auth,
        #[oai(name = "projectId")] project_id: Path<Uuid>,
        #[oai(name = "deploymentRuleId")] deployment_rule_id: Path<Uuid>,
    ) -> Result<Success<ProjectDeploymentRule>> {
        let (_, row) = self.load(&auth, Action::View, project_id.0, deployment_rule_id.0).await?;
        Ok(Json(row.into()))
    }

    #[oai(path = "/project/:projectId/deploymentRule/:deploymentRuleId", method = "put", operation_id = "editProjectDeployemtnRule", tag = Tag::ProjectDeploymentRule)]
    async fn edit_project_deployment_rule(
        &self,
        auth: Auth,
        #[oai(name = "projectId")] project_id: Path<Uuid>,
        #[oai(name = "deploymentRuleId")] deployment_rule_id: Path<Uuid>,
        body: Body<ProjectDeploymentRuleRequest>,
    ) -> Result<Success<ProjectDeploymentRule>> {
        let (project, row) = self.load(&auth, Action::Manage, project_id.0, deployment_rule_id.0).await?;
        let clusters = store::cluster::list_by_organization(&self.0.db, project.organization_id).await?;
        let (id, now) = (row.id, self.0.clock.now());
        let answer = audit::write(&self.0, &auth, project.organization_id, async |tx| {
            // Others may put the rules into another order at the same time.
            let edit = |stored: Model| Ok(Model { updated_at: now, ..body.0.apply(stored, &clusters)? });
            let changed = store::row::change(tx, id, edit, |e| Error::or_taken(e, TAKEN)).await?;
            let (before, row) = changed.ok_or(Error::NotFound("deployment rule"))?;
            let answer = ProjectDeploymentRule::from(row);
            let change = change("UPDATE", &project).before(&ProjectDeploymentRule::from(before)).after(&answer);
            Ok((answer, change))
        })
        .await?;
        Ok(Json(answer))
    }

    #[oai(path = "/project/:projectId/deploymentRule/:deploymentRuleId", method = "delete", operation_id = "deleteProjectDeploymentRule", tag = Tag::ProjectDeploymentRule)]
    async fn delete_project_deployment_rule(
        &self,
        auth: Auth,
        #[oai(name = "projectId")] project_id: Path<Uuid>,
        #[oai(name = "deploymentRuleId")] deployment_rule_id: Path<Uuid>,
    ) -> Result<NoContent> {
        let (project, row) = self.load(&auth, Action::Manage, project_id.0, deployment_rule_id.0).await?;
        audit::write(&self.0, &auth, project.organization_id, async |tx| {
            store::row::delete::<Model>(tx, row.id).await?;
            Ok(((), change("DELETE", &project).before(&ProjectDeploymentRule::from(row))))
        })
        .await?;
        Ok(EmptyResponse)
    }
}

impl ProjectRuleApi {
    async fn load(&self, auth: &Auth, action: Action, project: Uuid, id: Uuid) -> Result<(project::Model, Model)> {
        access::project_rule(&self.0.db, &auth.0, action, ProjectId(project), ProjectRuleId(id)).await
    }
}
