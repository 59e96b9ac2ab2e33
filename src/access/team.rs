//! What a caller may do with workspaces: by their role in an organization, by the teams of their groups, and by what
//! those may do with single workspaces.

use std::collections::BTreeMap;

use entity::id::{OrganizationId, WorkspaceId};
use sea_orm::ConnectionTrait;

use super::caller::Caller;
use crate::error::Result;
use crate::store;

pub use super::rights::Rights;

/// Where a caller may do what.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    organizations: BTreeMap<OrganizationId, Rights>,
    workspaces: BTreeMap<WorkspaceId, (OrganizationId, Rights)>,
}

impl Reach {
    /// What they may do in an organization, whatever the workspace.
    #[must_use]
    pub fn in_organization(&self, id: OrganizationId) -> Rights {
        self.organizations.get(&id).copied().unwrap_or_default()
    }

    /// What they may do with a workspace of an organization.
    #[must_use]
    pub fn in_workspace(&self, organization: OrganizationId, id: WorkspaceId) -> Rights {
        let own = self.workspaces.get(&id).filter(|(of, _)| *of == organization).map(|(_, rights)| *rights);
        self.in_organization(organization).or(own.unwrap_or_default())
    }

    /// Whether they may know of an organization.
    #[must_use]
    pub fn knows(&self, id: OrganizationId) -> bool {
        self.in_organization(id).view || self.workspaces.values().any(|(of, _)| *of == id)
    }

    /// The organizations of which they may see everything.
    #[must_use]
    pub fn fully_visible(&self) -> Vec<OrganizationId> {
        self.organizations.iter().filter(|(_, rights)| rights.view).map(|(id, _)| *id).collect()
    }

    /// The organizations of which they may see something.
    #[must_use]
    pub fn visible(&self) -> Vec<OrganizationId> {
        let mut ids = self.fully_visible();
        ids.extend(self.workspaces.values().map(|(organization, _)| *organization));
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The workspaces that they may see one by one.
    #[must_use]
    pub fn workspaces(&self) -> Vec<WorkspaceId> {
        self.workspaces.keys().copied().collect()
    }
}

/// Where the caller may do what.
///
/// # Errors
/// The database's.
pub async fn reach(db: &impl ConnectionTrait, caller: &Caller) -> Result<Reach> {
    let mut reach = Reach::default();
    for (organization, _) in &caller.identity.memberships {
        reach.organizations.insert(*organization, Rights::of_member(caller, *organization));
    }
    let groups = &caller.identity.groups;
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
