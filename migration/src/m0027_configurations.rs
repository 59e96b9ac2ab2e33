//! Uploaded configurations of workspaces, and what a workspace job knows about the run that asked for it.

use sea_orm_migration::prelude::async_trait;
use sea_orm_migration::prelude::{ColumnDef, DbErr, DeriveMigrationName, Index, MigrationTrait, SchemaManager, Table};
use sea_orm_migration::sea_orm::ConnectionTrait;

use crate::m0001_initial::{
    boolean, cascade, id, index, integer, key, long, name, optional_id, optional_text, optional_time, table, text, time,
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
            id("workspace_id"),
            time("created_at"),
            text("created_by"),
            boolean("speculative"),
            boolean("provisional"),
            text("status"),
            optional_text("error"),
            long("bytes"),
            integer("pieces"),
        ];
        let mut configurations = table("configuration_version", columns);
        configurations.foreign_key(&mut cascade("workspace_id", "workspace"));
        manager.create_table(configurations).await?;
        manager.create_index(index("configuration_version", &["workspace_id", "created_at"])).await?;
        manager.create_index(index("configuration_version", &["created_at"])).await?;
        let mut sealed = ColumnDef::new(name("sealed"));
        sealed.blob().not_null();
        let columns = vec![id("configuration_version_id"), integer("number"), sealed];
        let mut pieces = table("configuration_piece", columns);
        pieces.primary_key(Index::create().col(name("configuration_version_id")).col(name("number")));
        pieces.foreign_key(&mut cascade("configuration_version_id", "configuration_version"));
        manager.create_table(pieces).await?;
        // Servers of the previous release write rows without them.
        for flag in ["plan_only", "auto_apply", "save_plan", "is_destroy"] {
            let mut flag = boolean(flag);
            flag.default(false);
            add(manager, flag).await?;
        }
        add(manager, optional_id("configuration_version_id")).await?;
        let mut variables = ColumnDef::new(name("variables"));
        variables.blob().null();
        add(manager, variables).await?;
        add(manager, optional_time("asked_at")).await?;
        add(manager, optional_id("planned_state_id")).await?;
        let jobs = "CREATE INDEX workspace_job_configuration ON workspace_job (configuration_version_id) \
             WHERE configuration_version_id IS NOT NULL";
        manager.get_connection().execute_unprepared(jobs).await.map(|_| ())
    }
}

async fn add(manager: &SchemaManager<'_>, mut column: ColumnDef) -> Result<(), DbErr> {
    manager.alter_table(Table::alter().table(name("workspace_job")).add_column(&mut column).to_owned()).await
}
