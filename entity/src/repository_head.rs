//! A branch that jobs with auto-deploy are built from, and its newest commit that was dealt with.

use sea_orm::entity::prelude::*;

use crate::id::{OrganizationId, RepositoryHeadId};

/// Row of `repository_head`; unique by organization, URL and branch.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "repository_head")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RepositoryHeadId,
    pub organization_id: OrganizationId,
    pub url: String,
    /// Empty for the default branch.
    pub branch: String,
    /// None before the first poll.
    pub commit_id: Option<String>,
    pub next_poll_at: DateTimeUtc,
    /// When a push was delivered that nobody has begun to look for.
    pub asked_at: Option<DateTimeUtc>,
    /// Until when the branch is reserved for the server that polls it.
    pub claimed_until: Option<DateTimeUtc>,
    pub updated_at: DateTimeUtc,
    /// Why the newest poll failed.
    pub error: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
