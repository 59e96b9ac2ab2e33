//! Environments and jobs in Kubernetes clusters.

use sea_orm_migration::prelude::{
    DbErr, DeriveMigrationName, Index, MigrationTrait, SchemaManager, Table, async_trait,
};

use crate::m0001_initial::{cascade, id, name, optional_json, optional_text, optional_time, table, text, time, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (called, column) in [
            ("environment", optional_text("namespace")),
            ("run", optional_text("step")),
            ("job", optional_json("applied")),
            ("job", optional_time("drifted_at")),
        ] {
            manager.alter_table(Table::alter().table(name(called)).add_column(column).to_owned()).await?;
        }
        manager.create_index(unique("environment", &["cluster_id", "namespace"])).await?;
        let mut leftover =
            table("leftover", vec![id("cluster_id"), text("namespace"), id("environment_id"), time("created_at")]);
        leftover
            .primary_key(Index::create().col(name("cluster_id")).col(name("namespace")))
            .foreign_key(&mut cascade("cluster_id", "cluster"));
        manager.create_table(leftover).await
    }
}
