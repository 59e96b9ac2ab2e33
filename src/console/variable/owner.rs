//! The owner of variables in addresses: a project, an environment or a job.

use entity::id::{EnvironmentId, JobId, OrganizationId, ProjectId};
use uuid::Uuid;

use crate::access::{self, Action, Location};
use crate::app::App;
use crate::console::paths::{self, ROOT};
use crate::console::viewer::Viewer;
use crate::engine::variable::Parent;
use crate::engine::variables::VariableScope;
use crate::error::{Error, Result};

/// The owner of variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::console) enum VariableOwner {
    Project(ProjectId),
    Environment(EnvironmentId),
    Job(JobId),
}

impl VariableOwner {
    /// Reads the part of an address.
    ///
    /// # Errors
    /// `NotFound` if there is no such scope.
    pub(super) fn read(scope: &str, id: Uuid) -> Result<Self> {
        match scope {
            "project" => Ok(Self::Project(ProjectId(id))),
            "environment" => Ok(Self::Environment(EnvironmentId(id))),
            "job" => Ok(Self::Job(JobId(id))),
            _ => Err(Error::NotFound("scope")),
        }
    }

    /// The address of its forms.
    pub(super) fn forms(self) -> String {
        match self {
            Self::Project(id) => format!("{ROOT}/variables/project/{id}"),
            Self::Environment(id) => format!("{ROOT}/variables/environment/{id}"),
            Self::Job(id) => format!("{ROOT}/variables/job/{id}"),
        }
    }

    /// The address of the list.
    pub(super) fn list(self) -> String {
        match self {
            Self::Project(id) => format!("{}/variables", paths::project(id)),
            Self::Environment(id) => format!("{}/variables", paths::environment(id)),
            Self::Job(id) => format!("{}/variables", paths::job(id)),
        }
    }

    /// Loads it, if the viewer may do this.
    pub(super) async fn load(self, app: &App, viewer: &Viewer, action: Action) -> Result<Parent> {
        let caller = &viewer.caller;
        match self {
            Self::Project(id) => Ok(Parent::of_project(access::project(&app.db, caller, action, id).await?)),
            Self::Environment(id) => {
                Parent::of_environment(app, access::environment(&app.db, caller, action, id).await?).await
            }
            Self::Job(id) => Parent::of_job(app, access::job_row(&app.db, caller, action, id).await?).await,
        }
    }
}

/// The organization and the location of an owner.
pub(super) fn location(parent: &Parent) -> (OrganizationId, Location) {
    let location = match &parent.environment {
        Some(row) => access::location(row),
        None => Location { project: Some(parent.project.id), ..Location::default() },
    };
    (parent.organization, location)
}

/// Whether the viewer may change the variables of an owner.
pub(super) fn may_manage(viewer: &Viewer, parent: &Parent) -> bool {
    let (organization, location) = location(parent);
    viewer.caller.may(organization, Action::Manage, &location)
}

/// The name of an owner.
pub(super) fn name(parent: &Parent) -> &str {
    match (&parent.environment, &parent.job) {
        (_, Some(job)) => &job.name,
        (Some(environment), None) => &environment.name,
        (None, None) => &parent.project.name,
    }
}

/// A scope in words.
pub(super) fn words(scope: VariableScope) -> &'static str {
    match scope {
        VariableScope::BuiltIn => "Built-in",
        VariableScope::Project => "Project",
        VariableScope::Environment => "Environment",
        VariableScope::Job => "Job",
        VariableScope::Run => "Run",
    }
}
