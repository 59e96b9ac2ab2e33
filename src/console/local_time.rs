//! Times that people type: in a zone, or with an offset.

use chrono::{DateTime, LocalResult, NaiveDateTime, TimeZone as _, Utc};
use windlass_schedule::time_zone::Zone;

use crate::error::{Error, Result};

/// Reads a time. One that happens twice is the first one.
pub(super) fn parse(field: &str, text: &str, zone: Option<Zone>) -> Result<DateTime<Utc>> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.to_utc());
    }
    let formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"];
    let local = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text.trim(), format).ok());
    let local = local.ok_or_else(|| Error::invalid(field, "must be a date and a time such as 2026-03-29 02:30"))?;
    let Some(zone) = zone else { return Ok(local.and_utc()) };
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Ok(at.to_utc()),
        LocalResult::None => Err(Error::invalid(field, "does not exist there: clocks are set forward over this time")),
    }
}

/// As the field of a form shows it.
pub(super) fn local(at: DateTime<Utc>, zone: Option<Zone>) -> String {
    const FORMAT: &str = "%Y-%m-%dT%H:%M";
    zone.map_or_else(|| at.format(FORMAT).to_string(), |zone| at.with_timezone(&zone).format(FORMAT).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use windlass_schedule::time_zone::find;

    #[test]
    fn times_in_a_zone() {
        let berlin = find("Europe/Berlin");
        let read = |text: &str| parse("at", text, berlin).map(|at| at.to_rfc3339()).map_err(|error| error.to_string());
        assert_eq!(read("2026-11-28T10:15").unwrap(), "2026-11-28T09:15:00+00:00");
        assert_eq!(read("2026-11-28T10:15:00Z").unwrap(), "2026-11-28T10:15:00+00:00");
        assert_eq!(read("2026-10-25 02:30").unwrap(), "2026-10-25T00:30:00+00:00", "the first of two");
        assert!(read("2026-03-29 02:30").unwrap_err().contains("set forward"));
        assert!(read("tomorrow").unwrap_err().starts_with("at: must be a date"));
        let at = parse("at", "2026-11-28T10:15", berlin).unwrap();
        assert_eq!(local(at, berlin), "2026-11-28T10:15");
    }
}
