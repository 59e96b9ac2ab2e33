//! A private SSH key for repositories.

use sea_orm::entity::prelude::*;

use crate::earlier_urls::EarlierUrls;
use crate::id::{OrganizationId, SshKeyId};

/// Row of `ssh_key`; unique by organization and name.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ssh_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SshKeyId,
    pub organization_id: OrganizationId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub created_by: String,
    pub updated_by: String,
    pub name: String,
    pub description: Option<String>,
    pub ssh_type: String,
    /// Sealed.
    pub private_key: Option<Vec<u8>>,
    /// The hosts that the key is sent to, with their keys, in the format of OpenSSH.
    pub known_hosts: Option<String>,
    /// Without `known_hosts`: the repositories whose hosts the key is sent to. The first one that it is used with is recorded.
    pub bound_urls: Option<EarlierUrls>,
}

impl ActiveModelBehavior for ActiveModel {}
