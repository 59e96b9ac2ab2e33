//! The variables that a job was deployed with, so that later edits do not change the deployed job.

use sea_orm::entity::prelude::*;

use crate::id::JobId;

/// Row of `job_variables`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job_variables")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub job_id: JobId,
    pub created_at: DateTimeUtc,
    /// The visible variables with their values, as JSON that is sealed for this row.
    pub sealed: Vec<u8>,
}

impl ActiveModelBehavior for ActiveModel {}
