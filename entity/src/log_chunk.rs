//! A chunk of the log of a run: consecutive lines.

use sea_orm::entity::prelude::*;

use crate::id::RunId;

/// Row of `log_chunk`. The lines of a run are numbered from 1 without gaps. Each line is stored as its time in microseconds
/// since 1970, a letter for its stream (`o`, `e`, or `s` for lines of the server) and its text, separated by spaces.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "log_chunk")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: RunId,
    /// The number of the last line.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// The number of lines.
    pub lines: i32,
    pub text: String,
}

impl ActiveModelBehavior for ActiveModel {}
