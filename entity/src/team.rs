//! A team: a group of the OIDC issuer with its permissions.

use sea_orm::entity::prelude::*;

use crate::id::{OrganizationId, TeamId};

/// Row of `team`; unique by organization and name.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "team")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TeamId,
    pub organization_id: OrganizationId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub created_by: String,
    pub updated_by: String,
    /// The name of the OIDC group.
    pub name: String,
    pub manage_state: bool,
    pub manage_workspace: bool,
    pub manage_module: bool,
    pub manage_provider: bool,
    pub manage_vcs: bool,
    pub manage_template: bool,
    pub manage_job: bool,
    pub manage_collection: bool,
    pub plan_job: bool,
    pub approve_job: bool,
    /// `admin`, `write`, `plan`, `read`, or `custom`, which means the same as none.
    pub role: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
