//! Pure: errors of query parsing.

/// Why a query is invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::terrakube) struct QueryError(pub(in crate::terrakube) String);

pub(super) fn unknown(key: &str) -> QueryError {
    QueryError(format!("Found undefined keys in request: {key}"))
}
