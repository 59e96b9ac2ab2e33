//! The pings of a check: a job that runs elsewhere.

use sea_orm::entity::prelude::*;

use crate::id::JobId;

/// Row of `job_check`; every job of the type CHECK has one.
///
/// A separate table, because it changes with every ping and rows of `job` are large.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job_check")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub job_id: JobId,
    /// The hash of the key in the address of its pings; unique.
    pub key_hash: String,
    /// The key, sealed; none if the keys of the server were given up. Pings still arrive then.
    pub sealed: Option<Vec<u8>>,
    /// When the next ping is expected.
    pub expected_for: Option<DateTimeUtc>,
    /// When something is decided without a ping: that it is missing, or that a started run has not ended.
    pub due_at: Option<DateTimeUtc>,
    /// The last ping.
    pub pinged_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
