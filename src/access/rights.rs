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
    /// Manage the modules of the private registry.
    pub modules: bool,
    /// Manage the providers of the private registry and its mirror.
    pub providers: bool,
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
            modules: self.modules || other.modules,
            providers: self.providers || other.providers,
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
            modules: settings,
            providers: settings,
            states: settings,
            plan: deploy,
            approve: deploy,
            teams: may(Action::ManageMembers),
            organization: may(Action::EditOrganization),
        }
    }

    pub(super) fn of_team(row: &team::Model) -> Self {
        let role = TeamRole::of(row.role.as_deref());
        Self {
            view: true,
            workspaces: role.writes(row.manage_workspace),
            templates: role.administers(row.manage_template),
            logins: role.administers(row.manage_vcs),
            modules: role.administers(row.manage_module),
            providers: role.administers(row.manage_provider),
            states: role.writes(row.manage_state),
            plan: role.plans(row.plan_job),
            approve: role.writes(row.approve_job),
            teams: role == TeamRole::Admin,
            organization: role == TeamRole::Admin,
        }
    }

    pub(super) fn of_access(row: &workspace_access::Model) -> Self {
        let role = TeamRole::of(row.role.as_deref());
        Self {
            view: true,
            workspaces: role.writes(row.manage_workspace),
            states: role.writes(row.manage_state),
            plan: role.plans(row.plan_job),
            approve: role.writes(row.approve_job),
            ..Self::default()
        }
    }
}

/// The role of a team or an access rule. Only `custom`, which is also the meaning of a blank role, leaves rights to the flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TeamRole {
    Admin,
    Write,
    Plan,
    Read,
    Custom,
}

impl TeamRole {
    /// A role is read without case. A text that is no role grants what `read` does.
    fn of(role: Option<&str>) -> Self {
        match role.unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "admin" => Self::Admin,
            "write" => Self::Write,
            "plan" => Self::Plan,
            "" | "custom" => Self::Custom,
            _ => Self::Read,
        }
    }

    fn administers(self, flag: bool) -> bool {
        self == Self::Admin || self == Self::Custom && flag
    }

    fn writes(self, flag: bool) -> bool {
        self == Self::Write || self.administers(flag)
    }

    fn plans(self, flag: bool) -> bool {
        self == Self::Plan || self.writes(flag)
    }
}

#[cfg(test)]
mod tests {
    use super::TeamRole;

    /// What each role grants: to administer, to write, and to plan, without and with the flag.
    #[test]
    fn only_custom_roles_read_the_flags() {
        for (role, expected) in [
            ("admin", [true; 6]),
            ("write", [false, false, true, true, true, true]),
            ("plan", [false, false, false, false, true, true]),
            ("read", [false; 6]),
            ("custom", [false, true, false, true, false, true]),
            ("", [false, true, false, true, false, true]),
            ("  ", [false, true, false, true, false, true]),
            (" Admin", [true; 6]),
            ("WRITE", [false, false, true, true, true, true]),
            ("owner", [false; 6]),
        ] {
            let role = TeamRole::of(Some(role));
            let granted = [false, true].map(|flag| [role.administers(flag), role.writes(flag), role.plans(flag)]);
            let [[a, b, c], [d, e, f]] = granted;
            assert_eq!([a, d, b, e, c, f], expected, "{role:?}");
        }
        assert_eq!(TeamRole::of(None), TeamRole::Custom);
    }
}
