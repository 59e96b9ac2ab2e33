//! Pure: the quiet hours of a receiver. An instant is quiet if the clock of the time zone says so, also where clocks are changed.

use chrono::{DateTime, Datelike as _, TimeDelta, Timelike as _, Utc};
use entity::alert_receiver::{QuietHours, QuietSpan};
use entity::alert_rule::Severity;
use windlass_schedule::time_zone::{self, Zone};

const DAY: i64 = 86_400;
const WEEK: i64 = 7 * DAY;
/// The most minutes of a week that may be quiet, so that every message leaves at some time.
const MOST: usize = 10_080 - 60;
/// How many spans and clock changes follow each other without a pause, at most.
const STEPS: usize = 500;

/// When the quiet hours are over in which a message of a severity would be sent; none if it can be sent now.
#[must_use]
pub fn quiet_until(hours: &QuietHours, severity: Severity, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if hours.except_severities.contains(&severity) {
        return None;
    }
    let zone = time_zone::find(&hours.time_zone)?;
    let mut end = at;
    for _ in 0..STEPS {
        let Some(left) = left(&hours.spans, zone, end) else { break };
        let over = end + left;
        // The clock says something else after a change.
        let change = zone.changes(end).next().map(|change| change.at).filter(|change| *change < over);
        end = change.unwrap_or(over);
    }
    (end > at).then_some(end)
}

/// How long the longest span goes on that an instant is in, by the clock of that instant.
fn left(spans: &[QuietSpan], zone: Zone, at: DateTime<Utc>) -> Option<TimeDelta> {
    let local = at.with_timezone(&zone);
    let second = i64::from(local.weekday().num_days_from_monday()) * DAY + i64::from(local.num_seconds_from_midnight());
    let left = spans.iter().flat_map(|span| {
        span.weekdays.iter().filter_map(move |day| {
            let begin = i64::from(*day) * DAY + i64::from(span.from_minute) * 60;
            let left = i64::from(length(span)) * 60 - (second - begin).rem_euclid(WEEK);
            (left > 0).then_some(left)
        })
    });
    left.max().map(|seconds| TimeDelta::seconds(seconds) - TimeDelta::nanoseconds(local.nanosecond().into()))
}

/// The minutes of a span.
fn length(span: &QuietSpan) -> u16 {
    match span.to_minute.checked_sub(span.from_minute) {
        Some(minutes) if minutes > 0 => minutes,
        _ => 1440 - span.from_minute + span.to_minute,
    }
}

/// Whether some time of each week is left in which messages are sent.
#[must_use]
pub fn leaves_time(spans: &[QuietSpan]) -> bool {
    let mut quiet = vec![false; 10_080];
    for span in spans {
        for day in &span.weekdays {
            let begin = usize::from(*day) * 1440 + usize::from(span.from_minute);
            for minute in begin..begin + usize::from(length(span)) {
                if let Some(place) = quiet.get_mut(minute % 10_080) {
                    *place = true;
                }
            }
        }
    }
    quiet.iter().filter(|is_quiet| **is_quiet).count() <= MOST
}

/// The minute of the day of a time such as 07:30; 24:00 is the end of the day.
///
/// # Errors
/// A reason for the caller.
pub fn parse_minute(text: &str) -> Result<u16, String> {
    let wrong = || "must be a time of the day such as 07:30, of at most 24:00".to_owned();
    let digits =
        |part: &str| (part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse().ok());
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    let (hour, minute): (u16, u16) = digits(hour).flatten().zip(digits(minute).flatten()).ok_or_else(wrong)?;
    let of_day = hour * 60 + minute;
    if minute < 60 && of_day <= 1440 { Ok(of_day) } else { Err(wrong()) }
}

/// A minute of the day as a time.
#[must_use]
pub fn minute_text(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

#[cfg(test)]
#[path = "quiet_tests.rs"]
mod tests;
