//! Pure: where an axis of time has marks, in the time of a zone.

use chrono::{DateTime, NaiveDate, Offset as _, TimeDelta, Timelike as _, Utc};
use windlass_schedule::time_zone::Zone;

/// A mark of an axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    pub at: DateTime<Utc>,
    pub text: String,
    /// Whether a day begins here.
    pub is_day: bool,
}

/// Distances between marks, in minutes of a wall clock.
const STEPS: [i64; 13] = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880];
const DAY: i64 = 1440;
/// The most marks that fit, and the longest span in days.
const MOST: i64 = 15;
const LONGEST_DAYS: i64 = 62;

/// Up to about 15 marks in `from..until`. They are at round times of the zone's clocks: skipped ones have no mark, and repeated ones
/// have two. The first mark after a change of the offset names the new time of the zone.
#[must_use]
pub fn ticks(from: DateTime<Utc>, until: DateTime<Utc>, zone: Zone) -> Vec<Tick> {
    let until = until.min(from.checked_add_signed(TimeDelta::days(LONGEST_DAYS)).unwrap_or(until));
    let minutes = (until - from).num_minutes();
    let step = STEPS.into_iter().find(|step| minutes / step <= MOST).unwrap_or(DAY * (minutes / MOST / DAY + 1));
    // Offsets are multiples of 15 minutes since the times of railways; before that, marks would be rare.
    let stride = TimeDelta::minutes(step.clamp(1, 15));
    let stride = if step % 15 == 0 { stride } else { TimeDelta::minutes(1) };
    let Some(mut at) = floor(from, stride) else { return Vec::new() };
    let mut before: Option<(NaiveDate, i32)> = None;
    let mut found = Vec::new();
    let mut named = at.with_timezone(&zone).offset().fix().local_minus_utc();
    while at < until {
        let local = at.with_timezone(&zone);
        let (date, offset) = (local.date_naive(), local.offset().fix().local_minus_utc());
        let is_day = match before {
            Some((previous, _)) => previous != date,
            None => local.hour() == 0 && local.minute() == 0,
        };
        before = Some((date, offset));
        let minute = i64::from(local.hour() * 60 + local.minute());
        let is_mark =
            if step >= DAY { is_day && days_of(date) % (step / DAY) == 0 } else { is_day || minute % step == 0 };
        if is_mark && at >= from {
            let text = if is_day { local.format("%-d %b").to_string() } else { local.format("%H:%M").to_string() };
            let text = if offset == named { text } else { format!("{text} {}", zone.abbreviation(at)) };
            named = offset;
            found.push(Tick { at, text, is_day });
        }
        at += stride;
    }
    found
}

fn days_of(date: NaiveDate) -> i64 {
    (date - NaiveDate::default()).num_days()
}

fn floor(at: DateTime<Utc>, stride: TimeDelta) -> Option<DateTime<Utc>> {
    let seconds = stride.num_seconds().max(60);
    DateTime::from_timestamp(at.timestamp().div_euclid(seconds) * seconds, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use windlass_schedule::time_zone::find;

    fn texts(from: &str, hours: i64, zone: &str) -> String {
        let from = DateTime::parse_from_rfc3339(from).unwrap().to_utc();
        let found = ticks(from, from + TimeDelta::hours(hours), find(zone).unwrap());
        assert!(found.len() <= 33, "{}", found.len());
        found.into_iter().map(|tick| tick.text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn clock_changes() {
        assert_eq!(
            texts("2026-10-24T22:00:00Z", 5, "Europe/Berlin"),
            "25 Oct 00:30 01:00 01:30 02:00 02:30 02:00 CET 02:30 03:00 03:30"
        );
        assert_eq!(
            texts("2026-03-28T23:00:00Z", 4, "Europe/Berlin"),
            "29 Mar 00:30 01:00 01:30 03:00 CEST 03:30 04:00 04:30"
        );
        // A change by half an hour.
        assert_eq!(
            texts("2026-04-04T14:00:00Z", 3, "Australia/Lord_Howe"),
            "01:00 01:15 01:30 01:45 01:30 +1030 01:45 02:00 02:15 02:30 02:45 03:00 03:15"
        );
        // A day without a midnight begins at one o'clock.
        assert_eq!(
            texts("2026-04-23T20:00:00Z", 4, "Africa/Cairo").split(' ').take(8).collect::<Vec<_>>().join(" "),
            "22:00 22:30 23:00 23:30 24 Apr EEST 01:30"
        );
    }

    #[test]
    fn spans() {
        assert_eq!(
            texts("2026-11-28T09:05:00Z", 24, "UTC"),
            "10:00 12:00 14:00 16:00 18:00 20:00 22:00 29 Nov 02:00 04:00 06:00 08:00"
        );
        assert_eq!(texts("2026-11-01T00:00:00Z", 24 * 7, "Asia/Kolkata").split(' ').count(), 21);
        let month = texts("2026-11-01T00:00:00Z", 24 * 30, "America/New_York");
        assert!(month.split(" Nov").count() >= 10, "{month}");
        let year = DateTime::parse_from_rfc3339("2026-01-01T00:00:00Z").unwrap().to_utc();
        assert!(ticks(year, year + TimeDelta::days(3650), find("UTC").unwrap()).len() <= 40, "bounded");
        assert_eq!(ticks(year, year, find("UTC").unwrap()), []);
    }
}
