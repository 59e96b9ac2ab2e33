//! Pure: the actions that roles allow.

/// An action on a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    ViewOrganization,
    EditOrganization,
    /// Invite and remove members, and assign roles.
    ManageMembers,
    ManageTokens,
    /// View the audit log.
    ViewEvents,
    ViewCluster,
    ManageCluster,
    /// Registries, git tokens, groups of annotations and labels, webhooks, alerts, custom roles.
    ViewSettings,
    ManageSettings,
    CreateProject,
    /// Projects, environments, jobs and runs.
    View,
    /// Deploy and stop.
    Deploy,
    /// Create, edit and delete.
    Manage,
    /// Create an environment of a given mode on a cluster.
    CreateEnvironment,
}

impl Action {
    /// The action that reveals the resource: callers who may not take it get 404 instead of 403.
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
