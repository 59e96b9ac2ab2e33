//! Pure: why a receiver did not accept a message.

/// Why a receiver did not accept a message.
#[derive(Debug)]
pub(super) enum Refused {
    /// It may accept the message later.
    Now(String),
    /// It will never accept the message.
    Always(String),
}

impl Refused {
    pub(super) fn reason(&self) -> &str {
        match self {
            Self::Now(reason) | Self::Always(reason) => reason,
        }
    }
}
