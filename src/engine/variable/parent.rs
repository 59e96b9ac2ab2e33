//! The owner of variables: a project, an environment or a job.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::id::{JobId, OrganizationId};
use entity::variable::{Model, VariableKind};
use entity::{environment, job, project};

use crate::app::App;
use crate::engine::audit::Change;
use crate::engine::variables::VariableScope;
use crate::error::{Error, Result};
use crate::store;

/// The owner of variables: a project, one of its environments, or a job of that environment.
#[derive(Clone)]
pub struct Parent {
    pub organization: OrganizationId,
    pub project: project::Model,
    pub environment: Option<environment::Model>,
    pub job: Option<job::Model>,
    /// The names of the jobs in the environment that have stored outputs.
    pub output_jobs: HashMap<JobId, String>,
}

impl Parent {
    /// A project.
    #[must_use]
    pub fn of_project(project: project::Model) -> Self {
        Self {
            organization: project.organization_id,
            project,
            environment: None,
            job: None,
            output_jobs: HashMap::new(),
        }
    }

    /// An environment.
    ///
    /// # Errors
    /// `NotFound` if its project is gone; database errors.
    pub async fn of_environment(app: &App, environment: environment::Model) -> Result<Self> {
        let project = store::project::by_id(&app.db, environment.project_id).await?;
        let project = project.ok_or(Error::NotFound("environment"))?;
        let output_jobs = store::variable::names_with_outputs(&app.db, environment.id).await?;
        let organization = project.organization_id;
        Ok(Self { organization, project, environment: Some(environment), job: None, output_jobs })
    }

    /// A job.
    ///
    /// # Errors
    /// `NotFound` if its environment is gone; database errors.
    pub async fn of_job(app: &App, job: job::Model) -> Result<Self> {
        let environment = store::environment::by_id(&app.db, job.environment_id).await?;
        let environment = environment.ok_or(Error::NotFound("job"))?;
        Ok(Self { job: Some(job), ..Self::of_environment(app, environment).await? })
    }

    /// The scope of its own variables.
    #[must_use]
    pub fn scope(&self) -> VariableScope {
        match (&self.environment, &self.job) {
            (_, Some(_)) => VariableScope::Job,
            (Some(_), None) => VariableScope::Environment,
            (None, None) => VariableScope::Project,
        }
    }

    /// The owner of this scope around it, or itself; none if there is none.
    pub(super) fn at(&self, scope: VariableScope) -> Option<Self> {
        let found = match scope {
            VariableScope::Job => self.clone(),
            VariableScope::Environment => Self { job: None, ..self.clone() },
            VariableScope::Project => Self { job: None, environment: None, ..self.clone() },
            VariableScope::BuiltIn | VariableScope::Run => return None,
        };
        (found.scope() == scope).then_some(found)
    }

    /// Whether a variable belongs to the scope itself.
    #[must_use]
    pub fn owns(&self, row: &Model) -> bool {
        match (&self.environment, &self.job) {
            (_, Some(job)) => row.job_id == Some(job.id),
            (Some(environment), None) => row.environment_id == Some(environment.id),
            (None, None) => row.project_id == Some(self.project.id),
        }
    }

    /// An empty row of this scope.
    pub(super) fn empty_row(&self, key: String, kind: VariableKind, now: DateTime<Utc>) -> Model {
        let (project_id, environment_id, job_id) = match (&self.environment, &self.job) {
            (_, Some(job)) => (None, None, Some(job.id)),
            (Some(environment), None) => (None, Some(environment.id), None),
            (None, None) => (Some(self.project.id), None, None),
        };
        Model { project_id, environment_id, job_id, key, ..Model::empty(self.organization, kind, now) }
    }

    pub(in crate::engine) fn change(&self, kind: &'static str, secret: bool) -> Change {
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
