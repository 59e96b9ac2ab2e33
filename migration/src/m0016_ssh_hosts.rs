//! The hosts that SSH keys belong to.

use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

use crate::m0002_upgrade::{Kind, add_columns};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Keys go on working with the repositories that they are used with. One that is not used yet belongs to no host.
const BOUND_POSTGRES: &str = "UPDATE ssh_key SET bound_urls = \
     (SELECT jsonb_agg(DISTINCT w.source) FROM workspace w WHERE w.ssh_key_id = ssh_key.id)";
const BOUND_SQLITE: &str = "UPDATE ssh_key SET bound_urls = \
     (SELECT json_group_array(DISTINCT w.source) FROM workspace w WHERE w.ssh_key_id = ssh_key.id) \
     WHERE EXISTS (SELECT 1 FROM workspace w WHERE w.ssh_key_id = ssh_key.id)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        add_columns(db, &[("ssh_key", "bound_urls", Kind::Json, "")]).await?;
        let sql = if db.get_database_backend() == DbBackend::Postgres { BOUND_POSTGRES } else { BOUND_SQLITE };
        db.execute_unprepared(sql).await?;
        Ok(())
    }
}
