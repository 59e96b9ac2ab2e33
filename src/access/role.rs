//! Pure: which role may do what.

use entity::member::Role;

/// What a caller wants to do with a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    ViewOrganization,
    EditOrganization,
    ManageTokens,
    ViewCluster,
    ViewRegistry,
    ManageRegistry,
    CreateProject,
    /// Projects, environments, jobs and runs.
    View,
    /// Deploy and stop.
    Deploy,
    /// Create, edit and delete.
    Manage,
}

impl Action {
    /// The action that shows that the thing is there: who may not do it gets 404, not 403.
    #[must_use]
    pub fn visibility(self) -> Self {
        match self {
            Self::ViewOrganization | Self::EditOrganization | Self::ManageTokens | Self::CreateProject => {
                Self::ViewOrganization
            }
            Self::ViewCluster => Self::ViewCluster,
            Self::ViewRegistry | Self::ManageRegistry => Self::ViewRegistry,
            Self::View | Self::Deploy | Self::Manage => Self::View,
        }
    }
}

/// Whether `role` may do `action` in its organization.
#[must_use]
pub fn allows(role: Role, action: Action) -> bool {
    match role {
        Role::Owner | Role::Admin => true,
        Role::Devops => !matches!(action, Action::EditOrganization | Action::ManageTokens),
        Role::Billing => matches!(action, Action::ViewOrganization | Action::ViewCluster),
        Role::Viewer => {
            matches!(action, Action::ViewOrganization | Action::ViewCluster | Action::ViewRegistry | Action::View)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, Role, allows};

    const ACTIONS: [Action; 10] = [
        Action::ViewOrganization,
        Action::EditOrganization,
        Action::ManageTokens,
        Action::ViewCluster,
        Action::ViewRegistry,
        Action::ManageRegistry,
        Action::CreateProject,
        Action::View,
        Action::Deploy,
        Action::Manage,
    ];

    #[test]
    fn what_each_role_may_do() {
        let row = |role| ACTIONS.iter().map(|action| if allows(role, *action) { 'x' } else { '.' }).collect::<String>();
        assert_eq!(row(Role::Owner), "xxxxxxxxxx");
        assert_eq!(row(Role::Admin), "xxxxxxxxxx");
        assert_eq!(row(Role::Devops), "x..xxxxxxx");
        assert_eq!(row(Role::Billing), "x..x......");
        assert_eq!(row(Role::Viewer), "x..xx..x..");
    }

    #[test]
    fn what_may_be_done_may_be_seen() {
        for role in [Role::Owner, Role::Admin, Role::Devops, Role::Billing, Role::Viewer] {
            for action in ACTIONS {
                assert!(!allows(role, action) || allows(role, action.visibility()), "{role:?} {action:?}");
            }
        }
    }
}
