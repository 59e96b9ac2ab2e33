//! A variable of a workspace, or of all workspaces of an organization.

use sea_orm::entity::prelude::*;

use crate::id::{OrganizationId, TerraformVariableId, WorkspaceId};

/// Row of `terraform_variable`; unique by workspace, category and key.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "terraform_variable")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TerraformVariableId,
    pub organization_id: OrganizationId,
    /// None for a variable of all workspaces.
    pub workspace_id: Option<WorkspaceId>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub created_by: String,
    pub updated_by: String,
    pub key: String,
    /// None if the value is sealed.
    pub value: Option<String>,
    pub sealed: Option<Vec<u8>>,
    pub description: Option<String>,
    /// `TERRAFORM` or `ENV`.
    pub category: String,
    pub sensitive: bool,
    /// Whether the value is an HCL expression.
    pub hcl: bool,
}

impl ActiveModelBehavior for ActiveModel {}
