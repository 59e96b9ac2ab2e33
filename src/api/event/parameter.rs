//! Parameters of queries.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::error::{Error, Result};

/// A time of a query: RFC 3339, or seconds since 1970.
pub(super) fn time(field: &str, given: Option<String>) -> Result<Option<DateTime<Utc>>> {
    let Some(text) = given.filter(|text| !text.is_empty()) else { return Ok(None) };
    let seconds = text.parse::<i64>().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    let read = seconds.or_else(|| text.parse::<DateTime<Utc>>().ok());
    // Years that a database takes.
    let read = read.filter(|time| time.timestamp().abs() < 253_402_300_800);
    read.map(Some).ok_or_else(|| Error::invalid(field, "is neither RFC 3339 nor seconds since 1970"))
}

pub(super) fn uuid(field: &str, given: Option<String>) -> Result<Option<Uuid>> {
    let given = given.filter(|text| !text.is_empty());
    given.map(|text| text.parse().map_err(|_| Error::invalid(field, "is not a UUID"))).transpose()
}
