//! A deployment stage of an environment.

use sea_orm::entity::prelude::*;

use crate::id::{EnvironmentId, StageId};

/// The default stages of an environment, in order (names of the official API).
pub const DEFAULTS: [&str; 4] = ["0.DEFAULT DATABASE", "1.DEFAULT JOB", "2.DEFAULT CONTAINER", "3.DEFAULT APPLICATION"];
/// The stage of new jobs.
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
    /// Counts from 0 within the environment.
    pub position: i32,
}

impl ActiveModelBehavior for ActiveModel {}
