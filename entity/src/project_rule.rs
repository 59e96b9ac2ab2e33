//! A deployment rule of a project, for its new environments.

use sea_orm::entity::prelude::*;

use crate::deployment_rule::Weekdays;
use crate::environment::Mode;
use crate::id::{ClusterId, OrganizationId, ProjectId, ProjectRuleId};

/// Row of `project_rule`; unique by project and name key.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "project_rule")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProjectRuleId,
    pub organization_id: OrganizationId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub project_id: ProjectId,
    pub cluster_id: ClusterId,
    pub name: String,
    pub name_key: String,
    pub description: String,
    pub mode: Mode,
    pub auto_deploy: bool,
    pub auto_stop: bool,
    pub auto_delete: bool,
    /// IANA name.
    pub timezone: String,
    /// Only its time of day counts.
    pub start_time: DateTimeUtc,
    /// Only its time of day counts.
    pub stop_time: DateTimeUtc,
    pub weekdays: Weekdays,
    /// A pattern of environment names: `?` matches one character, `*` any number.
    pub wildcard: String,
    /// The first matching rule applies.
    pub position: i32,
}

impl ActiveModelBehavior for ActiveModel {}
