//! Pure: times in a zone, with the name of its time and its offset, so that a repeated hour is told apart.

use chrono::{DateTime, Utc};
use windlass_schedule::time_zone::Zone;

/// "2026-11-28 10:15:30 CET (UTC+01:00)".
#[must_use]
pub fn zoned(at: DateTime<Utc>, zone: Zone) -> String {
    let local = at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S");
    format!("{local} {}", name(at, zone))
}

/// "28 Nov 10:15 CET", without the year and the seconds.
#[must_use]
pub fn zoned_short(at: DateTime<Utc>, zone: Zone) -> String {
    let local = at.with_timezone(&zone).format("%-d %b %H:%M");
    let abbreviation = zone.abbreviation(at);
    if is_name(&abbreviation) { format!("{local} {abbreviation}") } else { format!("{local} {}", offset(at, zone)) }
}

fn name(at: DateTime<Utc>, zone: Zone) -> String {
    let (abbreviation, offset) = (zone.abbreviation(at), offset(at, zone));
    match abbreviation.as_str() {
        "UTC" => abbreviation,
        name if is_name(name) => format!("{name} ({offset})"),
        _ => offset,
    }
}

/// Zones without a name for their time repeat the offset.
fn is_name(abbreviation: &str) -> bool {
    abbreviation.starts_with(|c: char| c.is_ascii_alphabetic())
}

fn offset(at: DateTime<Utc>, zone: Zone) -> String {
    format!("UTC{}", at.with_timezone(&zone).format("%:z"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use windlass_schedule::time_zone::find;

    #[test]
    fn a_repeated_hour_is_told_apart() {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        let berlin = find("Europe/Berlin").unwrap();
        assert_eq!(zoned(at("2026-10-25T00:30:00Z"), berlin), "2026-10-25 02:30:00 CEST (UTC+02:00)");
        assert_eq!(zoned(at("2026-10-25T01:30:00Z"), berlin), "2026-10-25 02:30:00 CET (UTC+01:00)");
        assert_eq!(zoned_short(at("2026-10-25T01:30:00Z"), berlin), "25 Oct 02:30 CET");
        assert_eq!(zoned(at("2026-10-25T01:30:00Z"), find("UTC").unwrap()), "2026-10-25 01:30:00 UTC");
        let dubai = find("Asia/Dubai").unwrap();
        assert_eq!(zoned(at("2026-10-25T01:30:00Z"), dubai), "2026-10-25 05:30:00 UTC+04:00");
        assert_eq!(zoned_short(at("2026-10-25T01:30:00Z"), dubai), "25 Oct 05:30 UTC+04:00");
    }
}
