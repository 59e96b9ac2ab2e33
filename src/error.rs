//! The error type, independent of HTTP: a public text, and a private source that the API logs once.
//!
//! | Variant | When |
//! |---|---|
//! | `Invalid` | the input is invalid; names the field |
//! | `Faults` | several fields of the input are invalid |
//! | `Unauthenticated` | credentials are missing or invalid |
//! | `Forbidden` | the resource is visible, but the action is not allowed |
//! | `NotFound` | the resource is missing, or not visible to the caller |
//! | `Conflict` | the state of the resource does not permit the action |
//! | `TooLarge` | the body is over the limit |
//! | `Unavailable` | the database or the OIDC issuer cannot do it now; names the one |
//! | `Internal` | a bug or an unexpected failure |
//!
//! A text of `Invalid` or `Faults` never contains the word "exist": the official Terraform provider treats such a 400 as a 404.

use sea_orm::{DbErr, SqlErr};

use crate::input::{Refusal, told};
use crate::store::{MayPass, Transient};

/// The source of an error, for the log only.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// The error type of the server.
#[derive(Debug)]
pub enum Error {
    Invalid { field: String, message: String },
    Faults(Vec<Refusal>),
    Unauthenticated(&'static str),
    Forbidden(&'static str),
    NotFound(&'static str),
    Conflict(String),
    TooLarge { limit_bytes: usize },
    Unavailable { reason: String, source: Source },
    Internal(Source),
}

/// The result type of most functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Invalid input; `field` is its path in the request.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), message: message.into() }
    }

    /// All faults of one input.
    #[must_use]
    pub fn all(mut faults: Vec<Refusal>) -> Self {
        match faults.pop() {
            Some(only) if faults.is_empty() => only.into(),
            Some(last) => {
                faults.push(last);
                Self::Faults(faults)
            }
            None => Self::invalid("", "the input is not valid"),
        }
    }

    /// A bug or an unexpected failure, with its cause.
    pub fn internal(source: impl Into<Source>) -> Self {
        Self::Internal(source.into())
    }

    /// A service that cannot be used now; `reason` says which one.
    pub fn unavailable(reason: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::Unavailable { reason: reason.into(), source: source.into() }
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
            Self::Faults(faults) => told(faults),
            Self::Unauthenticated(text) | Self::Forbidden(text) => (*text).to_owned(),
            Self::NotFound(thing) => format!("{thing} not found"),
            Self::Conflict(text) => text.clone(),
            Self::TooLarge { limit_bytes } => {
                format!("the body is larger than {limit_bytes} bytes")
            }
            Self::Unavailable { reason, .. } => reason.clone(),
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

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Invalid { field: refusal.field, message: refusal.message }
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        match error.transient() {
            Some(Transient::Disconnected) => {
                return Self::unavailable("the database cannot be reached; try again", error);
            }
            Some(Transient::Contended) => return Self::unavailable("the database is busy; try again", error),
            Some(Transient::Unwritable) => {
                return Self::unavailable("the database cannot be written; try again later", error);
            }
            None => {}
        }
        match error {
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

impl MayPass for Error {
    fn transient(&self) -> Option<Transient> {
        let Self::Unavailable { source, .. } = self else { return None };
        source.downcast_ref::<DbErr>()?.transient()
    }
}
