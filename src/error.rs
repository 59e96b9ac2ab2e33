//! The error type, independent of HTTP: a public text, and a private source that the API logs once.
//!
//! | Variant | When |
//! |---|---|
//! | `Invalid` | the input is invalid; names the field |
//! | `Unauthenticated` | credentials are missing or invalid |
//! | `Forbidden` | the resource is visible, but the action is not allowed |
//! | `NotFound` | the resource is missing, or not visible to the caller |
//! | `Conflict` | the state of the resource does not permit the action |
//! | `TooLarge` | the body is over the limit |
//! | `Unavailable` | the database cannot be reached or cannot write, or the OIDC issuer cannot be reached |
//! | `Internal` | a bug or an unexpected failure |
//!
//! A text of `Invalid` never contains the word "exist": the official Terraform provider treats such a 400 as a 404.

use sea_orm::sqlx;
use sea_orm::{DbErr, RuntimeErr, SqlErr};

/// The source of an error, for the log only.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// The error type of the server.
#[derive(Debug)]
pub enum Error {
    Invalid { field: String, message: String },
    Unauthenticated(&'static str),
    Forbidden(&'static str),
    NotFound(&'static str),
    Conflict(String),
    TooLarge { limit_bytes: usize },
    Unavailable(Source),
    Internal(Source),
}

/// The result type of most functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Invalid input; `field` is its path in the request.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), message: message.into() }
    }

    /// A bug or an unexpected failure, with its cause.
    pub fn internal(source: impl Into<Source>) -> Self {
        Self::Internal(source.into())
    }

    /// Maps a violated unique constraint to a conflict with this message.
    pub fn or_taken(error: DbErr, message: impl Into<String>) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Self::Conflict(message.into()),
            _ => error.into(),
        }
    }

    /// Maps a violated foreign key to a conflict with this message.
    pub fn or_in_use(error: DbErr, message: impl Into<String>) -> Self {
        match error.sql_err() {
            Some(SqlErr::ForeignKeyConstraintViolation(_)) => Self::Conflict(message.into()),
            _ => error.into(),
        }
    }

    /// The text for the caller.
    #[must_use]
    pub fn public(&self) -> String {
        match self {
            Self::Invalid { field, message } if field.is_empty() => message.clone(),
            Self::Invalid { field, message } => format!("{field}: {message}"),
            Self::Unauthenticated(text) | Self::Forbidden(text) => (*text).to_owned(),
            Self::NotFound(thing) => format!("{thing} not found"),
            Self::Conflict(text) => text.clone(),
            Self::TooLarge { limit_bytes } => {
                format!("the body is larger than {limit_bytes} bytes")
            }
            Self::Unavailable(_) => "the database or the OIDC issuer cannot be reached; try again".to_owned(),
            Self::Internal(_) => "internal error; see the server log".to_owned(),
        }
    }
}

/// A sealed value that the keys of this server do not open.
#[derive(Debug)]
pub struct CannotOpen(pub &'static str);

impl std::fmt::Display for CannotOpen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for CannotOpen {}

impl Error {
    /// The text for the reason of a row that could not be processed. It contains no values.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Internal(source) if source.is::<CannotOpen>() => {
                "a secret cannot be decrypted with the keys of this server".to_owned()
            }
            other => other.public(),
        }
    }
}

/// Whether the cause of an error is the state of the database, not the statement: the disk is full, the database is locked,
/// read-only, shutting down or gone.
fn is_unavailable(error: &DbErr) -> bool {
    let (DbErr::Conn(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return matches!(error, DbErr::ConnectionAcquire(_));
    };
    match &**error {
        sqlx::Error::Database(error) => error.code().is_some_and(|code| is_state_of_database(&code)),
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        // The connection believes to be in a transaction that SQLite has ended; it is about to be closed.
        | sqlx::Error::InvalidSavePointStatement => true,
        _ => false,
    }
}

fn is_state_of_database(code: &str) -> bool {
    if code.len() == 5 {
        // PostgreSQL: connections, resources, shutdown, system errors, read-only, deadlocks.
        let classes = ["08", "53", "57P", "58", "25006", "40"];
        return classes.iter().any(|class| code.starts_with(class));
    }
    // SQLite: BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL, CANTOPEN; extended codes have more bits.
    code.parse::<u32>().is_ok_and(|code| [5, 6, 7, 8, 10, 13, 14].contains(&(code & 0xff)))
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        match error {
            error if is_unavailable(&error) => Self::Unavailable(error.into()),
            DbErr::RecordNotUpdated => Self::Conflict("the resource was changed or deleted by another request".into()),
            other => match other.sql_err() {
                Some(SqlErr::UniqueConstraintViolation(_)) => Self::Conflict("the name is already taken".into()),
                Some(SqlErr::ForeignKeyConstraintViolation(_)) => Self::Conflict(
                    "another resource refers to this one, or a resource that this one refers to is gone".into(),
                ),
                _ => Self::Internal(other.into()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CannotOpen, Error, is_state_of_database};

    #[test]
    fn states_of_the_database_are_told_from_statements() {
        for code in ["5", "13", "10", "778", "517", "53100", "57P01", "08006", "25006", "40P01"] {
            assert!(is_state_of_database(code), "{code}");
        }
        for code in ["1", "19", "2067", "23505", "42601", "22021"] {
            assert!(!is_state_of_database(code), "{code}");
        }
    }

    #[test]
    fn reasons_name_the_key_and_no_values() {
        let sealed = Error::internal(CannotOpen("value x"));
        assert_eq!(sealed.reason(), "a secret cannot be decrypted with the keys of this server");
        assert_eq!(Error::internal("value x").reason(), "internal error; see the server log");
    }
}
