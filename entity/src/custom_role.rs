//! A role with its own permissions on clusters and projects.

use std::collections::BTreeMap;

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::environment::Mode;
use crate::id::{ClusterId, CustomRoleId, OrganizationId, ProjectId};

/// A permission of a role on a cluster; each permission includes the ones before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ClusterPermission {
    #[default]
    Viewer,
    EnvCreator,
    Admin,
}

/// A permission of a role in the environments of one mode; each permission includes the ones before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ProjectPermission {
    #[default]
    NoAccess,
    Viewer,
    Deployer,
    Manager,
}

/// The permissions of a role in one project; modes that are not listed have no access.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectPermissions {
    /// Everything, including changes to the project itself.
    pub is_admin: bool,
    pub modes: BTreeMap<Mode, ProjectPermission>,
}

/// Permissions by cluster; clusters that are not listed get the lowest one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct ClusterGrants(pub BTreeMap<ClusterId, ClusterPermission>);

/// Permissions by project; projects that are not listed get the lowest one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct ProjectGrants(pub BTreeMap<ProjectId, ProjectPermissions>);

/// Row of `custom_role`; unique by organization and name key.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "custom_role")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CustomRoleId,
    pub organization_id: OrganizationId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub name: String,
    pub name_key: String,
    pub description: String,
    pub clusters: ClusterGrants,
    pub projects: ProjectGrants,
}

impl ActiveModelBehavior for ActiveModel {}
