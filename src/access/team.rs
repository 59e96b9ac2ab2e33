//! What a caller may do with workspaces: by their role in an organization, by the teams of their groups, and by what
//! those may do with single workspaces.

use std::collections::BTreeMap;

use entity::id::{OrganizationId, WorkspaceId};
use entity::{team, workspace_access};
use sea_orm::ConnectionTrait;

use super::{Action, Caller, Place};
use crate::error::Result;
use crate::store;

/// What somebody may do with the workspaces of an organization, or with one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    pub view: bool,
    /// Workspaces, their variables, schedules and marks, and what all workspaces share.
    pub workspaces: bool,
    pub templates: bool,
    /// Logins and keys of hosts of repositories.
    pub logins: bool,
    /// Reading and writing states.
    pub states: bool,
    pub plan: bool,
    /// Approving, rejecting and cancelling.
    pub approve: bool,
    /// Teams and what they may do.
    pub teams: bool,
    /// The organization itself.
    pub organization: bool,
}

impl Rights {
    /// Everything that one of both allows.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            view: self.view || other.view,
            workspaces: self.workspaces || other.workspaces,
            templates: self.templates || other.templates,
            logins: self.logins || other.logins,
            states: self.states || other.states,
            plan: self.plan || other.plan,
            approve: self.approve || other.approve,
            teams: self.teams || other.teams,
            organization: self.organization || other.organization,
        }
    }

    fn of_member(caller: &Caller, organization: OrganizationId) -> Self {
        let may = |action| caller.may(organization, action, &Place::default());
        let (settings, deploy) = (may(Action::ManageSettings), may(Action::Deploy));
        Self {
            view: may(Action::View),
            workspaces: settings,
            templates: settings,
            logins: settings,
            states: settings,
            plan: deploy,
            approve: deploy,
            teams: may(Action::ManageMembers),
            organization: may(Action::EditOrganization),
        }
    }

    fn of_team(row: &team::Model) -> Self {
        let (plan, approve) = jobs(row.role.as_deref(), row.plan_job, row.approve_job);
        let admin = row.role.as_deref() == Some("admin");
        Self {
            view: true,
            workspaces: admin || row.manage_workspace,
            templates: admin || row.manage_template,
            logins: admin || row.manage_vcs,
            states: admin || row.manage_state,
            plan,
            approve,
            teams: admin,
            organization: admin,
        }
    }

    fn of_access(row: &workspace_access::Model) -> Self {
        let (plan, approve) = jobs(row.role.as_deref(), row.plan_job, row.approve_job);
        let admin = row.role.as_deref() == Some("admin");
        Self {
            view: true,
            workspaces: admin || row.manage_workspace,
            states: admin || row.manage_state,
            plan,
            approve,
            ..Self::default()
        }
    }
}

/// Whether a role plans, and whether it approves; without a role the flags decide.
fn jobs(role: Option<&str>, plan: bool, approve: bool) -> (bool, bool) {
    match role {
        Some("admin" | "write") => (true, true),
        Some("plan") => (true, false),
        Some("read") => (false, false),
        _ => (plan, approve),
    }
}

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
    pub fn whole(&self) -> Vec<OrganizationId> {
        self.organizations.iter().filter(|(_, rights)| rights.view).map(|(id, _)| *id).collect()
    }

    /// The organizations of which they may see something.
    #[must_use]
    pub fn known(&self) -> Vec<OrganizationId> {
        let mut ids = self.whole();
        ids.extend(self.workspaces.values().map(|(organization, _)| *organization));
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The workspaces that they may see one by one.
    #[must_use]
    pub fn single(&self) -> Vec<WorkspaceId> {
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
