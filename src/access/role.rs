//! Pure: which role may do what.

use std::sync::Arc;

use entity::custom_role::{ClusterGrants, ClusterPermission, ProjectGrants, ProjectPermission};
use entity::environment::Mode;
use entity::id::{ClusterId, ProjectId};
use entity::member::Role;

/// What a caller wants to do with a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    ViewOrganization,
    EditOrganization,
    /// Invite, remove, and give roles.
    ManageMembers,
    ManageTokens,
    /// What everybody did.
    ViewEvents,
    ViewCluster,
    ManageCluster,
    /// Registries, git tokens, groups of annotations and labels, webhooks, custom roles.
    ViewSettings,
    ManageSettings,
    CreateProject,
    /// Projects, environments, jobs and runs.
    View,
    /// Deploy and stop.
    Deploy,
    /// Create, edit and delete.
    Manage,
    /// Put an environment of a mode on a cluster.
    CreateEnvironment,
}

impl Action {
    /// The action that shows that the thing is there: who may not do it gets 404, not 403.
    #[must_use]
    pub fn visibility(self) -> Self {
        match self {
            Self::ViewOrganization
            | Self::EditOrganization
            | Self::ManageMembers
            | Self::ManageTokens
            | Self::ViewEvents
            | Self::CreateProject => Self::ViewOrganization,
            Self::ViewCluster | Self::ManageCluster => Self::ViewCluster,
            Self::ViewSettings | Self::ManageSettings => Self::ViewSettings,
            Self::View | Self::Deploy | Self::Manage | Self::CreateEnvironment => Self::View,
        }
    }
}

/// Where a thing is, as far as custom roles look at it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub cluster: Option<ClusterId>,
    pub project: Option<ProjectId>,
    /// Of the environment; none for a project itself.
    pub mode: Option<Mode>,
}

/// The role of a member or a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    Fixed(Role),
    Custom(Arc<Custom>),
}

/// The permissions of a custom role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Custom {
    pub clusters: ClusterGrants,
    pub projects: ProjectGrants,
}

/// Whether a role may do `action` at `place` in its organization.
#[must_use]
pub fn allows(grant: &Grant, action: Action, place: &Place) -> bool {
    match grant {
        Grant::Fixed(role) => fixed(*role, action),
        Grant::Custom(custom) => custom.allows(action, place),
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
        // A row that says so has a custom role, which decides.
        Role::Custom => false,
    }
}

impl Custom {
    fn allows(&self, action: Action, place: &Place) -> bool {
        match action {
            Action::ViewOrganization | Action::ViewCluster | Action::ViewSettings => true,
            Action::ManageCluster => self.on_cluster(place) >= ClusterPermission::Admin,
            Action::View => match (place.project, place.mode) {
                // A list of the organization shows what is visible of it.
                (None, _) => true,
                (Some(project), None) => self.sees(project),
                (Some(_), Some(_)) => self.in_project(place) >= ProjectPermission::Viewer,
            },
            Action::Deploy => self.in_project(place) >= ProjectPermission::Deployer,
            Action::Manage => self.in_project(place) >= ProjectPermission::Manager,
            Action::CreateEnvironment => {
                self.in_project(place) >= ProjectPermission::Manager
                    && self.on_cluster(place) >= ClusterPermission::EnvCreator
            }
            Action::EditOrganization
            | Action::ManageMembers
            | Action::ManageTokens
            | Action::ViewEvents
            | Action::ManageSettings
            | Action::CreateProject => false,
        }
    }

    fn on_cluster(&self, place: &Place) -> ClusterPermission {
        place.cluster.and_then(|id| self.clusters.0.get(&id)).copied().unwrap_or_default()
    }

    /// What it may do in the environments of one mode, or, without a mode, with the project itself.
    fn in_project(&self, place: &Place) -> ProjectPermission {
        let Some(of) = place.project.and_then(|id| self.projects.0.get(&id)) else { return Default::default() };
        match place.mode {
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

    fn row(grant: &Grant, place: &Place) -> String {
        ACTIONS.iter().map(|action| if allows(grant, *action, place) { 'x' } else { '.' }).collect()
    }

    #[test]
    fn what_each_role_may_do() {
        let row = |role| row(&Grant::Fixed(role), &Place::default());
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
        Grant::Custom(Arc::new(Custom { clusters, projects }))
    }

    #[test]
    fn what_custom_roles_may_do() {
        use ClusterPermission as C;
        use ProjectPermission as P;
        let (cluster, project) = (Some(ClusterId(Uuid::nil())), Some(ProjectId(Uuid::nil())));
        let here = Place { cluster, project, mode: Some(Mode::Staging) };
        let other_mode = Place { mode: Some(Mode::Production), ..here };
        let itself = Place { mode: None, ..here };
        let elsewhere = Place { project: Some(ProjectId(Uuid::max())), ..here };
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
        for (grant, place, expected) in cases {
            assert_eq!(row(&grant, &place), expected, "{grant:?} {place:?}");
        }
    }

    #[test]
    fn what_may_be_done_may_be_seen() {
        for role in [Role::Owner, Role::Admin, Role::Devops, Role::Billing, Role::Viewer] {
            let grant = Grant::Fixed(role);
            for action in ACTIONS {
                let place = Place::default();
                assert!(!allows(&grant, action, &place) || allows(&grant, action.visibility(), &place), "{role:?}");
            }
        }
    }
}
