//! What is reported to the repository about the jobs of a push: the status of a commit, and one comment per pull request.

use sea_orm::entity::prelude::*;

use crate::id::{OrganizationId, PushFeedbackId, WorkspaceId, WorkspacePushId};
use crate::webhook_delivery::DeliveryState;

/// What is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FeedbackKind {
    /// The status of the commit.
    Status,
    /// A comment on the pull request, which is edited.
    Comment,
}

/// Row of `push_feedback`; unique by workspace and subject. What is sent is read from the job when it is sent.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "push_feedback")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PushFeedbackId,
    pub organization_id: OrganizationId,
    pub workspace_id: WorkspaceId,
    pub push_id: WorkspacePushId,
    /// The newest job about the subject.
    pub job_id: i32,
    pub kind: FeedbackKind,
    /// The commit or the pull request.
    pub subject: String,
    /// The id of the comment at the provider.
    pub remote_id: Option<String>,
    /// Counts the changes, so that one during a request is not lost.
    pub revision: i32,
    pub state: DeliveryState,
    pub attempts: i32,
    pub next_attempt_at: DateTimeUtc,
    /// Until when a server is sending it.
    pub claimed_until: Option<DateTimeUtc>,
    /// The newest text that arrived.
    pub sent: Option<String>,
    /// Why the newest attempt failed.
    pub error: Option<String>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
