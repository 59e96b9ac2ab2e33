//! Calendars, and which calendar a time was skipped for.

use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, Table, async_trait};

use crate::m0001_initial::{cascade, id, json, key, name, optional_text, table, text, time, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = vec![
            key(),
            id("organization_id"),
            time("created_at"),
            time("updated_at"),
            text("name"),
            text("description"),
            text("timezone"),
            json("entries"),
        ];
        let mut calendar = table("calendar", columns);
        manager.create_table(calendar.foreign_key(&mut cascade("organization_id", "organization")).to_owned()).await?;
        manager.create_index(unique("calendar", &["organization_id", "name"])).await?;
        let detail = Table::alter().table(name("skipped_time")).add_column(optional_text("detail")).to_owned();
        manager.alter_table(detail).await
    }
}
