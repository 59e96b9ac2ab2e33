//! Agents: programs that take the steps of clusters that the server cannot reach, their orders and reports.

use sea_orm_migration::prelude::ForeignKeyAction;
use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, Expr, Index, MigrationTrait, SchemaManager, async_trait,
};

use crate::m0001_initial::{
    boolean, cascade, id, index, key, long, name, optional_id, optional_text, optional_time, reference, table, text,
    time, unique,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

fn optional_integer(column: &str) -> ColumnDef {
    let mut column = ColumnDef::new(name(column));
    column.integer().null();
    column
}

fn optional_blob(column: &str) -> ColumnDef {
    let mut column = ColumnDef::new(name(column));
    column.blob().null();
    column
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = vec![
            key(),
            id("organization_id"),
            id("cluster_id"),
            time("created_at"),
            time("updated_at"),
            text("name"),
            text("hash"),
            optional_id("session"),
            optional_text("place"),
            optional_text("version"),
            optional_text("runner"),
            optional_integer("capacity"),
            optional_time("seen_at"),
        ];
        let mut agents = table("agent", columns);
        agents.foreign_key(&mut cascade("organization_id", "organization"));
        agents.foreign_key(&mut cascade("cluster_id", "cluster"));
        manager.create_table(agents).await?;
        manager.create_index(unique("agent", &["hash"])).await?;
        manager.create_index(index("agent", &["cluster_id"])).await?;
        manager.create_index(index("agent", &["organization_id"])).await?;
        let columns = vec![
            key(),
            text("name"),
            id("cluster_id"),
            optional_id("agent_id"),
            time("created_at"),
            time("updated_at"),
            text("wanted"),
            optional_integer("grace_seconds"),
            optional_text("place"),
            optional_blob("spec"),
            optional_blob("report"),
            boolean("ended"),
            boolean("lost"),
            long("lines"),
            boolean("log_ended"),
            optional_blob("outputs"),
        ];
        let mut steps = table("agent_step", columns);
        steps.check(Expr::cust("wanted IN ('START', 'STOP', 'REMOVE')"));
        steps.foreign_key(&mut cascade("cluster_id", "cluster"));
        steps.foreign_key(&mut reference("agent_id", "agent", ForeignKeyAction::SetNull));
        manager.create_table(steps).await?;
        manager.create_index(unique("agent_step", &["name"])).await?;
        manager.create_index(index("agent_step", &["cluster_id", "agent_id", "id"])).await?;
        manager.create_index(index("agent_step", &["agent_id", "id"])).await?;
        manager.create_index(index("agent_step", &["updated_at"])).await?;
        let mut sealed = ColumnDef::new(name("sealed"));
        sealed.blob().not_null();
        let mut log = table("agent_log", vec![id("step_id"), long("first"), long("lines"), long("bytes"), sealed]);
        log.primary_key(Index::create().col(name("step_id")).col(name("first")));
        log.foreign_key(&mut cascade("step_id", "agent_step"));
        manager.create_table(log).await
    }
}
