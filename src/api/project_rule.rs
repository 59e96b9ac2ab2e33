//! /project/{projectId}/deploymentRule: what new environments of a project begin with.

use std::sync::Arc;

use entity::cluster;
use entity::deployment_rule::{Weekday, Weekdays};
use entity::environment::Mode;
use entity::id::{ClusterId, ProjectId, ProjectRuleId};
use entity::project;
use entity::project_rule::Model;
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Tag;
use super::audit::{self, Change};
use super::caller::Auth;
use super::environment::EnvironmentModeEnum;
use super::environment::rule::WeekdayEnum;
use super::limits;
use super::wire::{Answer, Blank, Body, Created, Found, Gone, Results, Timestamp};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::cron::expression;
use crate::error::{Error, Result};
use crate::store;

const TAKEN: &str = "a deployment rule of this project already has this name";

#[derive(Debug, Deserialize, Object)]
struct ProjectDeploymentRuleRequest {
    name: String,
    #[serde(default)]
    #[oai(default)]
    description: Option<String>,
    mode: EnvironmentModeEnum,
    cluster_id: Uuid,
    #[serde(default)]
    #[oai(default)]
    auto_deploy: Option<bool>,
    #[serde(default)]
    #[oai(default)]
    auto_stop: Option<bool>,
    #[serde(default)]
    #[oai(default)]
    auto_delete: Option<bool>,
    timezone: String,
    start_time: Timestamp,
    stop_time: Timestamp,
    weekdays: Vec<WeekdayEnum>,
    wildcard: String,
    #[serde(default)]
    #[oai(default)]
    priority_index: Option<i32>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct ProjectDeploymentRule {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    name: String,
    description: Option<String>,
    mode: EnvironmentModeEnum,
    cluster_id: Uuid,
    auto_deploy: bool,
    auto_stop: bool,
    auto_delete: bool,
    timezone: String,
    start_time: Timestamp,
    stop_time: Timestamp,
    weekdays: Vec<WeekdayEnum>,
    wildcard: String,
    priority_index: i32,
}

#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
struct ProjectDeploymentRulesPriorityOrderRequest {
    project_deployment_rule_ids_in_order: Option<Vec<String>>,
}

impl From<Model> for ProjectDeploymentRule {
    fn from(row: Model) -> Self {
        Self {
            id: row.id.0,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
            name: row.name,
            description: Some(row.description),
            mode: row.mode.into(),
            cluster_id: row.cluster_id.0,
            auto_deploy: row.auto_deploy,
            auto_stop: row.auto_stop,
            auto_delete: row.auto_delete,
            timezone: row.timezone,
            start_time: Timestamp(row.start_time),
            stop_time: Timestamp(row.stop_time),
            weekdays: row.weekdays.0.into_iter().map(WeekdayEnum::from).collect(),
            wildcard: row.wildcard,
            priority_index: row.position,
        }
    }
}

impl ProjectDeploymentRuleRequest {
    /// Checks a request and writes it into a row.
    fn apply(self, mut row: Model, clusters: &[cluster::Model]) -> Result<Model> {
        row.name = limits::name("name", &self.name)?;
        row.name_key = entity::name_key(&row.name);
        row.description = limits::text("description", self.description.unwrap_or_default())?;
        row.mode = Mode::from(self.mode);
        row.cluster_id = ClusterId(self.cluster_id);
        if !clusters.iter().any(|cluster| cluster.id == row.cluster_id) {
            return Err(Error::invalid("cluster_id", "is not a cluster of this organization"));
        }
        row.auto_deploy = self.auto_deploy.unwrap_or(false);
        row.auto_stop = self.auto_stop.unwrap_or(false);
        row.auto_delete = self.auto_delete.unwrap_or(false);
        expression::parse_timezone(&self.timezone).map_err(|refused| Error::invalid("timezone", refused.0))?;
        row.timezone = self.timezone;
        row.start_time = self.start_time.0;
        row.stop_time = self.stop_time.0;
        if self.weekdays.len() > 7 {
            return Err(Error::invalid("weekdays", "has more than 7 items"));
        }
        row.weekdays = Weekdays(self.weekdays.into_iter().map(Weekday::from).collect());
        if self.wildcard.chars().count() > limits::NAME || self.wildcard.chars().any(char::is_control) {
            return Err(Error::invalid("wildcard", format!("has more than {} characters", limits::NAME)));
        }
        row.wildcard = self.wildcard;
        row.position = self.priority_index.unwrap_or(row.position);
        Ok(row)
    }
}

fn change(kind: &'static str, project: &project::Model) -> Change {
    Change::new(kind, "PROJECT", project.id.0, &project.name).of_project(project).part("DEPLOYMENT_RULE")
}

/// The handlers.
pub(super) struct ProjectRuleApi(pub(super) Arc<App>);

#[OpenApi]
impl ProjectRuleApi {
    #[oai(path = "/project/:projectId/deploymentRule", method = "get", operation_id = "listProjectDeploymentRules", tag = Tag::ProjectDeploymentRule)]
    async fn list_project_deployment_rules(
        &self,
        auth: Auth,
        #[oai(name = "projectId")] project_id: Path<Uuid>,
    ) -> Result<Found<Results<ProjectDeploymentRule>>> {
        let project = access::project(&self.0.db, &auth.0, Action::View, ProjectId(project_id.0)).await?;
        let rows = store::project_rule::list_by_project(&self.0.db, project.id).await?;
        Ok(Answer(Results { results: rows.into_iter().map(ProjectDeploymentRule::from).collect() }))
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
                return Err(Error::Conflict(format!("there are {} rules already, which is the most", rows.len())));
            }
            let last = rows.last().map_or(0, |last| last.position.saturating_add(1));
            let row = Model { position: row.position.min(last), ..row };
            let row = store::row::create(tx, row).await.map_err(|e| Error::or_taken(e, TAKEN))?;
            let answer = ProjectDeploymentRule::from(row);
            let change = change("CREATE", &project).after(&answer);
            Ok((answer, change))
        })
        .await?;
        Ok(Answer(answer))
    }

    #[oai(path = "/project/:projectId/deploymentRule/order", method = "put", operation_id = "updateDeploymentRulesPriorityOrder", tag = Tag::ProjectDeploymentRule)]
    async fn update_deployment_rules_priority_order(
        &self,
        auth: Auth,
        #[oai(name = "projectId")] project_id: Path<Uuid>,
        body: Body<ProjectDeploymentRulesPriorityOrderRequest>,
    ) -> Result<Gone> {
        const FIELD: &str = "project_deployment_rule_ids_in_order";
        let project = access::project(&self.0.db, &auth.0, Action::Manage, ProjectId(project_id.0)).await?;
        let wanted = body.0.project_deployment_rule_ids_in_order.unwrap_or_default();
        audit::write(&self.0, &auth, project.organization_id, async |tx| {
            let rows = store::project_rule::list_by_project(tx, project.id).await?;
            let mut order = Vec::new();
            for (place, text) in wanted.iter().enumerate() {
                let row = rows.iter().find(|row| row.id.to_string() == *text && !order.contains(&row.id));
                let missing =
                    || Error::invalid(format!("{FIELD}[{place}]"), "is not a rule of this project, or is there twice");
                order.push(row.ok_or_else(missing)?.id);
            }
            // Those that are not named keep their order, behind the others.
            let rest: Vec<_> = rows.iter().map(|row| row.id).filter(|id| !order.contains(id)).collect();
            order.extend(rest);
            for (position, id) in (0_i32..).zip(&order) {
                store::project_rule::set_position(tx, *id, position).await?;
            }
            Ok(((), change("UPDATE", &project).after(&order)))
        })
        .await?;
        Ok(Blank)
    }

    #[oai(path = "/project/:projectId/deploymentRule/:deploymentRuleId", method = "get", operation_id = "getProjectDeploymentRule", tag = Tag::ProjectDeploymentRule)]
    async fn get_project_deployment_rule(
        &self,
        auth: Auth,
        #[oai(name = "projectId")] project_id: Path<Uuid>,
        #[oai(name = "deploymentRuleId")] deployment_rule_id: Path<Uuid>,
    ) -> Result<Found<ProjectDeploymentRule>> {
        let (_, row) = self.load(&auth, Action::View, project_id.0, deployment_rule_id.0).await?;
        Ok(Answer(row.into()))
    }

    #[oai(path = "/project/:projectId/deploymentRule/:deploymentRuleId", method = "put", operation_id = "editProjectDeployemtnRule", tag = Tag::ProjectDeploymentRule)]
    async fn edit_project_deployment_rule(
        &self,
        auth: Auth,
        #[oai(name = "projectId")] project_id: Path<Uuid>,
        #[oai(name = "deploymentRuleId")] deployment_rule_id: Path<Uuid>,
        body: Body<ProjectDeploymentRuleRequest>,
    ) -> Result<Found<ProjectDeploymentRule>> {
        let (project, row) = self.load(&auth, Action::Manage, project_id.0, deployment_rule_id.0).await?;
        let clusters = store::cluster::list_by_organization(&self.0.db, project.organization_id).await?;
        let before = ProjectDeploymentRule::from(row.clone());
        let row = Model { updated_at: self.0.clock.now(), ..body.0.apply(row, &clusters)? };
        let answer = audit::write(&self.0, &auth, project.organization_id, async |tx| {
            let row = store::row::update(tx, row).await.map_err(|e| Error::or_taken(e, TAKEN))?;
            let answer = ProjectDeploymentRule::from(row);
            let change = change("UPDATE", &project).before(&before).after(&answer);
            Ok((answer, change))
        })
        .await?;
        Ok(Answer(answer))
    }

    #[oai(path = "/project/:projectId/deploymentRule/:deploymentRuleId", method = "delete", operation_id = "deleteProjectDeploymentRule", tag = Tag::ProjectDeploymentRule)]
    async fn delete_project_deployment_rule(
        &self,
        auth: Auth,
        #[oai(name = "projectId")] project_id: Path<Uuid>,
        #[oai(name = "deploymentRuleId")] deployment_rule_id: Path<Uuid>,
    ) -> Result<Gone> {
        let (project, row) = self.load(&auth, Action::Manage, project_id.0, deployment_rule_id.0).await?;
        audit::write(&self.0, &auth, project.organization_id, async |tx| {
            store::row::delete::<Model>(tx, row.id).await?;
            Ok(((), change("DELETE", &project).before(&ProjectDeploymentRule::from(row))))
        })
        .await?;
        Ok(Blank)
    }
}

impl ProjectRuleApi {
    async fn load(&self, auth: &Auth, action: Action, project: Uuid, id: Uuid) -> Result<(project::Model, Model)> {
        access::project_rule(&self.0.db, &auth.0, action, ProjectId(project), ProjectRuleId(id)).await
    }
}
