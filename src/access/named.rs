//! Access to organizations and workspaces by their names, as `cloud` blocks give them.

use entity::id::{OrganizationId, WorkspaceId};
use entity::{organization, workspace};
use sea_orm::DatabaseConnection;

use super::caller::Caller;
use super::reach::{self, Reach, Rights};
use crate::error::{Error, Result};
use crate::store;

const ORGANIZATION: &str = "organization";

/// An organization of which the caller sees at least a workspace, by its name or its id, with their rights in the whole of it.
///
/// # Errors
/// `NotFound`; `Conflict` if the caller sees several of this name; or a database error.
pub async fn named_organization(
    db: &DatabaseConnection,
    caller: &Caller,
    name: &str,
) -> Result<(organization::Model, Rights)> {
    let reach = reach::reach(db, caller).await?;
    let rows = match name.parse() {
        Ok(id) => store::organization::by_id(db, OrganizationId(id)).await?.into_iter().collect(),
        Err(_) => store::organization::list_by_name(db, name).await?,
    };
    let mut seen = rows.into_iter().filter(|row| !row.disabled && reach.knows(row.id));
    match (seen.next(), seen.next()) {
        (None, _) => Err(Error::NotFound(ORGANIZATION)),
        (Some(row), None) => {
            let rights = reach.in_organization(row.id);
            Ok((row, rights))
        }
        (Some(_), Some(_)) => Err(Error::Conflict(format!(
            "you belong to several organizations that are called {name}; write the id of the one that you mean instead"
        ))),
    }
}

/// The organization of a row that the caller sees.
///
/// # Errors
/// `NotFound` if it is hidden or was deleted; or a database error.
pub async fn shown_organization(db: &DatabaseConnection, id: OrganizationId) -> Result<organization::Model> {
    let row = store::organization::by_id(db, id).await?.filter(|row| !row.disabled);
    row.ok_or(Error::NotFound(ORGANIZATION))
}

/// What the caller may do, and which workspaces of an organization they see: all of them, or some.
///
/// # Errors
/// A database error.
pub async fn seen_workspaces(
    db: &DatabaseConnection,
    caller: &Caller,
    organization: OrganizationId,
) -> Result<(Reach, Option<Vec<WorkspaceId>>)> {
    let reach = reach::reach(db, caller).await?;
    let among = if reach.in_organization(organization).view { None } else { Some(reach.workspaces()) };
    Ok((reach, among))
}

/// A workspace of an organization by its name, with the rights of the caller on it.
///
/// # Errors
/// `NotFound`, or a database error.
pub async fn named_workspace(
    db: &DatabaseConnection,
    caller: &Caller,
    organization: OrganizationId,
    name: &str,
) -> Result<(workspace::Model, Rights)> {
    let row = store::workspace::by_name(db, organization, name).await?.filter(|row| !row.deleted);
    let row = row.ok_or(Error::NotFound("workspace"))?;
    super::workspace(db, caller, row.id).await
}
