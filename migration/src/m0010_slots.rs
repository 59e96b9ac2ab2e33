//! The organization of each run and the slots it needs, so that organizations take turns and clusters have slots of their own; and
//! the reason of a failed deployment.

use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// What Kubernetes runs needs no slot; the organizations of open runs are those of their jobs.
const STATEMENTS: [&str; 4] = [
    "ALTER TABLE deployment ADD COLUMN reason text",
    "UPDATE run SET organization_id = (SELECT job.organization_id FROM job WHERE job.id = run.job_id) \
     WHERE state IN ('QUEUED', 'RUNNING') AND job_id IS NOT NULL",
    "UPDATE run SET slots = {max} WHERE state IN ('QUEUED', 'RUNNING') AND state = 'RUNNING' AND runner = 'KUBERNETES'",
    "CREATE INDEX run_waiting ON run (slots, organization_id, not_before, number) WHERE state = 'QUEUED'",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let (kind, nil, max) = match db.get_database_backend() {
            DbBackend::Postgres => {
                ("uuid", "'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'")
            }
            _ => ("uuid_text", "x'00000000000000000000000000000000'", "x'ffffffffffffffffffffffffffffffff'"),
        };
        for column in ["organization_id", "slots"] {
            // Servers of the previous release leave them out.
            db.execute_unprepared(&format!("ALTER TABLE run ADD COLUMN {column} {kind} NOT NULL DEFAULT {nil}"))
                .await?;
        }
        for sql in STATEMENTS {
            db.execute_unprepared(&sql.replace("{max}", max)).await?;
        }
        Ok(())
    }
}
