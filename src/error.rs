//! What can go wrong, without HTTP: a public text, and a private source that is logged once, at the face.
//!
//! | Variant | When |
//! |---|---|
//! | `Invalid` | everything about the input; names the field |
//! | `Unauthenticated` | no credentials, or none that hold |
//! | `Forbidden` | visible to the caller, but not allowed |
//! | `NotFound` | not there, or not for the caller to see |
//! | `Conflict` | the state does not permit it |
//! | `TooLarge` | the body is over the limit |
//! | `Unavailable` | the database does not answer |
//! | `Internal` | a mistake of ours |
//!
//! A text of `Invalid` never contains the word "exist": the official Terraform provider takes such a 400 for a 404.

use sea_orm::{DbErr, RuntimeErr, SqlErr};

/// The source of an error, for the log only.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// The one error type of the server.
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

/// The result of nearly everything.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Input that is refused; `field` is its path in the request.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), message: message.into() }
    }

    /// A mistake of ours, with its cause.
    pub fn internal(source: impl Into<Source>) -> Self {
        Self::Internal(source.into())
    }

    /// Turns a broken unique key into a conflict that says what is taken.
    pub fn or_taken(error: DbErr, message: impl Into<String>) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Self::Conflict(message.into()),
            _ => error.into(),
        }
    }

    /// Turns a broken foreign key into a conflict that says what is in the way.
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
            Self::Unavailable(_) => "the database does not answer; try again".to_owned(),
            Self::Internal(_) => "an internal error; it has been logged".to_owned(),
        }
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        match error {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(RuntimeErr::SqlxError(_)) => Self::Unavailable(error.into()),
            DbErr::RecordNotUpdated => Self::Conflict("it was changed or deleted meanwhile".into()),
            other => match other.sql_err() {
                Some(SqlErr::UniqueConstraintViolation(_)) => Self::Conflict("the name is already taken".into()),
                Some(SqlErr::ForeignKeyConstraintViolation(_)) => {
                    Self::Conflict("something else refers to it, or what it refers to is gone".into())
                }
                _ => Self::Internal(other.into()),
            },
        }
    }
}
