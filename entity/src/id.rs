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
    /// The id of an organization.
    OrganizationId
    /// The id of a person who has used a valid JWT.
    PersonId
    /// The id of an API token.
    TokenId
    /// The id of a cluster.
    ClusterId
    /// The id of an agent of a cluster.
    AgentId
    /// The id of a step that an agent takes.
    AgentStepId
    /// The id of a project.
    ProjectId
    /// The id of an environment.
    EnvironmentId
    /// The id of a container registry.
    RegistryId
    /// The id of a job.
    JobId
    /// The id of a deployment.
    DeploymentId
    /// The id of a run.
    RunId
    /// The id of a variable or a secret.
    VariableId
    /// The id of a deployment stage.
    StageId
    /// The id of a deployment rule of a project.
    ProjectRuleId
    /// The id of a deployment restriction.
    RestrictionId
    /// The id of a group of annotations or labels.
    GroupId
    /// The id of a git token.
    GitTokenId
    /// The id of a custom role.
    CustomRoleId
    /// The id of an invitation.
    InvitationId
    /// The id of a receiver of alerts.
    AlertReceiverId
    /// The id of a rule for alerts.
    AlertRuleId
    /// A silence of alerts.
    AlertSilenceId
    /// The id of a cause of alerts.
    AlertCauseId
    /// The id of a current alert.
    AlertId
    /// The id of a message about alerts.
    AlertDeliveryId
    /// The id of a calendar.
    CalendarId
    /// The id of a webhook.
    WebhookId
    /// The id of a webhook delivery.
    DeliveryId
    /// The id of an event of an organization.
    EventId
    /// The id of a workspace.
    WorkspaceId
    /// The id of a template for workspace jobs.
    TemplateId
    /// The id of a team.
    TeamId
    /// The id of a team's access to a workspace.
    WorkspaceAccessId
    /// The id of a Terraform variable.
    TerraformVariableId
    /// The id of a workspace step.
    WorkspaceStepId
    /// The id of a resource address of a workspace job.
    AddressId
    /// The id of an uploaded configuration of a workspace.
    ConfigurationVersionId
    /// The id of a state version.
    StateVersionId
    /// The id of a workspace schedule.
    WorkspaceScheduleId
    /// The id of a webhook of a workspace's repository.
    WorkspaceWebhookId
    /// The id of what such a webhook starts.
    WorkspaceWebhookEventId
    /// The id of a push, or of another delivery of such a webhook.
    WorkspacePushId
    /// The id of what is reported to a repository.
    PushFeedbackId
    /// The id of an address that pushes are delivered to.
    PushHookId
    /// The id of a delivery to such an address.
    PushHookDeliveryId
    /// The id of a branch that jobs are built from.
    RepositoryHeadId
    /// The id of the login for a git host.
    VcsId
    /// The id of an SSH key.
    SshKeyId
    /// The id of a tag.
    TagId
    /// The id of a tag on a workspace.
    WorkspaceTagId
    /// The id of an access token.
    AccessTokenId
    /// The id of a key that signs identity tokens.
    IdentityKeyId
    /// The id of a key that signs tokens.
    SigningKeyId
    /// The id of a session of the console.
    SessionId
    /// The id of a link that signs in once.
    SignInId
    /// The id of a code of `terraform login`.
    LoginCodeId
    /// The id of a module of the private registry.
    TerraformModuleId
    /// The id of a version of a module.
    ModuleVersionId
    /// The id of a provider of the private registry or its mirror.
    TerraformProviderId
    /// The id of a version of a provider.
    ProviderVersionId
    /// The id of a version of a provider for one platform.
    ProviderPlatformId
    /// The id of a public key that signs providers.
    ProviderKeyId
    /// The id of a file of the private registry.
    RegistryFileId
}

sorted! {
    OrganizationId PersonId TokenId ClusterId AgentId AgentStepId ProjectId RegistryId DeploymentId RunId VariableId StageId ProjectRuleId RestrictionId GroupId GitTokenId CustomRoleId InvitationId AlertReceiverId AlertRuleId AlertSilenceId AlertCauseId AlertId AlertDeliveryId CalendarId WebhookId DeliveryId EventId WorkspaceId TemplateId TeamId WorkspaceAccessId TerraformVariableId WorkspaceStepId AddressId ConfigurationVersionId StateVersionId WorkspaceScheduleId WorkspaceWebhookId WorkspaceWebhookEventId WorkspacePushId PushFeedbackId PushHookId PushHookDeliveryId RepositoryHeadId VcsId SshKeyId TagId WorkspaceTagId AccessTokenId IdentityKeyId SigningKeyId SessionId SignInId LoginCodeId TerraformModuleId ModuleVersionId TerraformProviderId ProviderVersionId ProviderPlatformId ProviderKeyId RegistryFileId
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

impl StateVersionId {
    /// A new id that sorts after another one, even if that was created by a server whose clock is ahead.
    #[must_use]
    pub fn create_after(other: Self) -> Self {
        // An id begins with 48 bits of milliseconds.
        const TIME: u32 = 80;
        let new = Self::create();
        if new > other {
            return new;
        }
        let time = (other.0.as_u128() >> TIME) + 1;
        let rest = new.0.as_u128() & ((1 << TIME) - 1);
        Self(uuid::Uuid::from_u128((time << TIME) | rest))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::StateVersionId;

    #[test]
    fn an_id_comes_after_one_of_a_clock_that_is_ahead() {
        let earlier = StateVersionId::create();
        assert!(StateVersionId::create_after(earlier) > earlier);
        let mut last = StateVersionId(Uuid::from_u128(earlier.0.as_u128() + (3_600_000 << 80)));
        for _ in 0..100 {
            let next = StateVersionId::create_after(last);
            assert!(next > last, "{next} {last}");
            assert_eq!((next.0.get_version_num(), next.0.get_variant()), (7, uuid::Variant::RFC4122));
            last = next;
        }
    }
}
