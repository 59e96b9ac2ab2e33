//! /environment/{environmentId}/deploymentRule: when an environment runs.

use std::sync::Arc;

use entity::deployment_rule::{Model, Weekday, Weekdays};
use entity::id::EnvironmentId;
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::{self, Action};
use crate::api::audit::{self, Change};
use crate::api::caller::Auth;
use crate::api::tag::Tag;
use crate::api::wire::{self, Body, Json, Success, Timestamp};
use crate::app::App;
use crate::engine::cron;
use crate::engine::default_rule::default_rule;
use crate::engine::deployment_rule;
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
            // An environment has one rule, so the rule shares its id.
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

pub(in crate::api) struct EnvironmentRuleApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl EnvironmentRuleApi {
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
        let zone = cron::parse_timezone(&given.timezone).map_err(|e| Error::invalid("timezone", e.0))?;
        if given.weekdays.len() > 7 {
            return Err(Error::invalid("weekdays", "must have at most 7 items"));
        }
        let now = self.0.clock.now();
        let row = audit::write(&self.0, &auth, environment.organization_id, async |tx| {
            let stored = locked_rule(tx, environment.id).await?;
            let old = stored.clone().unwrap_or_else(|| default_rule(&environment));
            let mut row = Model {
                updated_at: now,
                on_demand_preview: given.on_demand_preview.unwrap_or(false),
                auto_preview: given.auto_preview.unwrap_or(false),
                auto_stop: given.auto_stop.unwrap_or(false),
                // An edit cancels the automatic deletion that a project rule requested.
                auto_delete: false,
                timezone: given.timezone.clone(),
                start_time: given.start_time.0,
                stop_time: given.stop_time.0,
                weekdays: Weekdays(given.weekdays.iter().copied().map(Weekday::from).collect()),
                ..old.clone()
            };
            (row.next_start_at, row.next_stop_at) = deployment_rule::next(&row, zone, now);
            let saved = match stored {
                Some(_) => store::row::update(tx, row).await,
                None => store::row::create(tx, row).await,
            };
            let row = saved?;
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

/// The rule of an environment, locked until the transaction ends; none if it has none, and then nobody else creates one meanwhile.
async fn locked_rule(tx: &DatabaseTransaction, id: EnvironmentId) -> Result<Option<Model>> {
    if let Some(row) = store::row::lock::<Model>(tx, id).await? {
        return Ok(Some(row));
    }
    store::environment::lock(tx, id).await?.ok_or(Error::NotFound("environment"))?;
    Ok(store::row::lock::<Model>(tx, id).await?)
}
