//! Rights on workspaces, derived from a role, a team or an access rule.

use entity::{team, workspace_access};

use super::role::{self, Grant, Location};
use super::role_action::Action;

/// Rights on the workspaces of an organization, or on one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    pub view: bool,
    /// Manage workspaces, their variables, schedules and tags, and global variables.
    pub workspaces: bool,
    pub templates: bool,
    /// Manage VCS connections and SSH keys.
    pub logins: bool,
    /// Read and write states.
    pub states: bool,
    pub plan: bool,
    /// Approve, reject and cancel jobs.
    pub approve: bool,
    /// Manage teams and their permissions.
    pub teams: bool,
    /// Edit the organization.
    pub organization: bool,
}

impl Rights {
    /// The union of both sets of rights.
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

    /// The rights in the whole organization. Those of a custom role are in its projects.
    pub(super) fn of_member(grant: &Grant) -> Self {
        let may = |action| role::allows(grant, action, &Location::default());
        let (settings, deploy) = (may(Action::ManageSettings), may(Action::Deploy));
        Self {
            view: may(Action::View) && matches!(grant, Grant::Fixed(_)),
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

    pub(super) fn of_team(row: &team::Model) -> Self {
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

    pub(super) fn of_access(row: &workspace_access::Model) -> Self {
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

/// Whether a role may plan and approve; without a role, the flags decide.
fn jobs(role: Option<&str>, plan: bool, approve: bool) -> (bool, bool) {
    match role {
        Some("admin" | "write") => (true, true),
        Some("plan") => (true, false),
        Some("read") => (false, false),
        _ => (plan, approve),
    }
}
