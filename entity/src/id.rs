//! Typed primary keys, so that the id of a job is never taken for that of a run.
//!
//! All are UUIDs of version 7, which sort by creation, but for those of jobs: the first digits of a job's id are a part
//! of the names of its outputs, and must differ between jobs that were made in the same minute. They are of version 4.

macro_rules! sorted {
    ($($name:ident)*) => {$(
        impl $name {
            /// A new id.
            #[must_use]
            pub fn create() -> Self {
                Self(uuid::Uuid::now_v7())
            }
        }
    )*};
}

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            sea_orm::DeriveValueType, serde::Serialize, serde::Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub uuid::Uuid);

        impl sea_orm::TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
                Err(sea_orm::DbErr::ConvertFromU64(stringify!($name)))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

id! {
    /// Of an organization.
    OrganizationId
    /// Of a person who was seen with a valid JWT.
    PersonId
    /// Of an API token.
    TokenId
    /// Of a cluster.
    ClusterId
    /// Of a project.
    ProjectId
    /// Of an environment.
    EnvironmentId
    /// Of a container registry.
    RegistryId
    /// Of a job.
    JobId
    /// Of a deployment.
    DeploymentId
    /// Of a run.
    RunId
    /// Of a variable or a secret.
    VariableId
    /// Of a deployment stage.
    StageId
    /// Of a deployment rule of a project.
    ProjectRuleId
    /// Of a deployment restriction.
    RestrictionId
    /// Of a group of annotations or labels.
    GroupId
    /// Of a git token.
    GitTokenId
    /// Of a custom role.
    CustomRoleId
    /// Of an invitation.
    InvitationId
    /// Of a webhook.
    WebhookId
    /// Of one call of a webhook.
    DeliveryId
    /// Of an event of an organization.
    EventId
    /// Of a workspace.
    WorkspaceId
    /// Of a template of workspaces.
    TemplateId
    /// Of a team.
    TeamId
    /// Of a team's access to a workspace.
    WorkspaceAccessId
    /// Of a variable of workspaces.
    TerraformVariableId
    /// Of a step of a run of a workspace.
    WorkspaceStepId
    /// Of an address of a resource.
    AddressId
    /// Of a version of a state.
    StateVersionId
    /// Of a schedule of a workspace.
    WorkspaceScheduleId
    /// Of the login to a host of repositories.
    VcsId
    /// Of an SSH key.
    SshKeyId
    /// Of a tag.
    TagId
    /// Of a mark of a workspace.
    WorkspaceTagId
    /// Of a token of a person or a group.
    AccessTokenId
}

sorted! {
    OrganizationId PersonId TokenId ClusterId ProjectId RegistryId DeploymentId RunId VariableId StageId ProjectRuleId RestrictionId GroupId GitTokenId CustomRoleId InvitationId WebhookId DeliveryId EventId WorkspaceId TemplateId TeamId WorkspaceAccessId TerraformVariableId WorkspaceStepId AddressId StateVersionId WorkspaceScheduleId VcsId SshKeyId TagId WorkspaceTagId AccessTokenId
}

impl JobId {
    /// A new id.
    #[must_use]
    pub fn create() -> Self {
        Self(uuid::Uuid::new_v4())
    }
}

impl EnvironmentId {
    /// A new id; its beginning is part of the name of its namespace.
    #[must_use]
    pub fn create() -> Self {
        Self(uuid::Uuid::new_v4())
    }
}
