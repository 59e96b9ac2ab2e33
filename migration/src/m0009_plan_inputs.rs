//! The variables that a plan was made with, which its apply uses.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, Table, async_trait,
};

use crate::m0001_initial::name;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let inputs = ColumnDef::new(name("inputs")).blob().null().to_owned();
        manager.alter_table(Table::alter().table(name("workspace_step")).add_column(inputs).to_owned()).await
    }
}
