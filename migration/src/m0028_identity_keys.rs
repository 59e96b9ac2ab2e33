//! Keys that sign the identity tokens of workspace steps.

use sea_orm_migration::prelude::{ColumnDef, DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, async_trait};

use crate::m0001_initial::{key, name, table, text, time};

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
        manager.create_table(table("identity_key", vec![key(), time("created_at"), text("modulus"), sealed])).await
    }
}
