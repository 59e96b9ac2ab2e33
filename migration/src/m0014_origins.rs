//! The hosts that credentials belong to, and states in pieces.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, Index, MigrationTrait, SchemaManager, async_trait,
};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

use crate::m0001_initial::{id, index, integer, name, table, time};
use crate::m0002_upgrade::{Kind, add_columns};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const COLUMNS: [(&str, &str, Kind, &str); 4] = [
    ("git_token", "earlier_urls", Kind::Json, ""),
    ("vcs", "earlier_urls", Kind::Json, ""),
    ("ssh_key", "known_hosts", Kind::Text, ""),
    ("state_version", "pieces", Kind::Number, ""),
];

/// Credentials go on working with the repositories that they are used with.
const EARLIER_URLS_POSTGRES: [&str; 2] = [
    "UPDATE git_token SET earlier_urls = (SELECT jsonb_agg(DISTINCT u.url) FROM \
       (SELECT j.spec #>> '{source,git_repository,url}' AS url FROM job j WHERE j.git_token_id = git_token.id \
        UNION SELECT j.deployed #>> '{source,git_repository,url}' FROM job j WHERE j.git_token_id = git_token.id) u \
       WHERE u.url IS NOT NULL)",
    "UPDATE vcs SET earlier_urls = \
       (SELECT jsonb_agg(DISTINCT w.source) FROM workspace w WHERE w.vcs_id = vcs.id)",
];
const EARLIER_URLS_SQLITE: [&str; 2] = [
    "UPDATE git_token SET earlier_urls = (SELECT json_group_array(u.url) FROM \
       (SELECT json_extract(j.spec, '$.source.git_repository.url') AS url FROM job j \
          WHERE j.git_token_id = git_token.id \
        UNION SELECT json_extract(j.deployed, '$.source.git_repository.url') FROM job j \
          WHERE j.git_token_id = git_token.id) u \
       WHERE u.url IS NOT NULL)",
    "UPDATE vcs SET earlier_urls = \
       (SELECT json_group_array(DISTINCT w.source) FROM workspace w WHERE w.vcs_id = vcs.id)",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        add_columns(db, &COLUMNS).await?;
        let statements = match db.get_database_backend() {
            DbBackend::Postgres => EARLIER_URLS_POSTGRES,
            _ => EARLIER_URLS_SQLITE,
        };
        for sql in statements {
            db.execute_unprepared(sql).await?;
        }
        let mut sealed = ColumnDef::new(name("sealed"));
        sealed.blob().not_null();
        // A piece is stored before its state version, so there is no reference.
        let mut pieces =
            table("state_piece", vec![id("state_version_id"), integer("number"), time("created_at"), sealed]);
        pieces.primary_key(Index::create().col(name("state_version_id")).col(name("number")));
        manager.create_table(pieces).await?;
        manager.create_index(index("state_piece", &["created_at", "state_version_id"])).await
    }
}
