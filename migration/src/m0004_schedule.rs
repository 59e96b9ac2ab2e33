//! Moves the next times of schedules into a narrow table of their own, sorted by job.

use sea_orm_migration::prelude::{
    DbErr, DeriveMigrationName, Index, MigrationTrait, SchemaManager, TableCreateStatement, async_trait,
};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

use crate::m0001_initial::{cascade, id, index, name, table, time};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The CHECK constraint on the dropped column of `job`, as the first migration wrote it.
const RULE: &str = "next_run_at IS NULL OR (job_type = 'CRON' AND deployed IS NOT NULL)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        manager.create_table(job_schedule(db.get_database_backend())).await?;
        manager.create_index(index("job_schedule", &["next_run_at", "job_id"])).await?;
        db.execute_unprepared(
            "INSERT INTO job_schedule (job_id, next_run_at) SELECT id, next_run_at FROM job \
             WHERE next_run_at IS NOT NULL ORDER BY id",
        )
        .await?;
        db.execute_unprepared("DROP INDEX job_next_run_at").await?;
        if db.get_database_backend() == DbBackend::Sqlite {
            drop_rule(db).await?;
        }
        db.execute_unprepared("ALTER TABLE job DROP COLUMN next_run_at").await.map(|_| ())
    }
}

fn job_schedule(backend: DbBackend) -> TableCreateStatement {
    let mut table = table("job_schedule", vec![id("job_id"), time("next_run_at")]);
    table.primary_key(Index::create().col(name("job_id"))).foreign_key(&mut cascade("job_id", "job"));
    if backend == DbBackend::Sqlite {
        // WITHOUT ROWID: the rows are stored in the index of the primary key.
        table.extra("WITHOUT ROWID");
    }
    table
}

/// SQLite can drop neither a constraint nor a column that a constraint uses. As its documentation describes, the
/// constraint is removed from the text of the table (<https://sqlite.org/lang_altertable.html#otheralter>).
async fn drop_rule(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let quoted = RULE.replace('\'', "''");
    db.execute_unprepared("PRAGMA writable_schema = ON").await?;
    let changed = db
        .execute_unprepared(&format!(
            "UPDATE sqlite_schema SET sql = replace(sql, ', CHECK ({quoted})', '') WHERE type = 'table' \
             AND name = 'job' AND instr(sql, ', CHECK ({quoted})') > 0"
        ))
        .await?;
    // Makes SQLite parse the schema again.
    db.execute_unprepared("PRAGMA writable_schema = RESET").await?;
    if changed.rows_affected() == 1 { Ok(()) } else { Err(DbErr::Custom("the table job is not as it was made".into())) }
}
