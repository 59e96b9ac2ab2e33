//! A module of the private registry: a repository whose tags are the versions of the module.

use sea_orm::entity::prelude::*;

use crate::id::{OrganizationId, SshKeyId, TerraformModuleId, VcsId};

/// Row of `terraform_module`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "terraform_module")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TerraformModuleId,
    pub organization_id: OrganizationId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub created_by: String,
    pub updated_by: String,
    pub name: String,
    pub description: Option<String>,
    /// The system that the module is for, such as `aws`: the last part of its address.
    pub provider: String,
    /// The URL of the repository.
    pub source: String,
    /// The folder of the module in the repository.
    pub folder: Option<String>,
    /// What its tags have before the version.
    pub tag_prefix: Option<String>,
    pub vcs_id: Option<VcsId>,
    pub ssh_key_id: Option<SshKeyId>,
    pub latest_version: Option<String>,
    /// When its tags were last read.
    pub refreshed_at: Option<DateTimeUtc>,
    /// Why its tags could not be read the last time.
    pub refresh_error: Option<String>,
    /// When its tags are to be read again.
    pub refresh_due_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
