//! The deployment rule of a project in requests and responses.

use entity::deployment_rule::{Weekday, Weekdays};
use entity::environment::Mode;
use entity::id::ClusterId;
use entity::project_rule::Model;
use entity::{cluster, project};
use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::audit::Change;
use crate::api::environment::EnvironmentModeEnum;
use crate::api::environment::deployment_rule::WeekdayEnum;
use crate::api::wire::Timestamp;
use crate::engine::cron;
use crate::engine::limits;
use crate::error::{Error, Result};

#[derive(Debug, Deserialize, Object)]
pub(super) struct ProjectDeploymentRuleRequest {
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
pub(super) struct ProjectDeploymentRule {
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
    /// Validates a request and applies it to a row.
    pub(super) fn apply(&self, mut row: Model, clusters: &[cluster::Model]) -> Result<Model> {
        row.name = limits::name("name", &self.name)?;
        row.name_key = entity::name_key(&row.name);
        row.description = limits::text("description", self.description.clone().unwrap_or_default())?;
        row.mode = Mode::from(self.mode);
        row.cluster_id = ClusterId(self.cluster_id);
        if !clusters.iter().any(|cluster| cluster.id == row.cluster_id) {
            return Err(Error::invalid("cluster_id", "is not a cluster of this organization"));
        }
        row.auto_deploy = self.auto_deploy.unwrap_or(false);
        row.auto_stop = self.auto_stop.unwrap_or(false);
        row.auto_delete = self.auto_delete.unwrap_or(false);
        cron::parse_timezone(&self.timezone).map_err(|refused| Error::invalid("timezone", refused.0))?;
        row.timezone.clone_from(&self.timezone);
        row.start_time = self.start_time.0;
        row.stop_time = self.stop_time.0;
        if self.weekdays.len() > 7 {
            return Err(Error::invalid("weekdays", "must have at most 7 items"));
        }
        row.weekdays = Weekdays(self.weekdays.iter().copied().map(Weekday::from).collect());
        if self.wildcard.chars().count() > limits::NAME || self.wildcard.chars().any(char::is_control) {
            return Err(Error::invalid(
                "wildcard",
                format!("must have at most {} characters and no control characters", limits::NAME),
            ));
        }
        row.wildcard.clone_from(&self.wildcard);
        row.position = self.priority_index.unwrap_or(row.position);
        Ok(row)
    }
}

pub(super) fn change(kind: &'static str, project: &project::Model) -> Change {
    Change::new(kind, "PROJECT", project.id.0, &project.name).of_project(project).part("DEPLOYMENT_RULE")
}
