//! A version of a module in the private registry: a tag of its repository.

use sea_orm::entity::prelude::*;

use crate::id::{ModuleVersionId, OrganizationId, TerraformModuleId};

/// Row of `module_version`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "module_version")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ModuleVersionId,
    pub organization_id: OrganizationId,
    pub module_id: TerraformModuleId,
    pub created_at: DateTimeUtc,
    pub version: String,
    pub git_tag: String,
    pub commit_id: String,
}

impl ActiveModelBehavior for ActiveModel {}
