//! A namespace of a deleted environment that is still to be deleted in its cluster.

use sea_orm::entity::prelude::*;

use crate::id::{ClusterId, EnvironmentId};

/// Row of `leftover`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "leftover")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub cluster_id: ClusterId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub namespace: String,
    /// The deleted environment.
    pub environment_id: EnvironmentId,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
