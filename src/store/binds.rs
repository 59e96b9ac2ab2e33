//! The bound values of a statement that is written in SQL here and has very many of them.

use std::fmt::Write as _;

use sea_orm::{DbBackend, Statement, Value};

/// SQL with its values, in the order of their places.
///
/// SQLite gets `?`: it takes `$1` for a name, and looks for each name among all others when it reads the statement, and
/// again when the values are bound.
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

    /// A value, with its type as PostgreSQL calls it.
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
