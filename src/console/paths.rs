//! Pure: the addresses of the pages.

use entity::id::{DeploymentId, EnvironmentId, JobId, OrganizationId, ProjectId, RunId, WorkspaceId};

/// The folder of all pages.
pub(super) const ROOT: &str = "/console";

pub(super) fn organization(id: OrganizationId) -> String {
    format!("{ROOT}/organization/{id}")
}

pub(super) fn environment(id: EnvironmentId) -> String {
    format!("{ROOT}/environment/{id}")
}

pub(super) fn deployment(id: DeploymentId) -> String {
    format!("{ROOT}/deployment/{id}")
}

pub(super) fn job(id: JobId) -> String {
    format!("{ROOT}/job/{id}")
}

pub(super) fn run(id: RunId) -> String {
    format!("{ROOT}/run/{id}")
}

pub(super) fn workspace(id: WorkspaceId) -> String {
    format!("{ROOT}/workspace/{id}")
}

pub(super) fn project(id: ProjectId) -> String {
    format!("{ROOT}/project/{id}")
}

pub(super) fn workspace_job(id: i32) -> String {
    format!("{ROOT}/workspace-job/{id}")
}
