//! The runs of the jobs of an organization, a project or an environment.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::id::{EnvironmentId, JobId, OrganizationId, ProjectId};
use entity::metadata_group::GroupKind;
use poem_openapi::param::{Path, Query};
use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::run_response::{Run, RunEventEnum, RunStateEnum, RunTriggerEnum};
use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::tag::Tag;
use crate::api::wire::{Json, Success};
use crate::app::App;
use crate::engine::limits;
use crate::error::Result;
use crate::store;
use crate::store::overview::{FoundRun, RunPlace, RunSearch};

/// A run, with the names of its job and its environment.
#[derive(Debug, Serialize, Deserialize, Object)]
struct RunOfJob {
    #[serde(flatten)]
    #[oai(flatten)]
    run: Run,
    job_name: String,
    environment_id: Uuid,
    environment_name: String,
    project_id: Uuid,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct RunPageResponse {
    results: Vec<RunOfJob>,
    next_before: Option<i64>,
}

impl From<FoundRun> for RunOfJob {
    fn from(FoundRun { run, place }: FoundRun) -> Self {
        let RunPlace { job_name, environment_id, environment_name, project_id } = place;
        Self { run: run.into(), job_name, environment_id: environment_id.0, environment_name, project_id: project_id.0 }
    }
}

/// The parameters of the three operations.
struct Filters {
    count: i32,
    label: Option<String>,
    search: RunSearch,
}

async fn page(
    app: &App,
    auth: &Auth,
    organization: OrganizationId,
    filters: Filters,
) -> Result<Success<RunPageResponse>> {
    let Filters { count, label, mut search } = filters;
    let count = limits::between("count", count, 1, 200)?;
    if let Some(label) = label {
        let groups = store::group::list(&app.db, organization, GroupKind::Labels).await?;
        let (key, value) = label.split_once('=').map_or((label.as_str(), None), |(key, value)| (key, Some(value)));
        let has = |group: &entity::metadata_group::Model| {
            group.entries.0.iter().any(|entry| entry.key == key && value.is_none_or(|value| entry.value == value))
        };
        search.groups = Some(groups.into_iter().filter(has).map(|group| group.id).collect());
    }
    let sight = access::sight(&app.db, &auth.0, organization).await?;
    let found = store::overview::run_page(&app.db, &sight, &search, u64::from(count.unsigned_abs())).await?;
    Ok(Json(RunPageResponse { results: found.runs.into_iter().map(RunOfJob::from).collect(), next_before: found.next }))
}

/// One operation; they differ in the path and in what the id in it names.
macro_rules! list {
    ($api:ident, $path:literal, $parameter:literal, $operation:literal, $within:expr) => {
        pub(in crate::api) struct $api(pub(in crate::api) Arc<App>);

        #[OpenApi]
        impl $api {
            #[expect(clippy::too_many_arguments, reason = "one argument for each parameter of the query")]
            #[oai(path = $path, method = "get", operation_id = $operation, tag = Tag::JobRun)]
            async fn list(
                &self,
                auth: Auth,
                #[oai(name = $parameter)] id: Path<Uuid>,
                #[oai(name = "jobId")] job: Query<Option<Uuid>>,
                state: Query<Option<RunStateEnum>>,
                trigger: Query<Option<RunTriggerEnum>>,
                event: Query<Option<RunEventEnum>>,
                from: Query<Option<DateTime<Utc>>>,
                until: Query<Option<DateTime<Utc>>>,
                label: Query<Option<String>>,
                text: Query<Option<String>>,
                #[oai(default = "default_count")] count: Query<i32>,
                before: Query<Option<i64>>,
            ) -> Result<Success<RunPageResponse>> {
                let (organization, project, environment) = $within(&self.0, &auth, id.0).await?;
                let search = RunSearch {
                    project,
                    environment,
                    job: job.0.map(JobId),
                    state: state.0.map(Into::into),
                    trigger: trigger.0.map(Into::into),
                    event: event.0.map(Into::into),
                    from: from.0,
                    until: until.0,
                    groups: None,
                    text: text.0,
                    before: before.0,
                };
                page(&self.0, &auth, organization, Filters { count: count.0, label: label.0, search }).await
            }
        }
    };
}

list!(
    OrganizationRunApi,
    "/organization/:organizationId/run",
    "organizationId",
    "listOrganizationRuns",
    of_organization
);
list!(ProjectRunApi, "/project/:projectId/run", "projectId", "listProjectRuns", of_project);
list!(EnvironmentRunApi, "/environment/:environmentId/run", "environmentId", "listEnvironmentRuns", of_environment);

type Within = (OrganizationId, Option<ProjectId>, Option<EnvironmentId>);

async fn of_organization(app: &App, auth: &Auth, id: Uuid) -> Result<Within> {
    let row = access::organization(&app.db, &auth.0, Action::View, OrganizationId(id)).await?;
    Ok((row.id, None, None))
}

async fn of_project(app: &App, auth: &Auth, id: Uuid) -> Result<Within> {
    let row = access::project(&app.db, &auth.0, Action::View, ProjectId(id)).await?;
    Ok((row.organization_id, Some(row.id), None))
}

async fn of_environment(app: &App, auth: &Auth, id: Uuid) -> Result<Within> {
    let row = access::environment(&app.db, &auth.0, Action::View, EnvironmentId(id)).await?;
    Ok((row.organization_id, None, Some(row.id)))
}

fn default_count() -> i32 {
    50
}
