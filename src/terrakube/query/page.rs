//! Pure: parses `page[...]`.

use std::collections::BTreeMap;

use super::error::{QueryError, unknown};

/// The default page size.
const PAGE: u64 = 500;
/// The largest page size.
const MOST: u64 = 10_000;

/// A page of a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::terrakube) struct Page {
    pub(in crate::terrakube) offset: u64,
    pub(in crate::terrakube) limit: u64,
    /// Whether totals are requested.
    pub(in crate::terrakube) totals: bool,
}

pub(super) fn pages(keys: &BTreeMap<&str, &str>) -> Result<Page, QueryError> {
    let number = |key: &str, least: u64| match keys.get(key) {
        None => Ok(None),
        Some(text) => match text.parse::<u64>() {
            Ok(number) if number >= least => Ok(Some(number)),
            _ => Err(QueryError(format!("page[{key}]: {text} must be a number of at least {least}"))),
        },
    };
    for key in keys.keys() {
        if !["number", "size", "offset", "limit", "totals"].contains(key) {
            return Err(unknown(&format!("page[{key}]")));
        }
    }
    let by_number = keys.contains_key("number") || keys.contains_key("size");
    if by_number && (keys.contains_key("offset") || keys.contains_key("limit")) {
        return Err(QueryError("page: use either number and size, or offset and limit".into()));
    }
    let limit = number("size", 1)?.or(number("limit", 1)?).unwrap_or(PAGE);
    if limit > MOST {
        return Err(QueryError(format!("page: the size must be at most {MOST}")));
    }
    let pages = number("number", 1)?.map(|number| number - 1);
    let offset = match pages {
        Some(pages) => pages.checked_mul(limit).ok_or_else(|| QueryError("page[number] is too large".into()))?,
        None => number("offset", 0)?.unwrap_or(0),
    };
    if i64::try_from(offset).is_err() {
        return Err(QueryError("page[offset] is too large".into()));
    }
    Ok(Page { offset, limit, totals: keys.contains_key("totals") })
}
