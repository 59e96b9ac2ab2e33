//! The deployment rule of an environment: when it is up; its own, or the one of its project that it began with.

use std::sync::Arc;

use chrono::{DateTime, NaiveTime, Utc};
use entity::deployment_rule::{Model, Weekday, Weekdays};
use entity::environment;
use entity::id::EnvironmentId;
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::audit::{self, Change};
use super::super::caller::Auth;
use super::super::tag::Tag;
use super::super::wire::{self, Body, Json, Success, Timestamp};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::cron::expression;
use crate::engine::rule;
use crate::error::{Error, Result};
use crate::store;

wire::mirrored!(WeekdayEnum of Weekday { Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday });

#[derive(Debug, Deserialize, Object)]
struct EnvironmentDeploymentRuleEditRequest {
    #[serde(default)]
    #[oai(default)]
    on_demand_preview: Option<bool>,
    #[serde(default)]
    #[oai(default)]
    auto_preview: Option<bool>,
    #[serde(default)]
    #[oai(default)]
    auto_stop: Option<bool>,
    timezone: String,
    start_time: Timestamp,
    stop_time: Timestamp,
    weekdays: Vec<WeekdayEnum>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct EnvironmentDeploymentRule {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    on_demand_preview: bool,
    auto_stop: bool,
    auto_preview: bool,
    timezone: String,
    start_time: Timestamp,
    stop_time: Timestamp,
    weekdays: Vec<WeekdayEnum>,
}

impl From<Model> for EnvironmentDeploymentRule {
    fn from(row: Model) -> Self {
        let Model {
            environment_id,
            created_at,
            updated_at,
            on_demand_preview,
            auto_preview,
            auto_stop,
            auto_delete: _,
            timezone,
            start_time,
            stop_time,
            weekdays,
            next_start_at: _,
            next_stop_at: _,
        } = row;
        Self {
            // An environment has one rule, so that its id names the rule too.
            id: environment_id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            on_demand_preview,
            auto_stop,
            auto_preview,
            timezone,
            start_time: Timestamp(start_time),
            stop_time: Timestamp(stop_time),
            weekdays: weekdays.0.into_iter().map(WeekdayEnum::from).collect(),
        }
    }
}

/// The rule of an environment that nobody gave one: it is up on working days, by its own clock, but nothing stops it.
fn default_rule(of: &environment::Model) -> Model {
    let at = |hour| {
        let time = NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default();
        DateTime::<Utc>::UNIX_EPOCH.date_naive().and_time(time).and_utc()
    };
    let days = [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];
    Model {
        environment_id: of.id,
        created_at: of.created_at,
        updated_at: of.created_at,
        on_demand_preview: false,
        auto_preview: false,
        auto_stop: false,
        auto_delete: false,
        timezone: "Etc/UTC".into(),
        start_time: at(7),
        stop_time: at(19),
        weekdays: Weekdays(days.to_vec()),
        next_start_at: None,
        next_stop_at: None,
    }
}

/// The rule of a new environment, from the one of its project that fits its name.
pub(super) fn first_rule(of: &environment::Model, from: &entity::project_rule::Model) -> Model {
    let mut row = Model {
        auto_stop: from.auto_stop,
        auto_delete: from.auto_delete,
        timezone: from.timezone.clone(),
        start_time: from.start_time,
        stop_time: from.stop_time,
        weekdays: from.weekdays.clone(),
        ..default_rule(of)
    };
    if let Ok(zone) = expression::parse_timezone(&row.timezone) {
        (row.next_start_at, row.next_stop_at) = rule::next(&row, zone, of.created_at);
    }
    row
}

/// The handlers.
pub(in super::super) struct RuleApi(pub(in super::super) Arc<App>);

#[OpenApi]
impl RuleApi {
    #[oai(path = "/environment/:environmentId/deploymentRule", method = "get", operation_id = "getEnvironmentDeploymentRule", tag = Tag::EnvironmentDeploymentRule)]
    async fn get_environment_deployment_rule(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Success<EnvironmentDeploymentRule>> {
        let id = EnvironmentId(environment_id.0);
        let environment = access::environment(&self.0.db, &auth.0, Action::View, id).await?;
        let row = store::row::by_id::<Model>(&self.0.db, environment.id).await?;
        Ok(Json(row.unwrap_or_else(|| default_rule(&environment)).into()))
    }

    #[oai(path = "/environment/:environmentId/deploymentRule/:deploymentRuleId", method = "put", operation_id = "editEnvironmentDeploymentRule", tag = Tag::EnvironmentDeploymentRule)]
    async fn edit_environment_deployment_rule(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        #[oai(name = "deploymentRuleId")] deployment_rule_id: Path<Uuid>,
        body: Body<EnvironmentDeploymentRuleEditRequest>,
    ) -> Result<Success<EnvironmentDeploymentRule>> {
        let id = EnvironmentId(environment_id.0);
        let environment = access::environment(&self.0.db, &auth.0, Action::Manage, id).await?;
        if deployment_rule_id.0 != environment.id.0 {
            return Err(Error::NotFound("deployment rule"));
        }
        let given = body.0;
        let zone = expression::parse_timezone(&given.timezone).map_err(|e| Error::invalid("timezone", e.0))?;
        if given.weekdays.len() > 7 {
            return Err(Error::invalid("weekdays", "has more than 7 items"));
        }
        let stored = store::row::by_id::<Model>(&self.0.db, environment.id).await?;
        let known = stored.is_some();
        let old = stored.unwrap_or_else(|| default_rule(&environment));
        let now = self.0.clock.now();
        let mut row = Model {
            updated_at: now,
            on_demand_preview: given.on_demand_preview.unwrap_or(false),
            auto_preview: given.auto_preview.unwrap_or(false),
            auto_stop: given.auto_stop.unwrap_or(false),
            // What a rule of the project wanted ends with an edit.
            auto_delete: false,
            timezone: given.timezone,
            start_time: given.start_time.0,
            stop_time: given.stop_time.0,
            weekdays: Weekdays(given.weekdays.into_iter().map(Weekday::from).collect()),
            ..old.clone()
        };
        (row.next_start_at, row.next_stop_at) = rule::next(&row, zone, now);
        let row = audit::write(&self.0, &auth, environment.organization_id, async |tx| {
            let row = if known { store::row::update(tx, row).await? } else { store::row::create(tx, row).await? };
            let change = Change::update("ENVIRONMENT", environment.id.0, &environment.name);
            let change = change.of_environment(&environment).part("DEPLOYMENT_RULE");
            let change = change.before(&EnvironmentDeploymentRule::from(old));
            let after = EnvironmentDeploymentRule::from(row.clone());
            Ok((row, change.after(&after)))
        })
        .await?;
        Ok(Json(row.into()))
    }
}
