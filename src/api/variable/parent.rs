//! The owner of variables: a project, an environment or a job.

use std::collections::HashMap;

use entity::id::{EnvironmentId, JobId, OrganizationId, ProjectId};
use entity::variable::{Model, VariableKind};
use entity::{environment, job, project};
use uuid::Uuid;

use super::super::audit::Change;
use super::super::caller::Auth;
use super::scope::APIVariableScopeEnum;
use crate::access::{self, Action};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// The owner of variables: a project, one of its environments, or a job of that environment.
#[derive(Clone)]
pub(super) struct Parent {
    pub(super) organization: OrganizationId,
    pub(super) project: project::Model,
    pub(super) environment: Option<environment::Model>,
    pub(super) job: Option<job::Model>,
    /// The names of the jobs in the environment that have stored outputs.
    pub(super) output_jobs: HashMap<JobId, String>,
}

impl Parent {
    pub(super) async fn of_project(app: &App, auth: &Auth, action: Action, id: Uuid) -> Result<Self> {
        let project = access::project(&app.db, &auth.0, action, ProjectId(id)).await?;
        Ok(Self {
            organization: project.organization_id,
            project,
            environment: None,
            job: None,
            output_jobs: HashMap::new(),
        })
    }

    pub(super) async fn of_environment(app: &App, auth: &Auth, action: Action, id: Uuid) -> Result<Self> {
        let environment = access::environment(&app.db, &auth.0, action, EnvironmentId(id)).await?;
        let project = store::project::by_id(&app.db, environment.project_id).await?;
        let project = project.ok_or(Error::NotFound("environment"))?;
        let output_jobs = store::variable::names_with_outputs(&app.db, environment.id).await?;
        Ok(Self {
            organization: project.organization_id,
            project,
            environment: Some(environment),
            job: None,
            output_jobs,
        })
    }

    pub(super) async fn of_job(app: &App, auth: &Auth, action: Action, id: Uuid) -> Result<Self> {
        let job = access::job_row(&app.db, &auth.0, action, JobId(id)).await?;
        let environment =
            store::environment::by_id(&app.db, job.environment_id).await?.ok_or(Error::NotFound("job"))?;
        let project = store::project::by_id(&app.db, environment.project_id).await?.ok_or(Error::NotFound("job"))?;
        let output_jobs = store::variable::names_with_outputs(&app.db, environment.id).await?;
        Ok(Self {
            organization: project.organization_id,
            project,
            environment: Some(environment),
            job: Some(job),
            output_jobs,
        })
    }

    /// The parent that a request specifies by a scope and an ID.
    pub(super) async fn from_scope(
        app: &App,
        auth: &Auth,
        action: Action,
        (field, scope): (&str, APIVariableScopeEnum),
        id: Uuid,
    ) -> Result<Self> {
        match scope {
            APIVariableScopeEnum::Project => Self::of_project(app, auth, action, id).await,
            APIVariableScopeEnum::Environment => Self::of_environment(app, auth, action, id).await,
            APIVariableScopeEnum::Job => Self::of_job(app, auth, action, id).await,
            _ => Err(Error::invalid(field, "must be PROJECT, ENVIRONMENT or JOB on this server")),
        }
    }

    /// The parent of a stored variable.
    pub(super) async fn of_row(app: &App, auth: &Auth, action: Action, row: &Model) -> Result<Self> {
        match (row.job_id, row.environment_id, row.project_id) {
            (Some(id), _, _) => Self::of_job(app, auth, action, id.0).await,
            (None, Some(id), _) => Self::of_environment(app, auth, action, id.0).await,
            (None, None, Some(id)) => Self::of_project(app, auth, action, id.0).await,
            (None, None, None) => Err(Error::NotFound("variable")),
        }
    }

    pub(super) fn scope(&self) -> APIVariableScopeEnum {
        match (&self.environment, &self.job) {
            (_, Some(_)) => APIVariableScopeEnum::Job,
            (Some(_), None) => APIVariableScopeEnum::Environment,
            (None, None) => APIVariableScopeEnum::Project,
        }
    }

    pub(super) fn owns(&self, row: &Model) -> bool {
        match self.scope() {
            APIVariableScopeEnum::Job => row.job_id.is_some() && row.job_id == self.job.as_ref().map(|job| job.id),
            APIVariableScopeEnum::Environment => {
                row.environment_id.is_some() && row.environment_id == self.environment.as_ref().map(|row| row.id)
            }
            _ => row.project_id == Some(self.project.id),
        }
    }

    /// An empty row of this scope.
    pub(super) fn empty_row(&self, key: String, kind: VariableKind, now: chrono::DateTime<chrono::Utc>) -> Model {
        let (project_id, environment_id, job_id) = match (&self.environment, &self.job) {
            (_, Some(job)) => (None, None, Some(job.id)),
            (Some(environment), None) => (None, Some(environment.id), None),
            (None, None) => (Some(self.project.id), None, None),
        };
        Model { project_id, environment_id, job_id, key, ..Model::empty(self.organization, kind, now) }
    }

    pub(super) fn change(&self, kind: &'static str, secret: bool) -> Change {
        let part = if secret { "SECRET" } else { "VARIABLE" };
        match (&self.environment, &self.job) {
            (Some(environment), Some(job)) => {
                Change::new(kind, "JOB", job.id.0, &job.name).of_environment(environment).part(part)
            }
            (Some(environment), None) => Change::new(kind, "ENVIRONMENT", environment.id.0, &environment.name)
                .of_environment(environment)
                .part(part),
            _ => {
                Change::new(kind, "PROJECT", self.project.id.0, &self.project.name).of_project(&self.project).part(part)
            }
        }
    }
}
