//! Since when a deployed job has had no success.

use sea_orm::entity::prelude::*;

use crate::id::{JobId, OrganizationId};

/// Row of `job_success`; a job that is not deployed has none.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job_success")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub job_id: JobId,
    pub organization_id: OrganizationId,
    /// When its newest successful run ended, or when it was deployed, if none has succeeded since.
    pub since: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
