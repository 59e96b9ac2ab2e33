//! Why a query cannot be read.

/// What cannot be understood, with the key that it stands under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::terrakube) struct QueryError(pub(in crate::terrakube) String);

pub(super) fn unknown(key: &str) -> QueryError {
    QueryError(format!("Found undefined keys in request: {key}"))
}
