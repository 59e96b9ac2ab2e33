//! Builds SQL statements with many bound values.

use std::fmt::Write as _;

use sea_orm::{DbBackend, Statement, Value};

/// SQL with its bound values in order.
///
/// Values are written as `?` for SQLite. It would read `$1` as a name, and search all names for each value when the
/// statement is parsed and again when it is bound.
pub(super) struct Binds {
    backend: DbBackend,
    sql: String,
    values: Vec<Value>,
}

impl Binds {
    pub(super) fn new(backend: DbBackend, sql: &str) -> Self {
        Self { backend, sql: sql.to_owned(), values: Vec::new() }
    }

    pub(super) fn sql(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    /// Appends a value with its PostgreSQL type.
    pub(super) fn value(&mut self, value: impl Into<Value>, kind: &str) -> &mut Self {
        self.values.push(value.into());
        match self.backend {
            DbBackend::Postgres => {
                // Writing to a String cannot fail.
                let _written = write!(self.sql, "${}::{kind}", self.values.len());
            }
            _ => self.sql.push('?'),
        }
        self
    }

    pub(super) fn statement(self) -> Statement {
        Statement::from_sql_and_values(self.backend, self.sql, self.values)
    }
}
