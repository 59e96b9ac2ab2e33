//! The webhook of a workspace's repository: pushes and pull requests start jobs.

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{OrganizationId, WorkspaceId, WorkspaceWebhookId};

/// The commits of the branches at the last poll, by branch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Heads(pub std::collections::BTreeMap<String, String>);

/// Row of `workspace_webhook`; unique by workspace.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workspace_webhook")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WorkspaceWebhookId,
    pub organization_id: OrganizationId,
    pub workspace_id: WorkspaceId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub created_by: String,
    pub updated_by: String,
    /// What clients keep as the id of the webhook at the provider.
    pub remote_hook_id: Option<String>,
    /// A flag that clients keep.
    pub migrated_v2: bool,
    /// What deliveries are signed with, sealed for this row.
    pub secret: Option<Vec<u8>>,
    /// With whose rights its jobs act, like `workspace_job.principal`.
    pub principal: Option<String>,
    /// How often the repository is asked for new commits; none if only deliveries count.
    pub poll_seconds: Option<i32>,
    pub next_poll_at: Option<DateTimeUtc>,
    pub polled: Option<Heads>,
    /// Why the newest poll failed.
    pub poll_error: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
