//! Reads all rows of a table, one after the other.

use futures_util::TryStreamExt as _;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, QueryResult, Statement, StreamTrait as _};

use super::value::{Kind, Table, Value};

/// Calls `each` with every row of a table. Holds one row in memory.
///
/// # Errors
/// When the statement fails, or `each` does.
pub async fn read_rows<E: From<DbErr>>(
    tx: &DatabaseTransaction,
    table: &Table,
    mut each: impl FnMut(Vec<Value>) -> Result<(), E>,
) -> Result<(), E> {
    let statement = Statement::from_string(ConnectionTrait::get_database_backend(tx), select(tx, table).await?);
    let mut rows = tx.stream_raw(statement).await?;
    while let Some(row) = rows.try_next().await? {
        let values = table.columns.iter().enumerate().map(|(place, column)| value(&row, place, column.kind));
        each(values.collect::<Result<_, _>>()?)?;
    }
    Ok(())
}

async fn select(tx: &impl ConnectionTrait, table: &Table) -> Result<String, DbErr> {
    let sequence = has_sequence(tx).await?;
    let column = |name: &str, kind: Kind| match kind {
        Kind::Json => format!("CAST(\"{name}\" AS text)"),
        // On PostgreSQL, a sequence counts the runs.
        Kind::Integer if sequence && (table.name.as_str(), name) == ("counter", "value") => {
            format!("CASE WHEN name = '{}' THEN GREATEST(value, ({LAST})) ELSE value END", entity::counter::RUN)
        }
        Kind::Integer => format!("CAST(\"{name}\" AS bigint)"),
        _ => format!("\"{name}\""),
    };
    let columns: Vec<String> = table.columns.iter().map(|one| column(&one.name, one.kind)).collect();
    Ok(format!("SELECT {} FROM \"{}\"", columns.join(", "), table.name))
}

/// The last number that was given to a run.
const LAST: &str = "SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM run_number_sequence";

/// Whether a sequence counts the runs: not on SQLite, nor in early schemas.
pub(super) async fn has_sequence(tx: &impl ConnectionTrait) -> Result<bool, DbErr> {
    if tx.get_database_backend() != DbBackend::Postgres {
        return Ok(false);
    }
    let sql = "SELECT to_regclass('run_number_sequence') IS NOT NULL";
    let row = tx.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    row.map_or(Ok(false), |row| row.try_get_by_index(0))
}

fn value(row: &QueryResult, place: usize, kind: Kind) -> Result<Value, DbErr> {
    macro_rules! read {
        ($variant:ident) => {
            row.try_get_by_index::<Option<_>>(place)?.map_or(Value::Null, Value::$variant)
        };
    }
    Ok(match kind {
        Kind::Boolean => read!(Boolean),
        Kind::Integer => read!(Integer),
        Kind::Float => read!(Float),
        Kind::Text => read!(Text),
        Kind::Json => read!(Json),
        Kind::Bytes => read!(Bytes),
        Kind::Time => read!(Time),
        Kind::Uuid => read!(Uuid),
    })
}
