//! Stores rows of a table, many in one statement.

use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbBackend, DbErr, Statement};

use super::value::{Kind, Table, Value};

/// The most rows of a statement.
const MOST_ROWS: usize = 500;
/// The most values of a statement; SQLite takes 32,766.
const MOST_VALUES: usize = 30_000;
/// Beyond this, a statement is sent with the rows that it has, in bytes.
const MOST_BYTES: usize = 2 * 1024 * 1024;

/// Rows of one table that are about to be stored.
pub struct Insert<'a> {
    tx: &'a DatabaseTransaction,
    table: &'a Table,
    values: Vec<sea_orm::Value>,
    rows: usize,
    bytes: usize,
}

impl<'a> Insert<'a> {
    #[must_use]
    pub fn new(tx: &'a DatabaseTransaction, table: &'a Table) -> Self {
        Self { tx, table, values: Vec::new(), rows: 0, bytes: 0 }
    }

    /// Adds a row, with a value for each column of the table.
    ///
    /// # Errors
    /// When the statement fails.
    pub async fn add(&mut self, row: Vec<Value>) -> Result<(), DbErr> {
        self.bytes += row.iter().map(Value::size).sum::<usize>();
        self.rows += 1;
        let columns = &self.table.columns;
        self.values.extend(columns.iter().zip(row).map(|(column, value)| bound(column.kind, value)));
        let is_full = self.rows >= MOST_ROWS || self.values.len() + columns.len() > MOST_VALUES;
        if is_full || self.bytes >= MOST_BYTES { self.finish().await } else { Ok(()) }
    }

    /// Stores what was added.
    ///
    /// # Errors
    /// When the statement fails.
    pub async fn finish(&mut self) -> Result<(), DbErr> {
        if self.rows == 0 {
            return Ok(());
        }
        let backend = self.tx.get_database_backend();
        let sql = statement(backend, self.table, self.rows);
        let values = std::mem::take(&mut self.values);
        (self.rows, self.bytes) = (0, 0);
        self.tx.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await.map(|_| ())
    }
}

fn statement(backend: DbBackend, table: &Table, rows: usize) -> String {
    let names: Vec<String> = table.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
    let mut sql = format!("INSERT INTO \"{}\" ({}) VALUES ", table.name, names.join(", "));
    let mut place = 0;
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for (index, column) in table.columns.iter().enumerate() {
            place += 1;
            let comma = if index == 0 { "" } else { ", " };
            let is_document = column.kind == Kind::Json && backend == DbBackend::Postgres;
            sql.push_str(&if is_document {
                format!("{comma}${place}::text::jsonb")
            } else {
                format!("{comma}${place}")
            });
        }
        sql.push(')');
    }
    sql
}

/// A missing value has the type of its column.
fn bound(kind: Kind, value: Value) -> sea_orm::Value {
    match value {
        Value::Boolean(value) => value.into(),
        Value::Integer(value) => value.into(),
        Value::Float(value) => value.into(),
        Value::Text(value) | Value::Json(value) => value.into(),
        Value::Bytes(value) => value.into(),
        Value::Time(value) => value.into(),
        Value::Uuid(value) => value.into(),
        Value::Null => match kind {
            Kind::Boolean => None::<bool>.into(),
            Kind::Integer => None::<i64>.into(),
            Kind::Float => None::<f64>.into(),
            Kind::Text | Kind::Json => None::<String>.into(),
            Kind::Bytes => None::<Vec<u8>>.into(),
            Kind::Time => None::<chrono::DateTime<chrono::Utc>>.into(),
            Kind::Uuid => None::<uuid::Uuid>.into(),
        },
    }
}
