//! Sessions of the console, and links that sign in once.

use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, async_trait};

use crate::m0001_initial::{index, key, optional_text, table, text, time, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (called, columns) in [
            (
                "session",
                vec![
                    key(),
                    text("hash"),
                    text("principal"),
                    optional_text("email"),
                    optional_text("user_agent"),
                    time("created_at"),
                    time("used_at"),
                    time("expires_at"),
                ],
            ),
            ("sign_in", vec![key(), text("hash"), text("principal"), time("expires_at")]),
        ] {
            manager.create_table(table(called, columns)).await?;
            manager.create_index(unique(called, &["hash"])).await?;
            manager.create_index(index(called, &["expires_at"])).await?;
        }
        manager.create_index(index("session", &["principal"])).await
    }
}
