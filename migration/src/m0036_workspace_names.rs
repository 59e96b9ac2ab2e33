//! Workspaces whose steps see their names as `terraform.workspace`. Those that are there keep seeing `default`, by which their resources may be named.

use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, Table, async_trait};

use crate::m0001_initial::{boolean, name};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut column = boolean("sees_name");
        column.default(false);
        manager.alter_table(Table::alter().table(name("workspace")).add_column(&mut column).to_owned()).await
    }
}
