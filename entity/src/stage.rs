//! A stage of the deployments of an environment.

use sea_orm::entity::prelude::*;

use crate::id::{EnvironmentId, StageId};

/// The stages that every environment begins with, in their order (names of the official API).
pub const DEFAULTS: [&str; 4] = ["0.DEFAULT DATABASE", "1.DEFAULT JOB", "2.DEFAULT CONTAINER", "3.DEFAULT APPLICATION"];
/// The one that new jobs are put into.
pub const JOBS: &str = "1.DEFAULT JOB";

/// Row of `stage`; unique by environment and name key.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "stage")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StageId,
    pub environment_id: EnvironmentId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub name: String,
    pub name_key: String,
    pub description: String,
    /// Counts from 0 inside the environment.
    pub position: i32,
}

impl ActiveModelBehavior for ActiveModel {}
