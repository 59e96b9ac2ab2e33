//! A file of the private registry, in pieces: the archive of a version of a module, or a provider for one platform.

use sea_orm::entity::prelude::*;

use crate::id::{ModuleVersionId, OrganizationId, ProviderPlatformId, RegistryFileId};

/// Row of `registry_file`. A file without an owner is deleted.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "registry_file")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RegistryFileId,
    pub organization_id: OrganizationId,
    pub module_version_id: Option<ModuleVersionId>,
    pub provider_platform_id: Option<ProviderPlatformId>,
    pub created_at: DateTimeUtc,
    pub bytes: i64,
    pub pieces: i32,
    /// Whether all of its pieces are there.
    pub complete: bool,
}

impl ActiveModelBehavior for ActiveModel {}
