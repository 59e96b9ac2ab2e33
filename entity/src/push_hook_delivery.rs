//! What a provider delivered to a push hook. It is remembered so that a replay is refused, and shown.

use sea_orm::entity::prelude::*;

use crate::id::{OrganizationId, PushHookDeliveryId, PushHookId};
use crate::workspace_push::PushProvider;

/// Row of `push_hook_delivery`; unique by hook and delivery, and by hook and digest.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "push_hook_delivery")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PushHookDeliveryId,
    pub organization_id: OrganizationId,
    pub hook_id: PushHookId,
    pub created_at: DateTimeUtc,
    pub provider: PushProvider,
    /// The id that the provider gave to the delivery.
    pub delivery: String,
    /// The SHA-256 of the body, because the id of a delivery is not signed; with the id if the body is not signed either, as GitLab's. One
    /// whose body came again later has more behind it.
    pub digest: String,
    /// The path of the repository at the provider.
    pub repository: Option<String>,
    pub branch: Option<String>,
    pub commit_id: Option<String>,
    pub author: Option<String>,
    /// How many branches of jobs and repositories of workspaces it had polled.
    pub branches: i32,
    /// Why it had none polled.
    pub reason: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
