//! Pure: durations as text.

use chrono::{DateTime, TimeDelta, Utc};

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// "850 ms", "12 s", "1 m 20 s", "2 h 5 m" or "3 d 4 h", of a number of milliseconds. Two units at most; the rest is cut off.
#[must_use]
pub fn duration(milliseconds: u64) -> String {
    let two = |unit: u64, name: &str, smaller: u64, smaller_name: &str| {
        let (whole, rest) = (milliseconds / unit, milliseconds % unit / smaller);
        if rest == 0 { format!("{whole} {name}") } else { format!("{whole} {name} {rest} {smaller_name}") }
    };
    match milliseconds {
        0..SECOND => format!("{milliseconds} ms"),
        SECOND..MINUTE => format!("{} s", milliseconds / SECOND),
        MINUTE..HOUR => two(MINUTE, "m", SECOND, "s"),
        HOUR..DAY => two(HOUR, "h", MINUTE, "m"),
        DAY.. => two(DAY, "d", HOUR, "h"),
    }
}

/// The milliseconds between two times, never less than none.
#[must_use]
pub fn between(from: DateTime<Utc>, until: DateTime<Utc>) -> u64 {
    u64::try_from((until - from).max(TimeDelta::zero()).num_milliseconds()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (milliseconds, text) in [
            (0, "0 ms"),
            (850, "850 ms"),
            (1000, "1 s"),
            (59_999, "59 s"),
            (60_000, "1 m"),
            (80_500, "1 m 20 s"),
            (7_500_000, "2 h 5 m"),
            (86_400_000, "1 d"),
            (3 * 86_400_000 + 4 * 3_600_000 + 59_000, "3 d 4 h"),
        ] {
            assert_eq!(duration(milliseconds), text);
        }
        let now = DateTime::<Utc>::UNIX_EPOCH;
        assert_eq!(between(now, now - TimeDelta::seconds(1)), 0, "clocks can be set back");
        assert_eq!(between(now, now + TimeDelta::milliseconds(1500)), 1500);
    }
}
