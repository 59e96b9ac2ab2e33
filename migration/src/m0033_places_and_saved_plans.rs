//! The cluster that a workspace chooses for its steps, runs that are applied without changes, and the JSON form of saved plans.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, ForeignKeyAction, MigrationTrait, SchemaManager, Table, async_trait,
};

use crate::m0001_initial::{boolean, id, index, name, optional_id, reference, table, time};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut cluster = optional_id("cluster_id");
        // Inline, because SQLite cannot add a foreign key to a table. A hidden workspace does not keep a cluster from being deleted.
        cluster.extra("REFERENCES cluster (id) ON DELETE SET NULL");
        manager.alter_table(Table::alter().table(name("workspace")).add_column(&mut cluster).to_owned()).await?;
        manager.create_index(index("workspace", &["cluster_id"])).await?;
        // Servers of the previous release write rows without it.
        let mut empty = boolean("allow_empty_apply");
        empty.default(false);
        manager.alter_table(Table::alter().table(name("workspace_job")).add_column(&mut empty).to_owned()).await?;
        let mut step = id("step_id");
        step.primary_key();
        let columns = vec![step, time("created_at"), blob("whole"), blob("redacted"), optional_blob("schemas")];
        let mut outputs = table("plan_output", columns);
        outputs.foreign_key(&mut reference("step_id", "workspace_step", ForeignKeyAction::Cascade));
        manager.create_table(outputs).await
    }
}

fn blob(column: &str) -> ColumnDef {
    let mut column = ColumnDef::new(name(column));
    column.blob().not_null();
    column
}

fn optional_blob(column: &str) -> ColumnDef {
    let mut column = ColumnDef::new(name(column));
    column.blob().null();
    column
}
