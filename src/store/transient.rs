//! Which errors of the database pass when the work is repeated.

use std::borrow::Cow;

use sea_orm::sqlx;
use sea_orm::{DbErr, RuntimeErr};

/// Why an error may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transient {
    /// The database chose other work over this: a deadlock, a serialization failure, or a lock that another writer holds. Nothing
    /// was stored.
    Contended,
    /// The disk is full or fails, or the database is read-only. SQLite ends the transaction by itself. A repetition at once would fail
    /// again.
    Unwritable,
    /// The connection was cut or could not be made. What was sent last may have been carried out.
    Disconnected,
}

/// An error that may come from the database.
pub trait MayPass {
    /// Why a repetition may succeed; `None` if it would fail again.
    fn transient(&self) -> Option<Transient>;
}

impl MayPass for DbErr {
    fn transient(&self) -> Option<Transient> {
        match self {
            Self::ConnectionAcquire(_) => Some(Transient::Disconnected),
            Self::Conn(RuntimeErr::SqlxError(error))
            | Self::Exec(RuntimeErr::SqlxError(error))
            | Self::Query(RuntimeErr::SqlxError(error)) => of_driver(error),
            _ => None,
        }
    }
}

fn of_driver(error: &sqlx::Error) -> Option<Transient> {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Some(Transient::Disconnected),
        // The connection counts a transaction that SQLite has ended; the pool is about to close it.
        sqlx::Error::InvalidSavePointStatement => Some(Transient::Unwritable),
        sqlx::Error::Database(error) => of_code(error.code()?),
        _ => None,
    }
}

/// PostgreSQL's codes have five characters (<https://www.postgresql.org/docs/current/errcodes-appendix.html>), SQLite's are
/// numbers (<https://www.sqlite.org/rescode.html>), whose lowest byte is the primary code.
fn of_code(code: Cow<'_, str>) -> Option<Transient> {
    const BUSY: u32 = 5;
    const LOCKED: u32 = 6;
    const NO_MEMORY: u32 = 7;
    const READ_ONLY: u32 = 8;
    const IO_ERROR: u32 = 10;
    const FULL: u32 = 13;
    const CANNOT_OPEN: u32 = 14;
    match code.as_ref() {
        "40001" | "40P01" | "55P03" => Some(Transient::Contended),
        // Shutdown, crash, and startup of the server; no more connections; a standby that took its place.
        "57P01" | "57P02" | "57P03" | "53300" | "25006" => Some(Transient::Disconnected),
        code if code.len() == 5 && code.starts_with("08") => Some(Transient::Disconnected),
        // No resources, and errors of the machine.
        code if code.len() == 5 => (code.starts_with("53") || code.starts_with("58")).then_some(Transient::Unwritable),
        code => match code.parse::<u32>().ok()? & 0xff {
            BUSY | LOCKED => Some(Transient::Contended),
            NO_MEMORY | READ_ONLY | IO_ERROR | FULL | CANNOT_OPEN => Some(Transient::Unwritable),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{MayPass as _, Transient, of_code};
    use sea_orm::DbErr;

    #[test]
    fn codes_of_both_databases_are_known() {
        for (code, expected) in [
            ("40P01", Some(Transient::Contended)),
            ("40001", Some(Transient::Contended)),
            ("57P01", Some(Transient::Disconnected)),
            ("08006", Some(Transient::Disconnected)),
            // A unique violation, and a syntax error.
            ("23505", None),
            ("42601", None),
            // SQLITE_BUSY, SQLITE_BUSY_SNAPSHOT, SQLITE_LOCKED, SQLITE_CONSTRAINT_UNIQUE.
            ("5", Some(Transient::Contended)),
            ("517", Some(Transient::Contended)),
            ("6", Some(Transient::Contended)),
            ("2067", None),
            // SQLITE_FULL, SQLITE_IOERR_WRITE, and a full disk of PostgreSQL.
            ("13", Some(Transient::Unwritable)),
            ("778", Some(Transient::Unwritable)),
            ("53100", Some(Transient::Unwritable)),
        ] {
            assert_eq!(of_code(code.into()), expected, "{code}");
        }
        assert_eq!(DbErr::RecordNotUpdated.transient(), None);
    }
}
