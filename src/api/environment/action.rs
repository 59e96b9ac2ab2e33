//! Actions on a whole environment, and its clone.

use std::collections::HashMap;
use std::sync::Arc;

use entity::deployment::Action as DeploymentAction;
use entity::environment;
use entity::environment::Mode;
use entity::id::{ClusterId, DeploymentId, EnvironmentId, ProjectId, StageId};
use entity::{deployment_rule, stage, stage_job};
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use sea_orm::DatabaseTransaction;
use serde::Deserialize;
use uuid::Uuid;

use super::super::audit::{self, Change};
use super::super::caller::Auth;
use super::super::job::clone::{Owner, copy_job, copy_variables};
use super::super::limits;
use super::super::status::{self, EnvironmentStatus, Status};
use super::super::tag::Tag;
use super::super::wire::{Accepted, Body, Empty, EmptyResponse, Json};
use super::{Environment, EnvironmentModeEnum, TAKEN, answer};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::command::{self, Runs};
use crate::error::{Error, Result};
use crate::store;

#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
struct CancelRequest {
    force_cancel: Option<bool>,
}

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

/// The handlers.
pub(in super::super) struct EnvironmentActionApi(pub(in super::super) Arc<App>);

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
        let runs = if body.0.force_cancel.unwrap_or(false) { Runs::Interrupted } else { Runs::GoOn };
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
            let answer = answer(copy, cluster.name);
            let change = change.after(&answer);
            Ok((answer, change))
        })
        .await?;
        Ok(Json(answer))
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

/// The most jobs that are cloned with their environment.
const MOST_JOBS: usize = 2000;

/// Stores a copy of an environment: stages, jobs in them, variables and secrets; and its rule where that is wanted.
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
            return Err(Error::Conflict(format!("the environment has more than {MOST_JOBS} jobs; clone them apart")));
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
    let mut known = HashMap::new();
    let (of_jobs, own): (Vec<_>, Vec<_>) =
        of_people(store::variable::list_below_environment(tx, source.id).await?).partition(|row| row.job_id.is_some());
    copy_variables(app, tx, own, Owner::Environment(copy.id), &mut known, &renamed, now).await?;
    for (old, new) in &renamed {
        let rows = of_jobs.iter().filter(|row| row.job_id == Some(*old)).cloned().collect();
        copy_variables(app, tx, rows, Owner::Job(*new), &mut known, &renamed, now).await?;
    }
    if rule && let Some(row) = store::row::by_id::<deployment_rule::Model>(tx, source.id).await? {
        let row = deployment_rule::Model { environment_id: copy.id, created_at: now, updated_at: now, ..row };
        store::row::create(tx, row).await?;
    }
    Ok(())
}

/// What jobs have left is not copied: the copies leave their own.
fn of_people(rows: Vec<entity::variable::Model>) -> impl Iterator<Item = entity::variable::Model> {
    rows.into_iter().filter(|row| row.output_of.is_none())
}
