//! Typed primary keys, so that ids of different tables cannot be confused.
//!
//! Ids are UUIDs of version 7, which sort by creation. Jobs and environments have UUIDs of version 4, because the first
//! digits of their ids are part of other names and must differ even if they were created in the same minute.

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
    /// Of a person who has used a valid JWT.
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
    /// Of a webhook delivery.
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
    /// Of a workspace step.
    WorkspaceStepId
    /// Of a resource address of a workspace job.
    AddressId
    /// Of a state version.
    StateVersionId
    /// Of a schedule of a workspace.
    WorkspaceScheduleId
    /// Of the login to a host of repositories.
    VcsId
    /// Of an SSH key.
    SshKeyId
    /// Of a tag.
    TagId
    /// Of a tag on a workspace.
    WorkspaceTagId
    /// Of an access token.
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
    /// A new id. Its first digits are part of the name of the namespace.
    #[must_use]
    pub fn create() -> Self {
        Self(uuid::Uuid::new_v4())
    }
}
