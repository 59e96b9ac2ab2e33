//! Calendars, and which calendar a time was skipped for.

use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, Table, async_trait};

use crate::m0001_initial::{
    cascade, id, index, json, key, name, optional_text, optional_time, table, text, time, unique,
};

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
            optional_text("ics"),
            optional_text("ics_url"),
            json("occurrences"),
            optional_time("ics_read_at"),
            optional_text("ics_error"),
            optional_time("read_next_at"),
        ];
        let mut calendar = table("calendar", columns);
        manager.create_table(calendar.foreign_key(&mut cascade("organization_id", "organization")).to_owned()).await?;
        manager.create_index(unique("calendar", &["organization_id", "name"])).await?;
        manager.create_index(index("calendar", &["read_next_at"])).await?;
        let detail = Table::alter().table(name("skipped_time")).add_column(optional_text("detail")).to_owned();
        manager.alter_table(detail).await
    }
}
