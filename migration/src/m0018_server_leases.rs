//! One lease per server instead of one per run, and indexes for the few runs that a pass has to look for.

use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::ConnectionTrait;

use crate::m0001_initial::{key, table, time};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Only runs of servers of earlier releases have `lease_until`. `run_held` replaces `run_lease_owner`: the slots that a server holds are
/// counted before each claim, whatever else it runs.
const INDEXES: [&str; 4] = [
    "CREATE INDEX run_held ON run (lease_owner, slots, organization_id) WHERE lease_owner IS NOT NULL",
    "DROP INDEX run_lease_owner",
    "CREATE INDEX run_lease_until ON run (state, lease_until) WHERE lease_until IS NOT NULL",
    "CREATE INDEX run_cancelled ON run (state, lease_owner) \
     WHERE cancel_requested_at IS NOT NULL AND state IN ('QUEUED', 'RUNNING')",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(table("server_lease", vec![key(), time("until")])).await?;
        for sql in INDEXES {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }
}
