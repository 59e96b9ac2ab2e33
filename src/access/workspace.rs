//! Access to workspaces and their jobs, for pages: whoever sees a workspace gets the rights on it, too.

use entity::id::{OrganizationId, WorkspaceId};
use entity::{workspace, workspace_job};
use sea_orm::DatabaseConnection;

use super::caller::Caller;
use super::reach::{self, Rights};
use super::read_guard::Permit;
use crate::error::{Error, Result};
use crate::store;

/// A workspace, with the rights of the caller on it.
///
/// # Errors
/// `NotFound`, or a database error.
pub async fn workspace(
    db: &DatabaseConnection,
    caller: &Caller,
    id: WorkspaceId,
) -> Result<(workspace::Model, Rights)> {
    const THING: &str = "workspace";
    let row = store::row::by_id::<workspace::Model>(db, id).await?.filter(|row| !row.deleted);
    let row = row.ok_or(Error::NotFound(THING))?;
    let rights = reach::reach(db, caller).await?.in_workspace(row.organization_id, row.id);
    if rights.view { Ok((row, rights)) } else { Err(Error::NotFound(THING)) }
}

/// A workspace job, with its workspace and the rights of the caller on it.
///
/// # Errors
/// `NotFound`, or a database error.
pub async fn workspace_job(
    db: &DatabaseConnection,
    caller: &Caller,
    id: i32,
) -> Result<(workspace_job::Model, workspace::Model, Rights)> {
    const THING: &str = "job";
    let job = store::row::by_id::<workspace_job::Model>(db, id).await?.ok_or(Error::NotFound(THING))?;
    match workspace(db, caller, job.workspace_id).await {
        Ok((row, rights)) => Ok((job, row, rights)),
        Err(Error::NotFound(_)) => Err(Error::NotFound(THING)),
        Err(error) => Err(error),
    }
}

/// `Forbidden` without a right.
///
/// # Errors
/// `Forbidden`.
pub fn require_right(has_it: bool) -> Result<()> {
    if has_it { Ok(()) } else { Err(Error::Forbidden("your role does not allow this")) }
}

/// The right to read the logs of a workspace.
pub struct ReadWorkspace {
    pub db: DatabaseConnection,
    pub organization: OrganizationId,
    pub workspace: WorkspaceId,
}

impl Permit for ReadWorkspace {
    async fn check(&self, caller: &Caller) -> Result<()> {
        let reach = reach::reach(&self.db, caller).await?;
        let may = reach.in_workspace(self.organization, self.workspace).view;
        if may { Ok(()) } else { Err(Error::NotFound("step")) }
    }
}
