//! Custom role requests.

use poem_openapi::Object;
use serde::Deserialize;
use uuid::Uuid;

use super::super::environment::EnvironmentModeEnum;
use super::permission::{OrganizationCustomRoleClusterPermission, OrganizationCustomRoleProjectPermission};

#[derive(Debug, Deserialize, Object)]
pub(super) struct OrganizationCustomRoleCreateRequest {
    pub(super) name: String,
    #[serde(default)]
    #[oai(default)]
    pub(super) description: Option<String>,
}

#[derive(Debug, Deserialize, Object)]
pub(super) struct RoleOnClusterRequest {
    #[serde(default)]
    #[oai(default)]
    pub(super) cluster_id: Option<Uuid>,
    #[serde(default)]
    #[oai(default)]
    pub(super) permission: Option<OrganizationCustomRoleClusterPermission>,
}

#[derive(Debug, Deserialize, Object)]
pub(super) struct RoleInModeRequest {
    #[serde(default)]
    #[oai(default)]
    pub(super) environment_type: Option<EnvironmentModeEnum>,
    #[serde(default)]
    #[oai(default)]
    pub(super) permission: Option<OrganizationCustomRoleProjectPermission>,
}

#[derive(Debug, Deserialize, Object)]
pub(super) struct RoleInProjectRequest {
    #[serde(default)]
    #[oai(default)]
    pub(super) project_id: Option<Uuid>,
    #[serde(default)]
    #[oai(default)]
    pub(super) is_admin: Option<bool>,
    #[serde(default)]
    #[oai(default)]
    pub(super) permissions: Option<Vec<RoleInModeRequest>>,
}

#[derive(Debug, Deserialize, Object)]
pub(super) struct OrganizationCustomRoleUpdateRequest {
    pub(super) name: String,
    #[serde(default)]
    #[oai(default)]
    pub(super) description: Option<String>,
    pub(super) cluster_permissions: Vec<RoleOnClusterRequest>,
    pub(super) project_permissions: Vec<RoleInProjectRequest>,
}
