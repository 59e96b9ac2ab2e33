//! The cluster that a workspace chooses for its steps.

use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, Table, async_trait};

use crate::m0001_initial::{index, name, optional_id};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut cluster = optional_id("cluster_id");
        // Inline, because SQLite cannot add a foreign key to a table. A hidden workspace does not keep a cluster from being deleted.
        cluster.extra("REFERENCES cluster (id) ON DELETE SET NULL");
        manager.alter_table(Table::alter().table(name("workspace")).add_column(&mut cluster).to_owned()).await?;
        manager.create_index(index("workspace", &["cluster_id"])).await
    }
}
