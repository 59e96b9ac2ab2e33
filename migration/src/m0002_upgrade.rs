//! The upgrade of existing tables in the second migration: new columns, and rows in new tables.
//!
//! Columns are added in plain SQL, because otherwise SQLite could not add one that refers to another table.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};

/// The default stages of an environment, in order.
const STAGES: [&str; 4] = ["0.DEFAULT DATABASE", "1.DEFAULT JOB", "2.DEFAULT CONTAINER", "3.DEFAULT APPLICATION"];
/// The position of the stage of jobs.
const JOBS: usize = 1;

/// Table, column, type, and the table it refers to.
const COLUMNS: [(&str, &str, Kind, &str); 15] = [
    ("member", "custom_role_id", Kind::Id, " REFERENCES custom_role (id)"),
    ("api_token", "custom_role_id", Kind::Id, " REFERENCES custom_role (id)"),
    ("job", "git_token_id", Kind::Id, " REFERENCES git_token (id)"),
    ("job", "failures_cleared_at", Kind::Time, ""),
    ("job", "deployed_at", Kind::Time, ""),
    ("job", "variables_changed_at", Kind::Time, ""),
    ("person", "communication_email", Kind::Text, ""),
    ("cluster", "kubeconfig", Kind::Bytes, ""),
    ("cluster", "production", Kind::No, ""),
    ("cluster", "settings", Kind::Json, ""),
    ("deployment", "cancel_requested_at", Kind::Time, ""),
    ("deployment_job", "spec", Kind::Json, ""),
    ("deployment_job", "stage_name", Kind::Text, ""),
    ("deployment_job", "stage_position", Kind::Zero, ""),
    ("deployment_job", "stage_id", Kind::Id, ""),
];

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Id,
    Time,
    Text,
    Json,
    Bytes,
    /// False for existing rows.
    No,
    Number,
    Zero,
    LongZero,
}

impl Kind {
    fn sql(self, backend: DbBackend) -> &'static str {
        match (self, backend) {
            (Self::Id, DbBackend::Postgres) => "uuid",
            (Self::Id, _) => "uuid_text",
            (Self::Time, DbBackend::Postgres) => "timestamp with time zone",
            (Self::Time, _) => "timestamp_with_timezone_text",
            (Self::Text, _) => "text",
            (Self::Json, DbBackend::Postgres) => "jsonb",
            (Self::Json, _) => "jsonb_text",
            (Self::Bytes, DbBackend::Postgres) => "bytea",
            (Self::Bytes, _) => "blob",
            (Self::No, _) => "boolean NOT NULL DEFAULT false",
            (Self::Number, _) => "integer",
            (Self::Zero, _) => "integer NOT NULL DEFAULT 0",
            (Self::LongZero, _) => "bigint NOT NULL DEFAULT 0",
        }
    }
}

pub(crate) async fn columns(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    add_columns(db, &COLUMNS).await
}

/// Adds columns.
pub(crate) async fn add_columns(db: &impl ConnectionTrait, columns: &[(&str, &str, Kind, &str)]) -> Result<(), DbErr> {
    for &(table, column, kind, rest) in columns {
        let kind = kind.sql(db.get_database_backend());
        db.execute_unprepared(&format!("ALTER TABLE {table} ADD COLUMN {column} {kind}{rest}")).await?;
    }
    Ok(())
}

pub(crate) async fn rows(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let backend = db.get_database_backend();
    let run = async |sql: &str, values: Vec<Value>| {
        db.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await.map(|_| ())
    };
    let environments =
        db.query_all_raw(Statement::from_string(backend, "SELECT id, created_at FROM environment")).await?;
    for row in environments {
        let environment: uuid::Uuid = row.try_get_by_index(0)?;
        let at: chrono::DateTime<chrono::Utc> = row.try_get_by_index(1)?;
        for (position, stage) in (0_i32..).zip(STAGES) {
            let id = uuid::Uuid::now_v7();
            let sql = "INSERT INTO stage (id, environment_id, created_at, updated_at, name, name_key, description, \
                 position) VALUES ($1, $2, $3, $4, $5, $6, '', $7)";
            let key = stage.to_lowercase();
            let values =
                vec![id.into(), environment.into(), at.into(), at.into(), stage.into(), key.into(), position.into()];
            run(sql, values).await?;
            if usize::try_from(position) == Ok(JOBS) {
                let sql = "INSERT INTO stage_job (job_id, stage_id, created_at, updated_at, is_skipped) \
                     SELECT id, $1, created_at, updated_at, false FROM job WHERE environment_id = $2";
                run(sql, vec![id.into(), environment.into()]).await?;
            }
        }
    }
    Ok(())
}
