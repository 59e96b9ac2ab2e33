//! `terraform login`: codes that a program exchanges for a token. State versions that were announced before they were uploaded.

use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, Table, async_trait};
use sea_orm_migration::sea_orm::ConnectionTrait;

use crate::m0001_initial::{index, key, name, optional_id, table, text, time, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Most versions come without.
const UPLOADS: &str =
    "CREATE UNIQUE INDEX state_version_upload ON state_version (upload_id) WHERE upload_id IS NOT NULL";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns =
            vec![key(), text("hash"), text("principal"), text("challenge"), text("redirect_uri"), time("expires_at")];
        manager.create_table(table("login_code", columns)).await?;
        manager.create_index(unique("login_code", &["hash"])).await?;
        manager.create_index(index("login_code", &["expires_at"])).await?;
        let mut upload = optional_id("upload_id");
        let added = Table::alter().table(name("state_version")).add_column(&mut upload).to_owned();
        manager.alter_table(added).await?;
        manager.get_connection().execute_unprepared(UPLOADS).await.map(|_| ())
    }
}
