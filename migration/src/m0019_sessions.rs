//! Sessions of the console, and sign-ins that have begun: links that sign in once, and people on their way to the OIDC issuer.

use sea_orm_migration::prelude::{ColumnDef, DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, async_trait};

use crate::m0001_initial::{index, key, name, optional_text, table, text, time, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut sealed = ColumnDef::new(name("sealed"));
        sealed.blob().null();
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
            ("sign_in", vec![key(), text("hash"), optional_text("principal"), sealed, time("expires_at")]),
        ] {
            manager.create_table(table(called, columns)).await?;
            manager.create_index(unique(called, &["hash"])).await?;
            manager.create_index(index(called, &["expires_at"])).await?;
        }
        manager.create_index(index("session", &["principal"])).await
    }
}
