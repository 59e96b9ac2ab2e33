//! A configuration that was uploaded for a workspace: the files of its root module, as a compressed archive in pieces.

use sea_orm::entity::prelude::*;

use crate::id::{ConfigurationVersionId, OrganizationId, WorkspaceId};

/// Whether the files of a configuration are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum ConfigurationStatus {
    /// Nothing was uploaded yet.
    Pending,
    Uploaded,
    /// The upload was refused.
    Errored,
}

/// Row of `configuration_version`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "configuration_version")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ConfigurationVersionId,
    pub organization_id: OrganizationId,
    pub workspace_id: WorkspaceId,
    pub created_at: DateTimeUtc,
    pub created_by: String,
    /// Whether it may only be planned.
    pub speculative: bool,
    /// Whether its plan may be saved, to be applied later.
    pub provisional: bool,
    pub status: ConfigurationStatus,
    /// Why the upload was refused.
    pub error: Option<String>,
    /// The size of the archive.
    pub bytes: i64,
    /// The number of pieces.
    pub pieces: i32,
}

impl ActiveModelBehavior for ActiveModel {}
