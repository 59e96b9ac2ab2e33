//! Numbers that only grow and are shared by the whole installation.

use sea_orm::entity::prelude::*;

/// The counter of runs.
pub const RUN: &str = "run";
/// The counter of runs of workspaces, which are known by their numbers.
pub const WORKSPACE_JOB: &str = "workspace_job";

/// Row of `counter`: the last number that was given out under a name.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "counter")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub value: i64,
}

impl ActiveModelBehavior for ActiveModel {}
