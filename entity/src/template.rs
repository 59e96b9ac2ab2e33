//! A template: the steps of workspace jobs.

use sea_orm::entity::prelude::*;

use crate::id::{OrganizationId, TemplateId};

/// Row of `template`; unique by organization and name.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "template")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TemplateId,
    pub organization_id: OrganizationId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub created_by: String,
    pub updated_by: String,
    pub name: String,
    pub description: Option<String>,
    pub version: Option<String>,
    /// Base64 of YAML.
    pub tcl: String,
}

impl ActiveModelBehavior for ActiveModel {}
