//! Who locked a workspace against new jobs, and when.

use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, Table, async_trait};

use crate::m0001_initial::{name, optional_text, optional_time};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for mut column in [optional_text("locked_by"), optional_time("locked_at")] {
            manager.alter_table(Table::alter().table(name("workspace")).add_column(&mut column).to_owned()).await?;
        }
        Ok(())
    }
}
