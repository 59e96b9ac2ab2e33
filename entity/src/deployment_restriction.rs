//! A rule that restricts which changed paths deploy a job that is built from git.

use sea_orm::entity::prelude::*;

use crate::id::{JobId, RestrictionId};

/// Whether changes of the path are required or ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RestrictionMode {
    Exclude,
    Match,
}

/// What the restriction compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RestrictionKind {
    Path,
}

/// Row of `deployment_restriction`; unique by job, mode, kind and value.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "deployment_restriction")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RestrictionId,
    pub job_id: JobId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub mode: RestrictionMode,
    pub kind: RestrictionKind,
    pub value: String,
}

impl ActiveModelBehavior for ActiveModel {}
