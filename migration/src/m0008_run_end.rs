//! When a runner was first asked to start an attempt, when the server began to stop it, and when its end was first seen; deletions
//! of rows only.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, Table, async_trait,
};

use crate::m0001_initial::{name, optional_time};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let rows_only = ColumnDef::new(name("rows_only")).boolean().not_null().default(false).to_owned();
        for (called, column) in [
            ("run", optional_time("start_asked_at")),
            ("run", optional_time("stopping_at")),
            ("run", optional_time("end_seen_at")),
            ("deployment", rows_only),
        ] {
            manager.alter_table(Table::alter().table(name(called)).add_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
