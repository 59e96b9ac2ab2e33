//! Parses query parameters.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::error::{Error, Result};

/// Parses a time: RFC 3339, or seconds since the Unix epoch.
pub(super) fn time(field: &str, value: Option<String>) -> Result<Option<DateTime<Utc>>> {
    let Some(text) = value.filter(|text| !text.is_empty()) else { return Ok(None) };
    let seconds = text.parse::<i64>().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    let time = seconds.or_else(|| text.parse::<DateTime<Utc>>().ok());
    // Databases store times until the end of year 9999.
    let time = time.filter(|time| time.timestamp().abs() < 253_402_300_800);
    time.map(Some).ok_or_else(|| Error::invalid(field, "must be an RFC 3339 time or seconds since the Unix epoch"))
}

pub(super) fn uuid(field: &str, value: Option<String>) -> Result<Option<Uuid>> {
    let value = value.filter(|text| !text.is_empty());
    value.map(|text| text.parse().map_err(|_| Error::invalid(field, "must be a UUID"))).transpose()
}
