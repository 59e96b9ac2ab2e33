//! Schedules that only look for drift, workspaces that are protected against destroy, why a state version was made, and the resources
//! of states as lists.

use sea_orm_migration::prelude::{ColumnDef, Index};
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, Table, async_trait};

use crate::m0001_initial::{boolean, id, index, integer, name, optional_text, table, time};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let no = |called: &str| {
            let mut column = boolean(called);
            column.default(false);
            column
        };
        let mut resources = ColumnDef::new(name("resources"));
        resources.integer().null();
        for (called, mut column) in [
            ("workspace_schedule", no("refresh_only")),
            ("workspace", no("destroy_protection")),
            ("state_version", optional_text("reason")),
            ("state_version", resources),
        ] {
            manager.alter_table(Table::alter().table(name(called)).add_column(&mut column).to_owned()).await?;
        }
        let mut sealed = ColumnDef::new(name("sealed"));
        sealed.blob().not_null();
        let mut listing =
            table("state_listing", vec![id("state_version_id"), integer("number"), time("created_at"), sealed]);
        listing.primary_key(Index::create().col(name("state_version_id")).col(name("number")));
        manager.create_table(listing).await?;
        manager.create_index(index("state_listing", &["created_at", "state_version_id"])).await
    }
}
