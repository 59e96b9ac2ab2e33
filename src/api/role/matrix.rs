//! The permission matrix of a custom role.

use entity::custom_role::{
    ClusterGrants, ClusterPermission, Model, ProjectGrants, ProjectPermission, ProjectPermissions,
};
use entity::environment::Mode;
use entity::id::{ClusterId, OrganizationId, ProjectId};
use entity::{cluster, project};
use sea_orm::ConnectionTrait;

use super::request::{RoleInProjectRequest, RoleOnClusterRequest};
use super::response::{OrganizationCustomRole, RoleInMode, RoleInProject, RoleOnCluster};
use crate::error::{Error, Result};
use crate::store;

/// The clusters and projects of an organization. A custom role has a permission for each of them.
pub(super) struct PermissionMatrix {
    clusters: Vec<cluster::Model>,
    projects: Vec<project::Model>,
}

impl PermissionMatrix {
    pub(super) async fn load(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Self> {
        let clusters = store::cluster::list_by_organization(db, id).await?;
        Ok(Self { clusters, projects: store::project::list_by_organization(db, id).await? })
    }

    /// The complete matrix of a role, with the lowest permission as the default.
    pub(super) fn response(&self, row: &Model) -> OrganizationCustomRole {
        let on_cluster = |cluster: &cluster::Model| RoleOnCluster {
            cluster_id: cluster.id.0,
            cluster_name: cluster.name.clone(),
            permission: row.clusters.0.get(&cluster.id).copied().unwrap_or_default().into(),
        };
        let in_project = |project: &project::Model| {
            let stored = row.projects.0.get(&project.id).cloned().unwrap_or_default();
            let modes = [Mode::Development, Mode::Preview, Mode::Staging, Mode::Production];
            let in_mode = |mode: Mode| RoleInMode {
                environment_type: mode.into(),
                permission: stored.modes.get(&mode).copied().unwrap_or_default().into(),
            };
            RoleInProject {
                project_id: project.id.0,
                project_name: project.name.clone(),
                is_admin: stored.is_admin,
                permissions: modes.into_iter().map(in_mode).collect(),
            }
        };
        OrganizationCustomRole {
            id: row.id.0,
            name: row.name.clone(),
            description: row.description.clone(),
            cluster_permissions: self.clusters.iter().map(on_cluster).collect(),
            project_permissions: self.projects.iter().map(in_project).collect(),
        }
    }

    /// Validates the matrix of a request.
    pub(super) fn parse(
        &self,
        clusters: Vec<RoleOnClusterRequest>,
        projects: Vec<RoleInProjectRequest>,
    ) -> Result<(ClusterGrants, ProjectGrants)> {
        let mut parsed = (ClusterGrants::default(), ProjectGrants::default());
        for (index, RoleOnClusterRequest { cluster_id, permission }) in clusters.into_iter().enumerate() {
            let id = cluster_id.map(ClusterId).filter(|id| self.clusters.iter().any(|row| row.id == *id));
            let field = format!("cluster_permissions[{index}].cluster_id");
            let id = id.ok_or_else(|| Error::invalid(field, "is not a cluster of this organization"))?;
            parsed.0.0.insert(id, permission.map(ClusterPermission::from).unwrap_or_default());
        }
        for (index, RoleInProjectRequest { project_id, is_admin, permissions }) in projects.into_iter().enumerate() {
            let field = format!("project_permissions[{index}]");
            let id = project_id.map(ProjectId).filter(|id| self.projects.iter().any(|row| row.id == *id));
            let id = id.ok_or_else(|| {
                Error::invalid(format!("{field}.project_id"), "is not a project of this organization")
            })?;
            let mut stored = ProjectPermissions { is_admin: is_admin.unwrap_or(false), modes: Default::default() };
            for (index, line) in permissions.unwrap_or_default().into_iter().enumerate() {
                let field = format!("{field}.permissions[{index}].environment_type");
                let mode = line.environment_type.ok_or_else(|| Error::invalid(field, "is required"))?;
                stored.modes.insert(mode.into(), line.permission.map(ProjectPermission::from).unwrap_or_default());
            }
            parsed.1.0.insert(id, stored);
        }
        Ok(parsed)
    }
}
