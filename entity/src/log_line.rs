//! One line of a run's log.

use sea_orm::entity::prelude::*;

use crate::id::RunId;

/// Where a line was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LogStream {
    Stdout,
    Stderr,
    /// Written by the server, not by the job.
    System,
}

/// Row of `log_line`; `position` counts from 1 without gaps inside a run.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "log_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: RunId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    pub at: DateTimeUtc,
    pub stream: LogStream,
    pub text: String,
}

impl ActiveModelBehavior for ActiveModel {}
