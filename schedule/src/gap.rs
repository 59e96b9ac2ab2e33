//! Pure: time zones, and the gaps in their wall clocks.

use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone, Utc};

use super::error::ParseError;
use crate::time_zone::{self, Zone};

/// Longer than any gap or overlap that a time zone has ever had (a day, at the date line).
pub(super) const WINDOW: TimeDelta = TimeDelta::hours(27);

/// Parses an IANA time zone name.
///
/// # Errors
/// When the name is not in the time zone database.
pub fn parse_timezone(name: &str) -> Result<Zone, ParseError> {
    time_zone::find(name).ok_or_else(|| ParseError(format!("{name:?} is not an IANA time zone such as Europe/Paris")))
}

/// The instant at which the clocks skip `wall`.
pub fn gap_end(wall: NaiveDateTime, zone: &impl TimeZone) -> Option<DateTime<Utc>> {
    let low = wall.and_utc().checked_sub_signed(WINDOW)?;
    let high = wall.and_utc().checked_add_signed(WINDOW)?;
    first_where(low, high, |time| time.with_timezone(zone).naive_local() > wall)
}

/// The first second in `low..=high` from which `holds` stays true.
pub(super) fn first_where(
    low: DateTime<Utc>,
    high: DateTime<Utc>,
    holds: impl Fn(DateTime<Utc>) -> bool,
) -> Option<DateTime<Utc>> {
    let (mut low, mut high) = (low.timestamp(), high.timestamp());
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(DateTime::from_timestamp(middle, 0)?) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    DateTime::from_timestamp(low, 0).filter(|time| holds(*time))
}

#[cfg(test)]
mod tests {
    use super::parse_timezone;

    #[test]
    fn zones_have_names() {
        assert!(parse_timezone("Europe/Paris").is_ok());
        for name in ["Mars/Olympus", "europe/paris", "Factory", "../etc/passwd", ""] {
            assert!(parse_timezone(name).is_err(), "{name}");
        }
    }
}
