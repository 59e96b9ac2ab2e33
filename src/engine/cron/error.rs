//! Pure: why a schedule cannot be read.

/// Why an expression or a time zone is refused; the text is for the person who wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError(pub String);
