//! Whose variables a request is about.

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

/// Whose variables they are: a project, an environment of it, or a job of that.
pub(super) struct Parent {
    pub(super) organization: OrganizationId,
    pub(super) project: project::Model,
    pub(super) environment: Option<environment::Model>,
    pub(super) job: Option<job::Model>,
    /// The names of the jobs of the environment that have left outputs.
    pub(super) leaving: HashMap<JobId, String>,
}

impl Parent {
    pub(super) async fn of_project(app: &App, auth: &Auth, action: Action, id: Uuid) -> Result<Self> {
        let project = access::project(&app.db, &auth.0, action, ProjectId(id)).await?;
        Ok(Self {
            organization: project.organization_id,
            project,
            environment: None,
            job: None,
            leaving: HashMap::new(),
        })
    }

    pub(super) async fn of_environment(app: &App, auth: &Auth, action: Action, id: Uuid) -> Result<Self> {
        let environment = access::environment(&app.db, &auth.0, action, EnvironmentId(id)).await?;
        let project = store::project::by_id(&app.db, environment.project_id).await?;
        let project = project.ok_or(Error::NotFound("environment"))?;
        let leaving = store::variable::names_of_leaving(&app.db, environment.id).await?;
        Ok(Self { organization: project.organization_id, project, environment: Some(environment), job: None, leaving })
    }

    pub(super) async fn of_job(app: &App, auth: &Auth, action: Action, id: Uuid) -> Result<Self> {
        let job = access::job_row(&app.db, &auth.0, action, JobId(id)).await?;
        let environment =
            store::environment::by_id(&app.db, job.environment_id).await?.ok_or(Error::NotFound("job"))?;
        let project = store::project::by_id(&app.db, environment.project_id).await?.ok_or(Error::NotFound("job"))?;
        let leaving = store::variable::names_of_leaving(&app.db, environment.id).await?;
        Ok(Self {
            organization: project.organization_id,
            project,
            environment: Some(environment),
            job: Some(job),
            leaving,
        })
    }

    /// The parent that a request names by a scope and an id.
    pub(super) async fn named(
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
            _ => Err(Error::invalid(field, "is PROJECT, ENVIRONMENT or JOB on this server")),
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
    pub(super) fn row(&self, key: String, kind: VariableKind, now: chrono::DateTime<chrono::Utc>) -> Model {
        let scope = self.scope();
        let is = |wanted: APIVariableScopeEnum| scope == wanted;
        Model {
            project_id: Some(self.project.id).filter(|_| is(APIVariableScopeEnum::Project)),
            environment_id: self
                .environment
                .as_ref()
                .map(|row| row.id)
                .filter(|_| is(APIVariableScopeEnum::Environment)),
            job_id: self.job.as_ref().map(|row| row.id),
            key,
            ..Model::empty(self.organization, kind, now)
        }
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
