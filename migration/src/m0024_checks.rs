//! Checks: jobs that run elsewhere and report by pings.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, Index, MigrationTrait, SchemaManager, TableCreateStatement, async_trait,
};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

use crate::m0001_initial::{cascade, id, index, name, optional_time, table, text, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The types of jobs, as the first migration wrote them.
const TYPES: &str = "job_type IN ('CRON', 'LIFECYCLE')";
const WITH_CHECKS: &str = "job_type IN ('CRON', 'LIFECYCLE', 'CHECK')";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        if db.get_database_backend() == DbBackend::Sqlite {
            widen_types(db).await?;
        } else {
            db.execute_unprepared("ALTER TABLE job DROP CONSTRAINT job_job_type_check").await?;
            db.execute_unprepared(&format!("ALTER TABLE job ADD CONSTRAINT job_job_type_check CHECK ({WITH_CHECKS})"))
                .await?;
        }
        manager.create_table(job_check()).await?;
        manager.create_index(unique("job_check", &["key_hash"])).await?;
        manager.create_index(index("job_check", &["due_at", "job_id"])).await
    }
}

fn job_check() -> TableCreateStatement {
    let columns = vec![
        id("job_id"),
        text("key_hash"),
        sealed(),
        optional_time("expected_for"),
        optional_time("due_at"),
        optional_time("pinged_at"),
    ];
    let mut table = table("job_check", columns);
    table.primary_key(Index::create().col(name("job_id"))).foreign_key(&mut cascade("job_id", "job"));
    table
}

fn sealed() -> ColumnDef {
    let mut column = ColumnDef::new(name("sealed"));
    column.blob();
    column
}

/// SQLite cannot change a constraint. As its documentation describes, the text of the table is changed
/// (<https://sqlite.org/lang_altertable.html#otheralter>).
async fn widen_types(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let (before, after) = (TYPES.replace('\'', "''"), WITH_CHECKS.replace('\'', "''"));
    db.execute_unprepared("PRAGMA writable_schema = ON").await?;
    let changed = db
        .execute_unprepared(&format!(
            "UPDATE sqlite_schema SET sql = replace(sql, '{before}', '{after}') WHERE type = 'table' AND name = 'job' \
             AND instr(sql, '{before}') > 0"
        ))
        .await?;
    // Makes SQLite parse the schema again.
    db.execute_unprepared("PRAGMA writable_schema = RESET").await?;
    if changed.rows_affected() == 1 { Ok(()) } else { Err(DbErr::Custom("the table job is not as it was made".into())) }
}
