//! The rights of a caller on workspaces: from their role in an organization, from the teams of their groups, and from
//! access to single workspaces.

use std::collections::BTreeMap;

use entity::id::{OrganizationId, WorkspaceId};
use sea_orm::ConnectionTrait;

use super::caller::Caller;
use super::role::Grant;
use crate::error::Result;
use crate::store;

pub use super::rights::Rights;

/// The rights of a caller by organization and workspace.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    organizations: BTreeMap<OrganizationId, Rights>,
    workspaces: BTreeMap<WorkspaceId, (OrganizationId, Rights)>,
}

impl Reach {
    /// The rights in a whole organization.
    #[must_use]
    pub fn in_organization(&self, id: OrganizationId) -> Rights {
        self.organizations.get(&id).copied().unwrap_or_default()
    }

    /// The rights on a workspace of an organization.
    #[must_use]
    pub fn in_workspace(&self, organization: OrganizationId, id: WorkspaceId) -> Rights {
        let own = self.workspaces.get(&id).filter(|(of, _)| *of == organization).map(|(_, rights)| *rights);
        self.in_organization(organization).or(own.unwrap_or_default())
    }

    /// Whether the organization is visible.
    #[must_use]
    pub fn knows(&self, id: OrganizationId) -> bool {
        self.in_organization(id).view || self.workspaces.values().any(|(of, _)| *of == id)
    }

    /// The organizations that are fully visible.
    #[must_use]
    pub fn fully_visible(&self) -> Vec<OrganizationId> {
        self.organizations.iter().filter(|(_, rights)| rights.view).map(|(id, _)| *id).collect()
    }

    /// The organizations that are at least partly visible.
    #[must_use]
    pub fn visible(&self) -> Vec<OrganizationId> {
        let mut ids = self.fully_visible();
        ids.extend(self.workspaces.values().map(|(organization, _)| *organization));
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The workspaces that access rules apply to.
    #[must_use]
    pub fn workspaces(&self) -> Vec<WorkspaceId> {
        self.workspaces.keys().copied().collect()
    }
}

/// Loads the rights of a caller.
///
/// # Errors
/// A database error.
pub async fn reach(db: &impl ConnectionTrait, caller: &Caller) -> Result<Reach> {
    reach_of(db, &caller.identity.memberships, &caller.identity.groups).await
}

/// The rights of these memberships and groups.
pub(super) async fn reach_of(
    db: &impl ConnectionTrait,
    memberships: &[(OrganizationId, Grant)],
    groups: &[String],
) -> Result<Reach> {
    let mut reach = Reach::default();
    for (organization, grant) in memberships {
        reach.organizations.insert(*organization, Rights::of_member(grant));
        if let Grant::Custom(role) = grant {
            let seen = Rights { view: true, ..Rights::default() };
            for id in store::workspace::ids_in_projects(db, *organization, role.visible_projects()).await? {
                reach.workspaces.insert(id, (*organization, seen));
            }
        }
    }
    if groups.is_empty() {
        return Ok(reach);
    }
    for row in store::team::list_by_names(db, groups).await? {
        let rights = reach.organizations.entry(row.organization_id).or_default();
        *rights = rights.or(Rights::of_team(&row));
    }
    for row in store::team::list_accesses_by_names(db, groups).await? {
        let of = (row.organization_id, Rights::default());
        let (_, rights) = reach.workspaces.entry(row.workspace_id).or_insert(of);
        *rights = rights.or(Rights::of_access(&row));
    }
    Ok(reach)
}
