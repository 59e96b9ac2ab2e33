//! Skipped times, logs in chunks, outputs, built images and manual runs.
//!
//! Existing logs, which have a row for each line, are converted.

use sea_orm_migration::prelude::{
    DbErr, DeriveMigrationName, Expr, ForeignKeyAction, MigrationTrait, SchemaManager, Table, TableCreateStatement,
    async_trait,
};
use sea_orm_migration::sea_orm::{ConnectionTrait, Statement};

use crate::m0001_initial::{cascade, id, index, integer, long, name, reference, table, text, time};
use crate::m0002_upgrade::{Kind, add_columns};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const COLUMNS: [(&str, &str, Kind, &str); 13] = [
    ("run", "in_turn", Kind::No, ""),
    ("run", "idempotency_key", Kind::Text, ""),
    ("run", "place", Kind::Text, ""),
    ("run", "masks", Kind::Bytes, ""),
    ("run", "additions", Kind::Bytes, ""),
    ("run", "log_bytes", Kind::LongZero, ""),
    ("run", "log_cut", Kind::No, ""),
    ("run", "expires_at", Kind::Time, ""),
    ("run", "built", Kind::Json, ""),
    ("deployment_job", "build_run_id", Kind::Id, " REFERENCES run (id) ON DELETE SET NULL"),
    ("deployment_job", "commit_id", Kind::Text, ""),
    ("job", "built", Kind::Json, ""),
    ("variable", "output_of", Kind::Id, " REFERENCES job (id) ON DELETE CASCADE"),
];

/// Indexes of runs. Most are partial, so that a new run is in only a few of them.
const INDEXES: [&str; 8] = [
    "CREATE INDEX run_open ON run (job_id) WHERE state IN ('QUEUED', 'RUNNING')",
    "CREATE UNIQUE INDEX run_job_id_idempotency_key ON run (job_id, idempotency_key) WHERE idempotency_key IS NOT NULL",
    "CREATE INDEX run_expires_at ON run (expires_at) WHERE expires_at IS NOT NULL",
    "CREATE INDEX run_lease_owner ON run (lease_owner) WHERE lease_owner IS NOT NULL",
    "DROP INDEX run_deployment_id",
    "CREATE INDEX run_deployment_id ON run (deployment_id) WHERE deployment_id IS NOT NULL",
    // Ended runs are found by their job; open ones are few.
    "DROP INDEX run_state_not_before",
    "CREATE INDEX run_state_not_before ON run (state, not_before) WHERE state IN ('QUEUED', 'RUNNING')",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(skipped_time()).await?;
        manager.create_table(log_chunk()).await?;
        let db = manager.get_connection();
        add_columns(db, &COLUMNS).await?;
        for index in [
            index("skipped_time", &["recorded_at"]),
            index("job", &["environment_id", "created_at", "id"]),
            index("variable", &["output_of"]),
            index("deployment_job", &["build_run_id"]),
        ] {
            manager.create_index(index).await?;
        }
        for sql in INDEXES {
            db.execute_unprepared(sql).await?;
        }
        copy_logs(db).await?;
        manager.drop_table(Table::drop().table(name("log_line")).to_owned()).await
    }
}

/// Skipped times of schedules: one row for each, except after long outages.
fn skipped_time() -> TableCreateStatement {
    let mut key = sea_orm_migration::prelude::Index::create();
    table(
        "skipped_time",
        vec![id("job_id"), time("scheduled_for"), time("through"), text("reason"), time("recorded_at")],
    )
    .primary_key(key.col(name("job_id")).col(name("scheduled_for")))
    .foreign_key(&mut cascade("job_id", "job"))
    .check(Expr::cust("through >= scheduled_for"))
    .to_owned()
}

/// Chunks of logs; `position` is the number of the last line.
fn log_chunk() -> TableCreateStatement {
    let mut key = sea_orm_migration::prelude::Index::create();
    table("log_chunk", vec![id("run_id"), long("position"), integer("lines"), text("text")])
        .primary_key(key.col(name("run_id")).col(name("position")))
        .foreign_key(&mut reference("run_id", "run", ForeignKeyAction::Cascade))
        .check(Expr::cust("lines >= 1"))
        .to_owned()
}

/// The number of lines per read.
const PAGE: i64 = 1000;

/// Converts each line into microseconds, a letter for the stream, and the text.
async fn copy_logs(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let backend = db.get_database_backend();
    let runs = db.query_all_raw(Statement::from_string(backend, "SELECT DISTINCT run_id FROM log_line")).await?;
    for run in runs {
        let run: uuid::Uuid = run.try_get_by_index(0)?;
        let mut last = 0_i64;
        loop {
            let sql = "SELECT position, at, stream, text FROM log_line WHERE run_id = $1 AND position > $2 \
                 ORDER BY position LIMIT $3";
            let values = vec![run.into(), last.into(), PAGE.into()];
            let rows = db.query_all_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
            if rows.is_empty() {
                break;
            }
            let mut piece = String::new();
            for row in &rows {
                last = row.try_get_by_index(0)?;
                let at: chrono::DateTime<chrono::Utc> = row.try_get_by_index(1)?;
                let stream: String = row.try_get_by_index(2)?;
                let line: String = row.try_get_by_index(3)?;
                let letter = match stream.as_str() {
                    "STDOUT" => 'o',
                    "STDERR" => 'e',
                    _ => 's',
                };
                piece.push_str(&format!("{} {letter} {}\n", at.timestamp_micros(), line.replace('\n', " ")));
            }
            let count = i32::try_from(rows.len()).unwrap_or(i32::MAX);
            let sql = "INSERT INTO log_chunk (run_id, position, lines, text) VALUES ($1, $2, $3, $4)";
            let values = vec![run.into(), last.into(), count.into(), piece.into()];
            db.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
        }
    }
    Ok(())
}
