//! Counters that are shared by the whole installation.

use sea_orm::entity::prelude::*;

/// The counter of runs.
pub const RUN: &str = "run";
/// The counter of workspace jobs, whose ids are numbers.
pub const WORKSPACE_JOB: &str = "workspace_job";
/// Not a counter: the newest time that a server has seen, as a Unix timestamp.
pub const CLOCK: &str = "clock";
/// Not a counter either: which rules of time zones the next times were planned by.
pub const ZONES: &str = "zones";

/// Row of `counter`: the last number that was assigned.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "counter")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub value: i64,
}

impl ActiveModelBehavior for ActiveModel {}
