//! A project: a group of environments.

use sea_orm::entity::prelude::*;

use crate::id::{OrganizationId, ProjectId};

/// Row of `project`; unique by organization and name key.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "project")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProjectId,
    pub organization_id: OrganizationId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub name: String,
    pub name_key: String,
    pub description: String,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// A new project, not stored yet.
    pub fn new(
        organization_id: OrganizationId,
        name: impl Into<String>,
        description: String,
        now: DateTimeUtc,
    ) -> Self {
        let name = name.into();
        Self {
            id: ProjectId::create(),
            organization_id,
            created_at: now,
            updated_at: now,
            name_key: crate::name_key(&name),
            name,
            description,
        }
    }
}
