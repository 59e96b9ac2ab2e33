//! Pure: how far away a time is.

use chrono::{DateTime, Utc};

/// Units of time in seconds, largest first, each with the smallest number of seconds that is written in it.
const UNITS: [(i64, i64, &str); 6] = [
    (31_557_600, 2 * 31_557_600, "year"),
    (2_629_800, 2 * 2_629_800, "month"),
    (86_400, 2 * 86_400, "day"),
    (3_600, 5_400, "hour"),
    (60, 90, "minute"),
    (1, 5, "second"),
];

/// "in 5 minutes", "3 hours ago" or "now". Less than five seconds are "now", in both directions.
#[must_use]
pub fn relative(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (at - now).num_seconds();
    let distance = seconds.abs();
    let Some((unit, _, name)) = UNITS.iter().find(|(_, least, _)| distance >= *least) else { return "now".into() };
    // Rounded, so that 119 seconds are two minutes.
    let count = (distance + unit / 2) / unit;
    let plural = if count == 1 { "" } else { "s" };
    if seconds > 0 { format!("in {count} {name}{plural}") } else { format!("{count} {name}{plural} ago") }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, Utc};

    use super::relative;

    /// The script goes on with the same words while a page is open.
    #[test]
    fn the_script_has_the_same_units() {
        let script = include_str!("../assets/console.js");
        let units = script.split_once("const units = ").unwrap().1.split_once(';').unwrap().0;
        let units: Vec<(i64, i64, String)> = serde_json::from_str(units).unwrap();
        assert_eq!(units, super::UNITS.map(|(size, least, name)| (size, least, name.to_owned())));
        assert!(script.contains("Math.floor((far + Math.floor(size / 2)) / size)"), "the script rounds as well");
    }

    #[test]
    fn distances() {
        let now = chrono::DateTime::<Utc>::UNIX_EPOCH;
        for (seconds, text) in [
            (0, "now"),
            (4, "now"),
            (-4, "now"),
            (5, "in 5 seconds"),
            (-59, "59 seconds ago"),
            (89, "in 89 seconds"),
            (90, "in 2 minutes"),
            (300, "in 5 minutes"),
            (-3 * 3600, "3 hours ago"),
            (36 * 3600, "in 36 hours"),
            (-49 * 3600, "2 days ago"),
            (90 * 86_400, "in 3 months"),
            (-3 * 31_557_600, "3 years ago"),
        ] {
            assert_eq!(relative(now + TimeDelta::seconds(seconds), now), text, "{seconds}");
        }
    }
}
