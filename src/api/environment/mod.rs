//! /project/{projectId}/environment and /environment/{environmentId}.

pub(super) mod action;
pub(super) mod log;
pub(super) mod overview;
pub(super) mod rule;

use std::sync::Arc;

use entity::environment;
use entity::environment::Mode;
use entity::id::{ClusterId, EnvironmentId, ProjectId};
use poem_openapi::param::{Path, Query};
use poem_openapi::{Enum, Object, OpenApi};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Tag;
use super::audit::{self, Change};
use super::caller::Auth;
use super::limits;
use super::status::{self, EnvironmentStatus, EnvironmentStatuses, EnvironmentStatusesWithStages, Status};
use super::wire::{self, Answer, Blank, Body, Created, Found, Gone, ReferenceObject, Results, Timestamp};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::command::{self, Removal};
use crate::error::{Error, Result};
use crate::store;

wire::mirrored!(EnvironmentModeEnum of Mode { Development, Preview, Production, Staging });

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum CreateEnvironmentModeEnum {
    Development,
    Production,
    Staging,
}

impl From<CreateEnvironmentModeEnum> for Mode {
    fn from(mode: CreateEnvironmentModeEnum) -> Self {
        match mode {
            CreateEnvironmentModeEnum::Development => Self::Development,
            CreateEnvironmentModeEnum::Production => Self::Production,
            CreateEnvironmentModeEnum::Staging => Self::Staging,
        }
    }
}

#[derive(Debug, Deserialize, Object)]
struct CreateEnvironmentRequest {
    name: String,
    #[serde(default)]
    #[oai(default)]
    cluster: Option<Uuid>,
    #[serde(default)]
    #[oai(default)]
    mode: Option<CreateEnvironmentModeEnum>,
}

#[derive(Debug, Deserialize, Object)]
struct EnvironmentEditRequest {
    #[serde(default)]
    #[oai(default)]
    name: Option<String>,
    #[serde(default)]
    #[oai(default)]
    mode: Option<CreateEnvironmentModeEnum>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct EnvironmentCloudProvider {
    provider: String,
    cluster: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct Environment {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    name: String,
    organization: ReferenceObject,
    project: ReferenceObject,
    cloud_provider: EnvironmentCloudProvider,
    mode: EnvironmentModeEnum,
    cluster_id: Uuid,
    cluster_name: String,
}

fn answer(row: environment::Model, cluster_name: String) -> Environment {
    let environment::Model {
        id,
        organization_id,
        project_id,
        cluster_id,
        created_at,
        updated_at,
        name,
        name_key: _,
        mode,
        namespace: _,
    } = row;
    Environment {
        id: id.0,
        created_at: Timestamp(created_at),
        updated_at: Timestamp(updated_at),
        name,
        organization: ReferenceObject { id: organization_id.0 },
        project: ReferenceObject { id: project_id.0 },
        cloud_provider: EnvironmentCloudProvider { provider: "ON_PREMISE".into(), cluster: cluster_name.clone() },
        mode: mode.into(),
        cluster_id: cluster_id.0,
        cluster_name,
    }
}

/// The environments of a project that the caller may see.
pub(super) async fn visible(
    app: &App,
    auth: &Auth,
    project: &entity::project::Model,
) -> Result<Vec<environment::Model>> {
    let rows = store::environment::list_by_project(&app.db, project.id).await?;
    let seen = |row: &environment::Model| auth.0.may(row.organization_id, Action::View, &access::place(row));
    Ok(rows.into_iter().filter(seen).collect())
}

/// Stores a new environment with its first stages.
async fn create(tx: &DatabaseTransaction, row: environment::Model) -> Result<environment::Model> {
    let row = store::environment::create(tx, row).await.map_err(|e| Error::or_taken(e, TAKEN))?;
    store::stage::create_defaults(tx, row.id, row.created_at).await?;
    Ok(row)
}

const TAKEN: &str = "an environment of this project already has this name";

/// The handlers.
pub(super) struct EnvironmentApi(pub(super) Arc<App>);

#[OpenApi]
impl EnvironmentApi {
    #[oai(path = "/project/:projectId/environment", method = "get", operation_id = "listEnvironment", tag = Tag::Environments)]
    async fn list_environment(
        &self,
        auth: Auth,
        #[oai(name = "projectId")] project_id: Path<Uuid>,
    ) -> Result<Found<Results<Environment>>> {
        let project = access::project(&self.0.db, &auth.0, Action::View, ProjectId(project_id.0)).await?;
        let clusters = store::cluster::list_by_organization(&self.0.db, project.organization_id).await?;
        let rows = visible(&self.0, &auth, &project).await?;
        let results = rows.into_iter().map(|row| {
            let cluster = clusters.iter().find(|cluster| cluster.id == row.cluster_id);
            let name = cluster.map(|cluster| cluster.name.clone()).unwrap_or_default();
            answer(row, name)
        });
        Ok(Answer(Results { results: results.collect() }))
    }

    #[oai(path = "/project/:projectId/environment", method = "post", operation_id = "createEnvironment", tag = Tag::Environments)]
    async fn create_environment(
        &self,
        auth: Auth,
        #[oai(name = "projectId")] project_id: Path<Uuid>,
        body: Body<CreateEnvironmentRequest>,
    ) -> Result<Created<Environment>> {
        let project = access::project(&self.0.db, &auth.0, Action::View, ProjectId(project_id.0)).await?;
        let CreateEnvironmentRequest { name, cluster, mode } = body.0;
        let name = limits::name("name", &name)?;
        let rules = store::project_rule::list_by_project(&self.0.db, project.id).await?;
        let rule = rules.into_iter().find(|row| crate::engine::rule::fits(&row.wildcard, &name));
        let mode = mode.map(Mode::from).or(rule.as_ref().map(|row| row.mode)).unwrap_or(Mode::Development);
        let cluster = cluster.or(rule.as_ref().map(|row| row.cluster_id.0));
        let clusters = store::cluster::list_by_organization(&self.0.db, project.organization_id).await?;
        let cluster = match cluster {
            Some(id) => clusters.into_iter().find(|row| row.id == ClusterId(id)),
            None => clusters.into_iter().next(),
        };
        let id = cluster.as_ref().map_or(ClusterId(Uuid::nil()), |row| row.id);
        access::new_environment(&auth.0, &project, mode, id)?;
        let cluster = cluster.ok_or_else(|| Error::invalid("cluster", "is not a cluster of this organization"))?;
        let now = self.0.clock.now();
        let row = environment::Model::new(&project, cluster.id, name, mode, now);
        let answer = audit::write(&self.0, &auth, project.organization_id, async |tx| {
            let row = create(tx, row).await?;
            if let Some(from) = &rule {
                store::row::create(tx, rule::first_rule(&row, from)).await?;
            }
            let change = Change::create("ENVIRONMENT", row.id.0, &row.name).of_environment(&row);
            let answer = answer(row, cluster.name);
            let change = change.after(&answer);
            Ok((answer, change))
        })
        .await?;
        Ok(Answer(answer))
    }

    #[oai(path = "/environment/:environmentId", method = "get", operation_id = "getEnvironment", tag = Tag::EnvironmentMainCalls)]
    async fn get_environment(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Found<Environment>> {
        let row = self.load(&auth, Action::View, environment_id).await?;
        self.answer(row).await
    }

    #[oai(path = "/environment/:environmentId", method = "put", operation_id = "editEnvironment", tag = Tag::EnvironmentMainCalls)]
    async fn edit_environment(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        body: Body<EnvironmentEditRequest>,
    ) -> Result<Found<Environment>> {
        let mut row = self.load(&auth, Action::Manage, environment_id).await?;
        let EnvironmentEditRequest { name, mode } = body.0;
        let before = answer(row.clone(), String::new());
        if let Some(name) = name {
            row.name = limits::name("name", &name)?;
            row.name_key = entity::name_key(&row.name);
        }
        if let Some(mode) = mode {
            let mode = Mode::from(mode);
            let place = access::Place { mode: Some(mode), ..access::place(&row) };
            if !auth.0.may(row.organization_id, Action::Manage, &place) {
                return Err(Error::Forbidden("your role does not allow an environment of this mode"));
            }
            row.mode = mode;
        }
        row.updated_at = self.0.clock.now();
        let row = audit::write(&self.0, &auth, row.organization_id, async |tx| {
            let row = store::environment::update(tx, row).await.map_err(|e| Error::or_taken(e, TAKEN))?;
            let change = Change::update("ENVIRONMENT", row.id.0, &row.name).of_environment(&row);
            let after = answer(row.clone(), String::new());
            Ok((row, change.before(&before).after(&after)))
        })
        .await?;
        self.answer(row).await
    }

    #[oai(path = "/environment/:environmentId", method = "delete", operation_id = "deleteEnvironment", tag = Tag::EnvironmentMainCalls)]
    async fn delete_environment(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        #[oai(name = "skipReconcile", default)] skip_reconcile: Query<bool>,
    ) -> Result<Gone> {
        let row = self.load(&auth, Action::Manage, environment_id).await?;
        let removal = if skip_reconcile.0 { Removal::RowsOnly } else { Removal::Complete };
        command::delete_environment(&self.0, &auth.requester(), row.id, removal).await?;
        Ok(Blank)
    }

    #[oai(path = "/environment/:environmentId/status", method = "get", operation_id = "getEnvironmentStatus", tag = Tag::EnvironmentMainCalls)]
    async fn get_environment_status(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Found<EnvironmentStatus>> {
        let row = self.load(&auth, Action::View, environment_id).await?;
        Ok(Answer(status::of_environment(&self.0.db, row.id).await?))
    }

    #[oai(path = "/environment/:environmentId/statuses", method = "get", operation_id = "getEnvironmentStatuses", tag = Tag::EnvironmentMainCalls)]
    async fn get_environment_statuses(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Found<EnvironmentStatuses>> {
        let row = self.load(&auth, Action::View, environment_id).await?;
        Ok(Answer(status::of_all(&self.0.db, &row).await?))
    }

    #[oai(path = "/environment/:environmentId/statusesWithStages", method = "get", operation_id = "getEnvironmentStatusesWithStages", tag = Tag::EnvironmentMainCalls)]
    async fn get_environment_statuses_with_stages(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Found<EnvironmentStatusesWithStages>> {
        let row = self.load(&auth, Action::View, environment_id).await?;
        Ok(Answer(status::with_stages(&self.0.db, &row).await?))
    }

    #[oai(path = "/environment/:environmentId/job/status", method = "get", operation_id = "getEnvironmentJobStatus", tag = Tag::Jobs)]
    async fn get_environment_job_status(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Found<Results<Status>>> {
        let row = self.load(&auth, Action::View, environment_id).await?;
        Ok(Answer(Results { results: status::of_all(&self.0.db, &row).await?.into_jobs() }))
    }

    #[oai(path = "/project/:projectId/environment/status", method = "get", operation_id = "getProjectEnvironmentsStatus", tag = Tag::Environments)]
    async fn get_project_environments_status(
        &self,
        auth: Auth,
        #[oai(name = "projectId")] project_id: Path<Uuid>,
    ) -> Result<Found<Results<EnvironmentStatus>>> {
        let project = access::project(&self.0.db, &auth.0, Action::View, ProjectId(project_id.0)).await?;
        let mut results = Vec::new();
        for row in visible(&self.0, &auth, &project).await? {
            results.push(status::of_environment(&self.0.db, row.id).await?);
        }
        Ok(Answer(Results { results }))
    }

    #[oai(path = "/project/:projectId/environment/stats", method = "get", operation_id = "getProjectEnvironmentServiceNumber", tag = Tag::Environments)]
    async fn get_project_environment_service_number(
        &self,
        auth: Auth,
        #[oai(name = "projectId")] project_id: Path<Uuid>,
    ) -> Result<Found<Results<EnvironmentStats>>> {
        let project = access::project(&self.0.db, &auth.0, Action::View, ProjectId(project_id.0)).await?;
        let counts = store::job::count_by_environment(&self.0.db, project.organization_id).await?;
        let rows = visible(&self.0, &auth, &project).await?.into_iter();
        let answer = |row: environment::Model| EnvironmentStats {
            id: row.id.0,
            service_total_number: counts.get(&row.id).copied().unwrap_or(0),
        };
        Ok(Answer(Results { results: rows.map(answer).collect() }))
    }
}

/// The states of the environments of a project.
#[derive(Debug, Serialize, Deserialize, Object)]
struct EnvironmentStats {
    id: Uuid,
    service_total_number: i64,
}

impl EnvironmentApi {
    async fn load(&self, auth: &Auth, action: Action, id: Path<Uuid>) -> Result<environment::Model> {
        access::environment(&self.0.db, &auth.0, action, EnvironmentId(id.0)).await
    }

    async fn answer(&self, row: environment::Model) -> Result<Found<Environment>> {
        let cluster = store::environment::cluster_of(&self.0.db, &row).await?;
        Ok(Answer(answer(row, cluster.name)))
    }
}
