//! Push hooks: addresses to which providers deliver the pushes that deploy jobs, and what was delivered. Branches can be asked for.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, Table, async_trait,
};
use sea_orm_migration::sea_orm::ConnectionTrait;

use crate::m0001_initial::{
    cascade, id, index, integer, key, name, optional_text, optional_time, table, text, time, unique,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut secret = ColumnDef::new(name("secret"));
        secret.blob().not_null();
        let columns = vec![key(), id("organization_id"), time("created_at"), time("updated_at"), text("name"), secret];
        let mut hooks = table("push_hook", columns);
        hooks.foreign_key(&mut cascade("organization_id", "organization"));
        manager.create_table(hooks).await?;
        manager.create_index(index("push_hook", &["organization_id"])).await?;
        let columns = vec![
            key(),
            id("organization_id"),
            id("hook_id"),
            time("created_at"),
            text("provider"),
            text("delivery"),
            text("digest"),
            optional_text("repository"),
            optional_text("branch"),
            optional_text("commit_id"),
            optional_text("author"),
            integer("branches"),
            optional_text("reason"),
        ];
        let mut deliveries = table("push_hook_delivery", columns);
        deliveries.foreign_key(&mut cascade("hook_id", "push_hook"));
        manager.create_table(deliveries).await?;
        manager.create_index(unique("push_hook_delivery", &["hook_id", "delivery"])).await?;
        manager.create_index(unique("push_hook_delivery", &["hook_id", "digest"])).await?;
        manager.create_index(index("push_hook_delivery", &["hook_id", "id"])).await?;
        manager.create_index(index("push_hook_delivery", &["created_at"])).await?;
        for column in ["asked_at", "claimed_until"] {
            let change = Table::alter().table(name("repository_head")).add_column(optional_time(column)).to_owned();
            manager.alter_table(change).await?;
        }
        let asked = "CREATE INDEX repository_head_asked ON repository_head (asked_at) WHERE asked_at IS NOT NULL";
        manager.get_connection().execute_unprepared(asked).await.map(|_| ())
    }
}
