//! Loads the owner of variables, which the caller must have access to.

use entity::id::{EnvironmentId, JobId, ProjectId};
use entity::variable::Model;
use uuid::Uuid;

use super::super::caller::Auth;
use super::scope::APIVariableScopeEnum;
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::variable::Parent;
use crate::engine::variables::VariableScope;
use crate::error::{Error, Result};

pub(super) async fn of_project(app: &App, auth: &Auth, action: Action, id: Uuid) -> Result<Parent> {
    Ok(Parent::of_project(access::project(&app.db, &auth.0, action, ProjectId(id)).await?))
}

pub(super) async fn of_environment(app: &App, auth: &Auth, action: Action, id: Uuid) -> Result<Parent> {
    Parent::of_environment(app, access::environment(&app.db, &auth.0, action, EnvironmentId(id)).await?).await
}

pub(super) async fn of_job(app: &App, auth: &Auth, action: Action, id: Uuid) -> Result<Parent> {
    Parent::of_job(app, access::job_row(&app.db, &auth.0, action, JobId(id)).await?).await
}

/// The widest of the scopes of a job in which the caller may change variables. Whoever may in the job may in its environment.
pub(super) async fn widest_of_job(app: &App, auth: &Auth, job: &Parent) -> Result<VariableScope> {
    match access::project(&app.db, &auth.0, Action::Manage, job.project.id).await {
        Ok(_) => Ok(VariableScope::Project),
        Err(Error::Forbidden(_) | Error::NotFound(_)) => Ok(VariableScope::Environment),
        Err(error) => Err(error),
    }
}

/// The parent that a request specifies by a scope and an ID.
pub(super) async fn from_scope(
    app: &App,
    auth: &Auth,
    action: Action,
    (field, scope): (&str, APIVariableScopeEnum),
    id: Uuid,
) -> Result<Parent> {
    match scope {
        APIVariableScopeEnum::Project => of_project(app, auth, action, id).await,
        APIVariableScopeEnum::Environment => of_environment(app, auth, action, id).await,
        APIVariableScopeEnum::Job => of_job(app, auth, action, id).await,
        _ => Err(Error::invalid(field, "must be PROJECT, ENVIRONMENT or JOB on this server")),
    }
}

/// The parent of a stored variable.
pub(super) async fn of_row(app: &App, auth: &Auth, action: Action, row: &Model) -> Result<Parent> {
    match (row.job_id, row.environment_id, row.project_id) {
        (Some(id), _, _) => of_job(app, auth, action, id.0).await,
        (None, Some(id), _) => of_environment(app, auth, action, id.0).await,
        (None, None, Some(id)) => of_project(app, auth, action, id.0).await,
        (None, None, None) => Err(Error::NotFound("variable")),
    }
}
