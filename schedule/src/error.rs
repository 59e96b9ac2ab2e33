//! Pure: the error of parsing a schedule.

/// Why an expression or a time zone is invalid; the text is meant for its author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError(pub String);
