//! Prepares a transaction that fills all tables, in any order: what rows refer to is checked at its end.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement};

use super::read_rows::has_sequence;
use super::value::Table;

/// A constraint that was dropped, as statements that add it again.
pub struct Dropped(Vec<String>);

const FOREIGN_KEYS: &str = "SELECT conrelid::regclass::text, conname::text, pg_get_constraintdef(oid) FROM pg_constraint \
     WHERE contype = 'f' AND connamespace = current_schema()::regnamespace ORDER BY 1, 2";

/// Keeps all others away from the tables, and suspends the checks of references.
///
/// # Errors
/// When a statement fails.
pub async fn begin_load(tx: &DatabaseTransaction, tables: &[Table]) -> Result<Dropped, DbErr> {
    if tx.get_database_backend() != DbBackend::Postgres {
        // Until the transaction ends. Whoever restores holds the lock of the file.
        tx.execute_unprepared("PRAGMA defer_foreign_keys = ON").await?;
        return Ok(Dropped(Vec::new()));
    }
    let names: Vec<String> = tables.iter().map(|table| format!("\"{}\"", table.name)).collect();
    tx.execute_unprepared(&format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", names.join(", "))).await?;
    let mut dropped = Vec::new();
    for row in tx.query_all_raw(Statement::from_string(DbBackend::Postgres, FOREIGN_KEYS)).await? {
        let (table, name): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let definition: String = row.try_get_by_index(2)?;
        tx.execute_unprepared(&format!("ALTER TABLE {table} DROP CONSTRAINT \"{name}\"")).await?;
        dropped.push(format!("ALTER TABLE {table} ADD CONSTRAINT \"{name}\" {definition}"));
    }
    Ok(Dropped(dropped))
}

/// Checks what the rows refer to, and lets the numbers of runs continue. On SQLite, the commit checks.
///
/// # Errors
/// When a row refers to one that is missing, or a statement fails.
pub async fn end_load(tx: &DatabaseTransaction, dropped: Dropped) -> Result<(), DbErr> {
    for sql in dropped.0 {
        tx.execute_unprepared(&sql).await?;
    }
    if has_sequence(tx).await? {
        let sql = "SELECT setval('run_number_sequence', GREATEST(value, 1), value > 0) FROM counter WHERE name = $1";
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [entity::counter::RUN.into()]);
        tx.query_one_raw(statement).await?;
    }
    Ok(())
}
