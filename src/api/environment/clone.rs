//! /environment/{environmentId}/clone.

use std::collections::HashMap;
use std::sync::Arc;

use entity::environment::{self, Mode};
use entity::id::{ClusterId, EnvironmentId, ProjectId, StageId};
use entity::{deployment_rule, stage, stage_job};
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use sea_orm::DatabaseTransaction;
use serde::Deserialize;
use uuid::Uuid;

use super::response::{Environment, EnvironmentModeEnum, TAKEN, environment_response};
use crate::access::{self, Action};
use crate::api::audit::{self, Change};
use crate::api::caller::Auth;
use crate::api::job::copy::{copy_job, copy_variables};
use crate::api::tag::Tag;
use crate::api::wire::{Accepted, Body, Json};
use crate::app::App;
use crate::engine::limits;
use crate::error::{Error, Result};
use crate::store;
use crate::store::variable::Owner;

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
        let project = project_id.map_or(source.project_id, ProjectId);
        let project = access::project(&self.0.db, &auth.0, Action::View, project).await?;
        if project.organization_id != source.organization_id {
            return Err(Error::invalid("project_id", "belongs to another organization"));
        }
        let cluster = store::cluster::by_id(&self.0.db, cluster_id.map_or(source.cluster_id, ClusterId)).await?;
        let cluster = cluster.filter(|row| row.organization_id == source.organization_id);
        let cluster = cluster.ok_or_else(|| Error::invalid("cluster_id", "is not a cluster of this organization"))?;
        let mode = mode.map_or(source.mode, Mode::from);
        access::new_environment(&auth.0, &project, mode, cluster.id)?;
        let name = limits::name("name", &name)?;
        let now = self.0.clock.now();
        let copy = environment::Model::new(&project, cluster.id, name, mode, now);
        let rule = apply_deployment_rule.unwrap_or(false);
        let answer = audit::write(&self.0, &auth, source.organization_id, async |tx| {
            copy_environment(&self.0, tx, &source, &copy, rule).await?;
            let change = Change::new("CLONE", "ENVIRONMENT", copy.id.0, &copy.name).of_environment(&copy);
            let answer = environment_response(copy, cluster.name);
            let change = change.after(&answer);
            Ok((answer, change))
        })
        .await?;
        Ok(Json(answer))
    }
}

/// Maximum jobs cloned with their environment.
const MOST_JOBS: usize = 2000;

/// Stores a copy of an environment: its stages, jobs, variables and secrets and, if requested, its deployment rule.
async fn copy_environment(
    app: &App,
    tx: &DatabaseTransaction,
    source: &environment::Model,
    copy: &environment::Model,
    rule: bool,
) -> Result<()> {
    let now = copy.created_at;
    store::environment::create(tx, copy.clone()).await.map_err(|e| Error::or_taken(e, TAKEN))?;
    let mut stages = HashMap::new();
    for row in store::stage::list(tx, source.id).await? {
        let id = StageId::create();
        stages.insert(row.id, id);
        let row = stage::Model { id, environment_id: copy.id, created_at: now, updated_at: now, ..row };
        store::row::create(tx, row).await?;
    }
    let places = store::stage::places(tx, source.id).await?;
    let mut renamed = Vec::new();
    let mut after = None;
    loop {
        let page = store::job::list_by_environment(tx, source.id, after, store::PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some((last.created_at, last.id));
        if renamed.len() + page.len() > MOST_JOBS {
            return Err(Error::Conflict(format!(
                "the environment has more than {MOST_JOBS} jobs; clone the jobs individually"
            )));
        }
        for job in page {
            // A microsecond apart, so that the copies keep their order.
            let at = now + chrono::TimeDelta::microseconds(i64::try_from(renamed.len()).unwrap_or(0));
            let new = copy_job(tx, &job, copy, job.name.clone(), at).await?;
            renamed.push((job.id, new.id));
            if let Some(place) = places.get(&job.id)
                && let Some(stage_id) = stages.get(&place.stage_id)
            {
                let (stage_id, is_skipped) = (*stage_id, place.is_skipped);
                let place = stage_job::Model { job_id: new.id, stage_id, created_at: now, updated_at: now, is_skipped };
                store::stage::attach(tx, place).await?;
            }
        }
    }
    let mut copies = HashMap::new();
    let (of_jobs, own): (Vec<_>, Vec<_>) =
        without_outputs(store::variable::list_below_environment(tx, source.id).await?)
            .partition(|row| row.job_id.is_some());
    copy_variables(app, tx, own, Owner::Environment(copy.id), &mut copies, &renamed, now).await?;
    for (old, new) in &renamed {
        let rows = of_jobs.iter().filter(|row| row.job_id == Some(*old)).cloned().collect();
        copy_variables(app, tx, rows, Owner::Job(*new), &mut copies, &renamed, now).await?;
    }
    if rule && let Some(row) = store::row::by_id::<deployment_rule::Model>(tx, source.id).await? {
        let row = deployment_rule::Model { environment_id: copy.id, created_at: now, updated_at: now, ..row };
        store::row::create(tx, row).await?;
    }
    Ok(())
}

/// Excludes job outputs: the copies produce their own.
fn without_outputs(rows: Vec<entity::variable::Model>) -> impl Iterator<Item = entity::variable::Model> {
    rows.into_iter().filter(|row| row.output_of.is_none())
}
