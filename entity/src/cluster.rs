//! A cluster: where runs are executed.

use sea_orm::entity::prelude::*;

use crate::id::{ClusterId, OrganizationId};

/// The kind of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ClusterKind {
    /// The machine that the server runs on.
    Local,
    /// A Kubernetes cluster that the organization runs itself.
    Kubernetes,
    /// Machines that the server cannot reach: their agents fetch the steps.
    Agent,
}

/// Row of `cluster`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "cluster")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ClusterId,
    pub organization_id: OrganizationId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub name: String,
    pub description: Option<String>,
    pub region: String,
    pub kind: ClusterKind,
    pub is_default: bool,
    /// The maximum CPU of one job, in millicores.
    pub maximum_cpu_milli: i32,
    /// The maximum memory of one job, in MiB.
    pub maximum_memory_mib: i32,
    /// The kubeconfig of a Kubernetes cluster, sealed for this row.
    pub kubeconfig: Option<Vec<u8>>,
    pub production: bool,
    /// Settings that clients read back; the server does not use them.
    pub settings: Option<Json>,
}

impl ActiveModelBehavior for ActiveModel {}
