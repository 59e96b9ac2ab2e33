//! Keys that sign personal and team tokens, the lifetimes that were asked for, and the person behind an API token.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, Table, async_trait,
};

use crate::m0001_initial::{key, name, optional_id, optional_json, table, time};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut sealed = ColumnDef::new(name("sealed"));
        sealed.blob().not_null();
        manager.create_table(table("signing_key", vec![key(), time("created_at"), sealed])).await?;
        for (called, column) in [("api_token", optional_id("person_id")), ("access_token", optional_json("lifetime"))] {
            manager.alter_table(Table::alter().table(name(called)).add_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
