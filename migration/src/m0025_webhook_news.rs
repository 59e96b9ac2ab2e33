//! Webhooks about runs, times and approvals: their events have columns of their own, because servers of the previous release cannot read
//! new values of the older columns.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, Table, async_trait,
};
use sea_orm_migration::sea_orm::ConnectionTrait;

use crate::m0001_initial::{name, optional_json, optional_text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The webhooks that name such events, what each webhook was told, and the deliveries that official clients list.
const INDEXES: [&str; 3] = [
    "CREATE INDEX webhook_own_events ON webhook (organization_id) WHERE own_events IS NOT NULL",
    "CREATE UNIQUE INDEX webhook_delivery_cause ON webhook_delivery (webhook_id, cause) WHERE cause IS NOT NULL",
    "CREATE INDEX webhook_delivery_official ON webhook_delivery (webhook_id, id) WHERE own_event IS NULL",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add(manager, "webhook", optional_json("own_events")).await?;
        add(manager, "webhook_delivery", optional_text("own_event")).await?;
        add(manager, "webhook_delivery", optional_text("cause")).await?;
        for sql in INDEXES {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }
}

async fn add(manager: &SchemaManager<'_>, table: &str, mut column: ColumnDef) -> Result<(), DbErr> {
    manager.alter_table(Table::alter().table(name(table)).add_column(&mut column).to_owned()).await
}
