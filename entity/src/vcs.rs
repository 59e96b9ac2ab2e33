//! The login for a git host.

use sea_orm::entity::prelude::*;

use crate::earlier_urls::EarlierUrls;
use crate::id::{OrganizationId, VcsId};

/// Row of `vcs`; unique by organization and name.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vcs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: VcsId,
    pub organization_id: OrganizationId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub created_by: String,
    pub updated_by: String,
    pub name: String,
    pub description: Option<String>,
    /// `PUBLIC`, `GITHUB`, `GITLAB`, `BITBUCKET` or `AZURE_DEVOPS`.
    pub vcs_type: String,
    pub connection_type: String,
    pub client_id: Option<String>,
    /// Sealed.
    pub client_secret: Option<Vec<u8>>,
    /// Sealed; used to read repositories.
    pub access_token: Option<Vec<u8>>,
    /// Sealed.
    pub private_key: Option<Vec<u8>>,
    pub endpoint: Option<String>,
    pub api_url: Option<String>,
    pub redirect_url: Option<String>,
    pub status: String,
    /// The repositories that it was used with before credentials belonged to a host.
    pub earlier_urls: Option<EarlierUrls>,
}

impl ActiveModelBehavior for ActiveModel {}
