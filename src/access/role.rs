//! Pure: the permissions of roles.

use std::sync::Arc;

use entity::custom_role::{ClusterGrants, ClusterPermission, ProjectGrants, ProjectPermission};
use entity::environment::Mode;
use entity::id::{ClusterId, ProjectId};
use entity::member::Role;

use super::role_action::Action;

/// The location of a resource, as far as custom roles need it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Location {
    pub cluster: Option<ClusterId>,
    pub project: Option<ProjectId>,
    /// The mode of the environment; `None` for a project itself.
    pub mode: Option<Mode>,
}

/// The role of a member or a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    Fixed(Role),
    Custom(Arc<CustomPermissions>),
}

/// The permissions of a custom role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomPermissions {
    pub clusters: ClusterGrants,
    pub projects: ProjectGrants,
}

/// Whether a grant allows `action` at `location` in its organization.
#[must_use]
pub fn allows(grant: &Grant, action: Action, location: &Location) -> bool {
    match grant {
        Grant::Fixed(role) => fixed(*role, action),
        Grant::Custom(custom) => custom.allows(action, location),
    }
}

fn fixed(role: Role, action: Action) -> bool {
    match role {
        Role::Owner | Role::Admin => true,
        Role::Devops => !matches!(
            action,
            Action::EditOrganization | Action::ManageMembers | Action::ManageTokens | Action::ManageCluster
        ),
        Role::Billing => matches!(action, Action::ViewOrganization | Action::ViewCluster),
        Role::Viewer => matches!(
            action,
            Action::ViewOrganization | Action::ViewEvents | Action::ViewCluster | Action::ViewSettings | Action::View
        ),
        // The permissions of the custom role decide.
        Role::Custom => false,
    }
}

impl CustomPermissions {
    /// The projects of which at least a part may be seen.
    #[must_use]
    pub fn visible_projects(&self) -> Vec<ProjectId> {
        self.projects.0.keys().copied().filter(|id| self.sees(*id)).collect()
    }

    fn allows(&self, action: Action, location: &Location) -> bool {
        match action {
            Action::ViewOrganization | Action::ViewCluster | Action::ViewSettings => true,
            Action::ManageCluster => self.on_cluster(location) >= ClusterPermission::Admin,
            Action::View => match (location.project, location.mode) {
                // A list of the organization contains only visible rows.
                (None, _) => true,
                (Some(project), None) => self.sees(project),
                (Some(_), Some(_)) => self.in_project(location) >= ProjectPermission::Viewer,
            },
            Action::Deploy => self.in_project(location) >= ProjectPermission::Deployer,
            Action::Manage => self.in_project(location) >= ProjectPermission::Manager,
            Action::CreateEnvironment => {
                self.in_project(location) >= ProjectPermission::Manager
                    && self.on_cluster(location) >= ClusterPermission::EnvCreator
            }
            Action::EditOrganization
            | Action::ManageMembers
            | Action::ManageTokens
            | Action::ViewEvents
            | Action::ManageSettings
            | Action::CreateProject => false,
        }
    }

    fn on_cluster(&self, location: &Location) -> ClusterPermission {
        location.cluster.and_then(|id| self.clusters.0.get(&id)).copied().unwrap_or_default()
    }

    /// The permission in environments of one mode, or, without a mode, for the project itself.
    fn in_project(&self, location: &Location) -> ProjectPermission {
        let Some(of) = location.project.and_then(|id| self.projects.0.get(&id)) else { return Default::default() };
        match location.mode {
            _ if of.is_admin => ProjectPermission::Manager,
            Some(mode) => of.modes.get(&mode).copied().unwrap_or_default(),
            None => ProjectPermission::NoAccess,
        }
    }

    fn sees(&self, project: ProjectId) -> bool {
        let any = |of: &entity::custom_role::ProjectPermissions| {
            of.is_admin || of.modes.values().any(|permission| *permission >= ProjectPermission::Viewer)
        };
        self.projects.0.get(&project).is_some_and(any)
    }
}

#[cfg(test)]
mod tests {
    use entity::custom_role::ProjectPermissions;
    use uuid::Uuid;

    use super::*;

    const ACTIONS: [Action; 14] = [
        Action::ViewOrganization,
        Action::EditOrganization,
        Action::ManageMembers,
        Action::ManageTokens,
        Action::ViewEvents,
        Action::ViewCluster,
        Action::ManageCluster,
        Action::ViewSettings,
        Action::ManageSettings,
        Action::CreateProject,
        Action::View,
        Action::Deploy,
        Action::Manage,
        Action::CreateEnvironment,
    ];

    fn row(grant: &Grant, location: &Location) -> String {
        ACTIONS.iter().map(|action| if allows(grant, *action, location) { 'x' } else { '.' }).collect()
    }

    #[test]
    fn what_each_role_may_do() {
        let row = |role| row(&Grant::Fixed(role), &Location::default());
        assert_eq!(row(Role::Owner), "xxxxxxxxxxxxxx");
        assert_eq!(row(Role::Admin), "xxxxxxxxxxxxxx");
        assert_eq!(row(Role::Devops), "x...xx.xxxxxxx");
        assert_eq!(row(Role::Billing), "x....x........");
        assert_eq!(row(Role::Viewer), "x...xx.x..x...");
        assert_eq!(row(Role::Custom), "..............");
    }

    fn custom(permission: ProjectPermission, is_admin: bool, cluster: ClusterPermission) -> Grant {
        let modes = [(Mode::Staging, permission)].into();
        let projects = ProjectGrants([(ProjectId(Uuid::nil()), ProjectPermissions { is_admin, modes })].into());
        let clusters = ClusterGrants([(ClusterId(Uuid::nil()), cluster)].into());
        Grant::Custom(Arc::new(CustomPermissions { clusters, projects }))
    }

    #[test]
    fn what_custom_roles_may_do() {
        use ClusterPermission as C;
        use ProjectPermission as P;
        let (cluster, project) = (Some(ClusterId(Uuid::nil())), Some(ProjectId(Uuid::nil())));
        let here = Location { cluster, project, mode: Some(Mode::Staging) };
        let other_mode = Location { mode: Some(Mode::Production), ..here };
        let itself = Location { mode: None, ..here };
        let elsewhere = Location { project: Some(ProjectId(Uuid::max())), ..here };
        let cases = [
            (custom(P::NoAccess, false, C::Viewer), here, "x....x.x......"),
            (custom(P::Viewer, false, C::Viewer), here, "x....x.x..x..."),
            (custom(P::Viewer, false, C::Viewer), itself, "x....x.x..x..."),
            (custom(P::Viewer, false, C::Viewer), other_mode, "x....x.x......"),
            (custom(P::Deployer, false, C::Viewer), here, "x....x.x..xx.."),
            (custom(P::Manager, false, C::Viewer), here, "x....x.x..xxx."),
            (custom(P::Manager, false, C::EnvCreator), here, "x....x.x..xxxx"),
            (custom(P::Manager, false, C::Admin), itself, "x....xxx..x..."),
            (custom(P::Manager, false, C::Admin), elsewhere, "x....xxx......"),
            (custom(P::NoAccess, true, C::Viewer), other_mode, "x....x.x..xxx."),
            (custom(P::NoAccess, true, C::Viewer), itself, "x....x.x..xxx."),
        ];
        for (grant, location, expected) in cases {
            assert_eq!(row(&grant, &location), expected, "{grant:?} {location:?}");
        }
    }

    #[test]
    fn what_may_be_done_may_be_seen() {
        for role in [Role::Owner, Role::Admin, Role::Devops, Role::Billing, Role::Viewer] {
            let grant = Grant::Fixed(role);
            for action in ACTIONS {
                let location = Location::default();
                assert!(
                    !allows(&grant, action, &location) || allows(&grant, action.visibility(), &location),
                    "{role:?}"
                );
            }
        }
    }
}
