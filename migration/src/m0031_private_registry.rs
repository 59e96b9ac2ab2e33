//! The private registry: modules and their versions, providers and their platforms, signing keys, and files in pieces.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, ForeignKeyAction, Index, MigrationTrait, SchemaManager, async_trait,
};
use sea_orm_migration::sea_orm::ConnectionTrait;

use crate::m0001_initial::{
    boolean, cascade, id, index, integer, keep, key, long, name, optional_id, optional_text, optional_time, reference,
    table, text, time, unique,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        modules(manager).await?;
        providers(manager).await?;
        files(manager).await
    }
}

/// The columns that record who created and changed a row.
fn stamps() -> Vec<ColumnDef> {
    vec![key(), id("organization_id"), time("created_at"), time("updated_at"), text("created_by"), text("updated_by")]
}

async fn modules(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut columns = stamps();
    columns.extend([
        text("name"),
        optional_text("description"),
        text("provider"),
        text("source"),
        optional_text("folder"),
        optional_text("tag_prefix"),
        optional_id("vcs_id"),
        optional_id("ssh_key_id"),
        optional_text("latest_version"),
        optional_time("refreshed_at"),
        optional_text("refresh_error"),
        time("refresh_due_at"),
    ]);
    let mut modules = table("terraform_module", columns);
    modules.foreign_key(&mut cascade("organization_id", "organization"));
    modules.foreign_key(&mut keep("vcs_id", "vcs")).foreign_key(&mut keep("ssh_key_id", "ssh_key"));
    manager.create_table(modules).await?;
    manager.create_index(unique("terraform_module", &["organization_id", "name", "provider"])).await?;
    manager.create_index(index("terraform_module", &["refresh_due_at"])).await?;
    manager.create_index(index("terraform_module", &["vcs_id"])).await?;
    manager.create_index(index("terraform_module", &["ssh_key_id"])).await?;
    let columns = vec![
        key(),
        id("organization_id"),
        id("module_id"),
        time("created_at"),
        text("version"),
        text("git_tag"),
        text("commit_id"),
    ];
    let mut versions = table("module_version", columns);
    versions.foreign_key(&mut cascade("module_id", "terraform_module"));
    manager.create_table(versions).await?;
    manager.create_index(unique("module_version", &["module_id", "version"])).await
}

async fn providers(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut columns = stamps();
    columns.extend([text("hostname"), text("namespace"), text("name"), optional_text("description")]);
    let mut providers = table("terraform_provider", columns);
    providers.foreign_key(&mut cascade("organization_id", "organization"));
    manager.create_table(providers).await?;
    let names = unique("terraform_provider", &["organization_id", "hostname", "namespace", "name"]);
    manager.create_index(names).await?;
    let columns = vec![
        key(),
        id("organization_id"),
        id("provider_id"),
        time("created_at"),
        text("version"),
        text("protocols"),
        optional_text("checksums"),
        optional_text("signature"),
    ];
    let mut versions = table("provider_version", columns);
    versions.foreign_key(&mut cascade("provider_id", "terraform_provider"));
    manager.create_table(versions).await?;
    manager.create_index(unique("provider_version", &["provider_id", "version"])).await?;
    let columns = vec![
        key(),
        id("organization_id"),
        id("provider_version_id"),
        time("created_at"),
        text("os"),
        text("arch"),
        text("filename"),
        text("shasum"),
        text("content_hash"),
    ];
    let mut platforms = table("provider_platform", columns);
    platforms.foreign_key(&mut cascade("provider_version_id", "provider_version"));
    manager.create_table(platforms).await?;
    manager.create_index(unique("provider_platform", &["provider_version_id", "os", "arch"])).await?;
    let columns =
        vec![key(), id("organization_id"), time("created_at"), text("created_by"), text("key_id"), text("ascii_armor")];
    let mut keys = table("provider_key", columns);
    keys.foreign_key(&mut cascade("organization_id", "organization"));
    manager.create_table(keys).await?;
    manager.create_index(unique("provider_key", &["organization_id", "key_id"])).await
}

/// A file whose owner is deleted loses it: its pieces are deleted by and by, not in one long statement.
async fn files(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let columns = vec![
        key(),
        id("organization_id"),
        optional_id("module_version_id"),
        optional_id("provider_platform_id"),
        time("created_at"),
        long("bytes"),
        integer("pieces"),
        boolean("complete"),
    ];
    let mut files = table("registry_file", columns);
    files.foreign_key(&mut cascade("organization_id", "organization"));
    files.foreign_key(&mut reference("module_version_id", "module_version", ForeignKeyAction::SetNull));
    files.foreign_key(&mut reference("provider_platform_id", "provider_platform", ForeignKeyAction::SetNull));
    manager.create_table(files).await?;
    manager.create_index(index("registry_file", &["organization_id", "created_at"])).await?;
    manager.create_index(unique("registry_file", &["module_version_id"])).await?;
    manager.create_index(unique("registry_file", &["provider_platform_id"])).await?;
    let mut sealed = ColumnDef::new(name("sealed"));
    sealed.blob().not_null();
    let mut pieces = table("registry_piece", vec![id("file_id"), integer("number"), sealed]);
    pieces.primary_key(Index::create().col(name("file_id")).col(name("number")));
    pieces.foreign_key(&mut cascade("file_id", "registry_file"));
    manager.create_table(pieces).await?;
    let loose = "CREATE INDEX registry_file_loose ON registry_file (created_at) \
         WHERE module_version_id IS NULL AND provider_platform_id IS NULL";
    manager.get_connection().execute_unprepared(loose).await.map(|_| ())
}
