//! Access to the settings of an organization, such as registries, tokens and webhooks.

use entity::id::{
    AgentId, CalendarId, ClusterId, CustomRoleId, GitTokenId, GroupId, InvitationId, JobId, OrganizationId, PushHookId,
    RegistryId, RestrictionId, TokenId, WebhookId,
};
use entity::metadata_group::GroupKind;
use entity::{
    agent, api_token, calendar, cluster, custom_role, deployment_restriction, git_token, invitation, metadata_group,
    push_hook, registry, webhook,
};
use sea_orm::DatabaseConnection;

use super::caller::{Caller, Subject};
use super::role::Location;
use super::role_action::Action;
use crate::error::{Error, Result};
use crate::store;

/// Generates functions that load a row of an organization and check access to it.
macro_rules! owned {
    ($($(#[$doc:meta])* $name:ident($id:ty) -> $model:ty, $thing:literal;)+) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// `NotFound`, also for another organization's row; `Forbidden`; or a database error.
        pub async fn $name(
            db: &DatabaseConnection,
            caller: &Caller,
            action: Action,
            organization: OrganizationId,
            id: $id,
        ) -> Result<$model> {
            // Callers who may not see the organization must not learn which rows it has.
            caller.require(organization, action.visibility(), &Location::default(), $thing)?;
            let row = store::row::by_id::<$model>(db, id).await?;
            let row = row.filter(|row| row.organization_id == organization).ok_or(Error::NotFound($thing))?;
            caller.require(organization, action, &Location::default(), $thing)?;
            Ok(row)
        }
    )+};
}

owned! {
    /// A registry of an organization.
    registry(RegistryId) -> registry::Model, "registry";
    /// An API token of an organization.
    token(TokenId) -> api_token::Model, "API token";
    /// A git token of an organization.
    git_token(GitTokenId) -> git_token::Model, "git token";
    /// A custom role of an organization.
    custom_role(CustomRoleId) -> custom_role::Model, "custom role";
    /// A calendar of an organization.
    calendar(CalendarId) -> calendar::Model, "calendar";
    /// A webhook of an organization.
    webhook(WebhookId) -> webhook::Model, "webhook";
    /// A push hook of an organization.
    push_hook(PushHookId) -> push_hook::Model, "push hook";
}

/// A cluster of an organization.
///
/// # Errors
/// `NotFound`, also for another organization's row; `Forbidden`; or a database error.
pub async fn cluster(
    db: &DatabaseConnection,
    caller: &Caller,
    action: Action,
    organization: OrganizationId,
    id: ClusterId,
) -> Result<cluster::Model> {
    const THING: &str = "cluster";
    let row = store::cluster::by_id(db, id).await?.filter(|row| row.organization_id == organization);
    let row = row.ok_or(Error::NotFound(THING))?;
    caller.require(organization, action, &Location { cluster: Some(id), ..Location::default() }, THING)?;
    Ok(row)
}

/// An agent of a cluster of an organization, with the rights that the cluster needs.
///
/// # Errors
/// `NotFound`, also for another cluster's row; `Forbidden`; or a database error.
pub async fn agent(
    db: &DatabaseConnection,
    caller: &Caller,
    action: Action,
    (organization, cluster): (OrganizationId, ClusterId),
    id: AgentId,
) -> Result<agent::Model> {
    let cluster = self::cluster(db, caller, action, organization, cluster).await?;
    let row = store::agent::by_id(db, id).await?.filter(|row| row.cluster_id == cluster.id);
    row.ok_or(Error::NotFound("agent"))
}

/// A group of annotations or labels of an organization.
///
/// # Errors
/// `NotFound`, also when it belongs to another organization or is of the other kind; `Forbidden`, or a database error.
pub async fn group(
    db: &DatabaseConnection,
    caller: &Caller,
    action: Action,
    organization: OrganizationId,
    kind: GroupKind,
    id: GroupId,
) -> Result<metadata_group::Model> {
    const THING: &str = "group";
    let row = store::row::by_id::<metadata_group::Model>(db, id).await?;
    let row = row.filter(|row| row.organization_id == organization && row.kind == kind);
    let row = row.ok_or(Error::NotFound(THING))?;
    caller.require(organization, action, &Location::default(), THING)?;
    Ok(row)
}

/// An invitation of an organization. The invited person may see it before they are a member.
///
/// # Errors
/// `NotFound`, also for another organization's row; `Forbidden`; or a database error.
pub async fn invitation(
    db: &DatabaseConnection,
    caller: &Caller,
    action: Action,
    organization: OrganizationId,
    id: InvitationId,
) -> Result<invitation::Model> {
    const THING: &str = "invitation";
    let row = store::row::by_id::<invitation::Model>(db, id).await?.filter(|row| row.organization_id == organization);
    let row = row.ok_or(Error::NotFound(THING))?;
    let invited = match &caller.identity.subject {
        Subject::Person { email: Some(email), .. } => email.eq_ignore_ascii_case(&row.email),
        Subject::Person { email: None, .. } | Subject::Token { .. } | Subject::Group { .. } => false,
    };
    if !(invited && action == Action::ViewOrganization) {
        caller.require(organization, action, &Location::default(), THING)?;
    }
    Ok(row)
}

/// A deployment restriction of a job that the caller has access to.
///
/// # Errors
/// `NotFound`, also when it belongs to another job, or a database error.
pub async fn restriction(
    db: &DatabaseConnection,
    job: JobId,
    id: RestrictionId,
) -> Result<deployment_restriction::Model> {
    let row = store::row::by_id::<deployment_restriction::Model>(db, id).await?.filter(|row| row.job_id == job);
    row.ok_or(Error::NotFound("deployment restriction"))
}
