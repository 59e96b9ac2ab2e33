//! A push or a pull request that was delivered or found by polling, and what came of it.

use sea_orm::entity::prelude::*;

use crate::id::{OrganizationId, WorkspaceId, WorkspacePushId, WorkspaceWebhookId};

/// Where a push was heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PushProvider {
    Github,
    Gitlab,
    Bitbucket,
    /// Gitea or Forgejo.
    Gitea,
    /// The server asked the repository itself.
    Poll,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PushEvent {
    Push,
    PullRequest,
    /// An event that starts nothing.
    Other,
}

/// What came of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PushOutcome {
    /// The changed paths have to be read from the repository.
    Waiting,
    /// A job was started.
    Started,
    /// Nothing was started, and the reason says why.
    Ignored,
    /// A job should have been started, and could not be.
    Failed,
}

/// Row of `workspace_push`; unique by webhook and delivery, and by webhook and digest.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workspace_push")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WorkspacePushId,
    pub organization_id: OrganizationId,
    pub workspace_id: WorkspaceId,
    pub webhook_id: WorkspaceWebhookId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub provider: PushProvider,
    /// The id that the provider gave to the delivery.
    pub delivery: String,
    /// The SHA-256 of the body, because the id of a delivery is not signed; with the id if the body is not signed either, as GitLab's. One
    /// whose body came again later has more behind it.
    pub digest: String,
    pub event: PushEvent,
    pub outcome: PushOutcome,
    pub reason: Option<String>,
    pub job_id: Option<i32>,
    /// The path of the repository at the provider.
    pub repository: Option<String>,
    pub branch: Option<String>,
    /// The branch that a pull request is to be merged into.
    pub base: Option<String>,
    /// The commit that the changes are compared with.
    pub before_id: Option<String>,
    pub commit_id: Option<String>,
    pub pr_number: Option<i32>,
    /// The title of a pull request, or the first line of the message of a commit.
    pub title: Option<String>,
    pub author: Option<String>,
    pub attempts: i32,
    /// When the paths are read (again).
    pub next_attempt_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
