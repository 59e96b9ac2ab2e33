//! A version of the Terraform state of a workspace.

use sea_orm::entity::prelude::*;

use crate::id::{OrganizationId, StateVersionId, WorkspaceId};

/// Row of `state_version`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "state_version")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StateVersionId,
    pub organization_id: OrganizationId,
    pub workspace_id: WorkspaceId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub created_by: String,
    pub updated_by: String,
    /// The workspace job that wrote the state; it may have been deleted.
    pub job_id: Option<i32>,
    pub serial: i64,
    pub lineage: Option<String>,
    /// MD5 of the state, in hexadecimal.
    pub md5: String,
    /// The state; a sealed description if it is stored in pieces.
    pub sealed: Vec<u8>,
    /// The number of pieces; none if the state is stored here.
    pub pieces: Option<i32>,
    /// The upload that it came with, if it was announced before.
    pub upload_id: Option<Uuid>,
    /// Why somebody stored it, for a rollback and an import.
    pub reason: Option<String>,
    /// How many resources its listing has; none if there is no listing, as for states of earlier releases.
    pub resources: Option<i32>,
}

impl ActiveModelBehavior for ActiveModel {}
