//! One owner per organization, the end and the last use of tokens, and whose rights a workspace job or schedule acts with.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, Table, async_trait,
};
use sea_orm_migration::sea_orm::ConnectionTrait;

use crate::m0001_initial::{name, optional_id, optional_json, optional_text, optional_time};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Two transfers at once could leave two owners. The one who joined first stays.
pub const ONE_OWNER: [&str; 2] = [
    "UPDATE member SET role = 'ADMIN' WHERE role = 'OWNER' AND EXISTS (\
       SELECT 1 FROM member earlier WHERE earlier.organization_id = member.organization_id AND earlier.role = 'OWNER' \
       AND (earlier.created_at < member.created_at \
         OR (earlier.created_at = member.created_at AND earlier.person_id < member.person_id)))",
    "CREATE UNIQUE INDEX member_owner ON member (organization_id) WHERE role = 'OWNER'",
];

/// The jobs whose approval is awaited on behalf of somebody.
const WAITING: &str = "CREATE INDEX workspace_job_waiting ON workspace_job (id) WHERE status = 'waitingApproval'";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut writes = ColumnDef::new(name("writes_state"));
        writes.boolean().null();
        for (called, column) in [
            ("api_token", optional_time("expires_at")),
            ("api_token", optional_time("last_used_at")),
            ("access_token", optional_time("last_used_at")),
            ("access_token", optional_id("creator_id")),
            ("person", optional_json("groups")),
            ("workspace_job", optional_text("principal")),
            ("workspace_schedule", optional_text("principal")),
            ("workspace_step", writes),
        ] {
            manager.alter_table(Table::alter().table(name(called)).add_column(column).to_owned()).await?;
        }
        let db = manager.get_connection();
        for sql in ONE_OWNER.into_iter().chain([WAITING]) {
            db.execute_unprepared(sql).await?;
        }
        Ok(())
    }
}
