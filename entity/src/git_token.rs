//! A token for a git host, sealed.

use sea_orm::entity::prelude::*;

use crate::earlier_urls::EarlierUrls;
use crate::id::{GitTokenId, OrganizationId};
use crate::job_spec::GitProvider;

/// Row of `git_token`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "git_token")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: GitTokenId,
    pub organization_id: OrganizationId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub name: String,
    pub description: String,
    pub provider: GitProvider,
    /// The workspace, for Bitbucket only.
    pub workspace: Option<String>,
    pub api_url: String,
    /// The token, sealed for this row.
    pub token: Option<Vec<u8>>,
    /// The repositories that it was used with before credentials belonged to a host.
    pub earlier_urls: Option<EarlierUrls>,
}

impl ActiveModelBehavior for ActiveModel {}
