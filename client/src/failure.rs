//! Why a command failed, and its exit code.

use std::fmt;

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a command failed. The texts are for people, and say what to do where that is known.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The words of the command make no sense together.
    Usage(String),
    /// There is nothing of that name, or nothing that the token may see.
    NotFound(String),
    /// There is no token, or the server does not accept it.
    NotSignedIn(String),
    /// What something is does not permit it; it may have changed in the meantime.
    Conflict(String),
    /// The server refused, answered something else, or cannot be reached.
    Refused(String),
    /// What was watched ended otherwise.
    Unsuccessful(String),
    /// A command that was run here ended with this exit code.
    Exited(u8),
    /// Nobody reads any more.
    Closed,
}

impl Failure {
    /// The same, with what it is about in front.
    pub(crate) fn about(self, what: &str) -> Self {
        match self {
            Self::Usage(text) => Self::Usage(format!("{what}: {text}")),
            Self::NotFound(text) => Self::NotFound(format!("{what}: {text}")),
            Self::Conflict(text) => Self::Conflict(format!("{what}: {text}")),
            Self::Refused(text) => Self::Refused(format!("{what}: {text}")),
            other => other,
        }
    }

    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Closed => 0,
            Self::Conflict(_) | Self::Refused(_) => 1,
            Self::Usage(_) => 2,
            Self::NotFound(_) => 3,
            Self::NotSignedIn(_) => 4,
            Self::Unsuccessful(_) => 5,
            Self::Exited(code) => *code,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text)
            | Self::NotFound(text)
            | Self::NotSignedIn(text)
            | Self::Conflict(text)
            | Self::Refused(text)
            | Self::Unsuccessful(text) => f.write_str(text),
            Self::Exited(code) => write!(f, "the command ended with exit code {code}"),
            Self::Closed => f.write_str("nobody reads the output any more"),
        }
    }
}
