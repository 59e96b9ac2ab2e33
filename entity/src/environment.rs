//! An environment: a group of jobs on one cluster.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{ClusterId, EnvironmentId, OrganizationId, ProjectId};

/// The purpose of an environment.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, EnumIter, DeriveActiveEnum,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Mode {
    Development,
    Preview,
    Production,
    Staging,
}

/// Row of `environment`; unique by project and name key. The cluster never changes.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "environment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EnvironmentId,
    pub organization_id: OrganizationId,
    pub project_id: ProjectId,
    pub cluster_id: ClusterId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub name: String,
    pub name_key: String,
    pub mode: Mode,
    /// The namespace in a Kubernetes cluster, set by the first deployment; unique in the cluster.
    pub namespace: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// A new environment of a project, not stored yet.
    pub fn new(
        project: &crate::project::Model,
        cluster_id: ClusterId,
        name: impl Into<String>,
        mode: Mode,
        now: DateTimeUtc,
    ) -> Self {
        let name = name.into();
        Self {
            id: EnvironmentId::create(),
            organization_id: project.organization_id,
            project_id: project.id,
            cluster_id,
            created_at: now,
            updated_at: now,
            name_key: crate::name_key(&name),
            name,
            mode,
            namespace: None,
        }
    }
}
