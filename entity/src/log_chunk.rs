//! A piece of a run's log: some lines that follow one another.

use sea_orm::entity::prelude::*;

use crate::id::RunId;

/// Row of `log_chunk`. Lines are counted from 1 without gaps inside a run; each is stored as its time in microseconds
/// since 1970, a letter for its stream (`o`, `e`, or `s` for the server's own), and its text, with spaces between.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "log_chunk")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: RunId,
    /// Of the last line in it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// How many lines it has.
    pub lines: i32,
    pub text: String,
}

impl ActiveModelBehavior for ActiveModel {}
