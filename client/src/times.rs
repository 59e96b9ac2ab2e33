//! How far away a time is, and how long something took.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// The whole part of a span, in its largest unit.
fn span(seconds: i64) -> String {
    let (number, unit) = match seconds {
        ..60 => (seconds, "second"),
        60..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

/// A time from `now` on, such as `in 3 minutes`.
pub(crate) fn distance(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (at - now).num_seconds();
    match seconds {
        0 => "now".into(),
        1.. => format!("in {}", span(seconds)),
        _ => format!("{} ago", span(-seconds)),
    }
}

/// How long something took, such as `1m 05s`.
pub(crate) fn length(took: TimeDelta) -> String {
    let seconds = took.num_seconds().max(0);
    match seconds {
        0 => format!("{} ms", took.num_milliseconds().max(0)),
        1..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// A time for scripts.
pub(crate) fn exact(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The time of this machine, which is the only clock of the client.
#[expect(clippy::disallowed_methods, reason = "the client has no clock but that of its machine")]
pub(crate) fn now() -> DateTime<Utc> {
    std::time::SystemTime::now().into()
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::{distance, exact, length};

    #[test]
    fn times_are_named_in_their_largest_unit() {
        let now = DateTime::UNIX_EPOCH;
        for (seconds, text) in [
            (0, "now"),
            (1, "in 1 second"),
            (59, "in 59 seconds"),
            (60, "in 1 minute"),
            (-119, "1 minute ago"),
            (7200, "in 2 hours"),
            (-86_400 * 3, "3 days ago"),
        ] {
            assert_eq!(distance(now + TimeDelta::seconds(seconds), now), text);
        }
        for (milliseconds, text) in
            [(0, "0 ms"), (999, "999 ms"), (1000, "1s"), (65_000, "1m 05s"), (3_660_000, "1h 01m"), (-5, "0 ms")]
        {
            assert_eq!(length(TimeDelta::milliseconds(milliseconds)), text);
        }
        assert_eq!(exact(now), "1970-01-01T00:00:00Z");
    }
}
