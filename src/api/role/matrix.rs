//! The matrix of permissions of a custom role.

use entity::custom_role::{ClusterPermission, Clusters, Model, ProjectPermission, ProjectPermissions, Projects};
use entity::environment::Mode;
use entity::id::{ClusterId, OrganizationId, ProjectId};
use entity::{cluster, project};
use sea_orm::ConnectionTrait;

use super::request::{RoleInProjectRequest, RoleOnClusterRequest};
use super::response::{OrganizationCustomRole, RoleInMode, RoleInProject, RoleOnCluster};
use crate::error::{Error, Result};
use crate::store;

/// What a matrix has a line for: everything of the organization.
pub(super) struct Lines {
    clusters: Vec<cluster::Model>,
    projects: Vec<project::Model>,
}

impl Lines {
    pub(super) async fn read(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Self> {
        let clusters = store::cluster::list_by_organization(db, id).await?;
        Ok(Self { clusters, projects: store::project::list_by_organization(db, id).await? })
    }

    /// The whole matrix of a role, with the least permission where nothing is stored.
    pub(super) fn answer(&self, row: &Model) -> OrganizationCustomRole {
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

    /// Checks the matrix of a request.
    pub(super) fn read_request(
        &self,
        clusters: Vec<RoleOnClusterRequest>,
        projects: Vec<RoleInProjectRequest>,
    ) -> Result<(Clusters, Projects)> {
        let mut of = (Clusters::default(), Projects::default());
        for (place, RoleOnClusterRequest { cluster_id, permission }) in clusters.into_iter().enumerate() {
            let id = cluster_id.map(ClusterId).filter(|id| self.clusters.iter().any(|row| row.id == *id));
            let field = format!("cluster_permissions[{place}].cluster_id");
            let id = id.ok_or_else(|| Error::invalid(field, "is not a cluster of this organization"))?;
            of.0.0.insert(id, permission.map(ClusterPermission::from).unwrap_or_default());
        }
        for (place, RoleInProjectRequest { project_id, is_admin, permissions }) in projects.into_iter().enumerate() {
            let field = format!("project_permissions[{place}]");
            let id = project_id.map(ProjectId).filter(|id| self.projects.iter().any(|row| row.id == *id));
            let id = id.ok_or_else(|| {
                Error::invalid(format!("{field}.project_id"), "is not a project of this organization")
            })?;
            let mut stored = ProjectPermissions { is_admin: is_admin.unwrap_or(false), modes: Default::default() };
            for (line, one) in permissions.unwrap_or_default().into_iter().enumerate() {
                let field = format!("{field}.permissions[{line}].environment_type");
                let mode = one.environment_type.ok_or_else(|| Error::invalid(field, "is missing"))?;
                stored.modes.insert(mode.into(), one.permission.map(ProjectPermission::from).unwrap_or_default());
            }
            of.1.0.insert(id, stored);
        }
        Ok(of)
    }
}
