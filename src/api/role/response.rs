//! Role responses.

use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::environment::EnvironmentModeEnum;
use super::permission::{OrganizationCustomRoleClusterPermission, OrganizationCustomRoleProjectPermission};

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct OrganizationAvailableRole {
    pub(super) id: Uuid,
    pub(super) name: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct RoleOnCluster {
    pub(super) cluster_id: Uuid,
    pub(super) cluster_name: String,
    pub(super) permission: OrganizationCustomRoleClusterPermission,
}

#[derive(Clone, Debug, Serialize, Deserialize, Object)]
pub(super) struct RoleInMode {
    pub(super) environment_type: EnvironmentModeEnum,
    pub(super) permission: OrganizationCustomRoleProjectPermission,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct RoleInProject {
    pub(super) project_id: Uuid,
    pub(super) project_name: String,
    pub(super) is_admin: bool,
    pub(super) permissions: Vec<RoleInMode>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct OrganizationCustomRole {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) cluster_permissions: Vec<RoleOnCluster>,
    pub(super) project_permissions: Vec<RoleInProject>,
}
