//! Pure: what a calendar contains.
//!
//! Days and weekly spans are those of the wall clock, so a Sunday has 23 or 25 hours when the clocks change. A local time that the
//! clocks skip means the end of the gap. Of one that comes twice, a span begins with the first and ends with the second.

use chrono::{DateTime, MappedLocalTime, NaiveDate, NaiveDateTime, SecondsFormat, TimeZone as _, Timelike as _, Utc};
use entity::calendar::{Entries, Occurrences, Span, WeeklySpan};
use windlass_schedule::time_zone::Zone;

use crate::engine::cron::{gap_end, parse_timezone};
use crate::engine::limits;
use crate::input::Refusal;

/// Names of weekdays, from Monday.
const WEEKDAYS: [&str; 7] = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];

/// The end of a day, in minutes.
const DAY: u32 = 24 * 60;

/// The contents of a calendar, to be asked about times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    pub name: String,
    zone: Zone,
    /// In order, with what is said of them.
    days: Vec<(NaiveDate, String)>,
    spans: Vec<KnownSpan>,
    weekly: Vec<KnownWeek>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct KnownSpan {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct KnownWeek {
    /// Days from Monday.
    weekday: usize,
    /// Minutes of the day.
    from: u32,
    to: u32,
    text: String,
}

/// Which end of a span a local time is.
#[derive(Clone, Copy, PartialEq)]
enum End {
    From,
    To,
}

impl Calendar {
    /// Reads the entries of a calendar.
    ///
    /// # Errors
    /// All faults.
    pub fn parse(name: &str, timezone: &str, entries: &Entries) -> Result<Self, Vec<Refusal>> {
        let zone = parse_timezone(timezone).map_err(|error| vec![refusal("timezone", error.0)])?;
        let Entries { days, spans, weekly } = entries;
        let mut faults = Vec::new();
        for (field, count) in [("days", days.len()), ("spans", spans.len()), ("weekly", weekly.len())] {
            if count > limits::ITEMS {
                faults.push(refusal(field, format!("must have at most {} items", limits::ITEMS)));
            }
        }
        let mut known = Self {
            name: name.to_owned(),
            zone,
            days: each(days, &mut faults, |place, text| read_day(place, text)),
            spans: each(spans, &mut faults, |place, span| read_span(place, span, zone)),
            weekly: each(weekly, &mut faults, read_week),
        };
        known.days.sort_unstable();
        if faults.is_empty() { Ok(known) } else { Err(faults) }
    }

    /// Adds what an iCalendar file contains.
    #[must_use]
    pub fn with(mut self, read: &Occurrences) -> Self {
        let Occurrences { days, spans } = read;
        self.days.extend(days.iter().map(|day| (day.day, format!("{} ({})", day.name, day.day))));
        self.days.sort_unstable();
        let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        self.spans.extend(spans.iter().map(|span| {
            let text = format!("{} ({} to {})", span.name, time(span.from), time(span.to));
            KnownSpan { from: span.from, to: span.to, text }
        }));
        self
    }

    /// The entry that contains an instant, in words.
    #[must_use]
    pub fn entry_at(&self, at: DateTime<Utc>) -> Option<String> {
        let local = at.with_timezone(&self.zone).naive_local();
        if let Ok(place) = self.days.binary_search_by_key(&local.date(), |(day, _)| *day) {
            return self.days.get(place).map(|(_, text)| text.clone());
        }
        if let Some(span) = self.spans.iter().find(|span| span.from <= at && at < span.to) {
            return Some(span.text.clone());
        }
        let weekday = weekday_of(local.date());
        let minute = local.hour() * 60 + local.minute();
        let within = |week: &&KnownWeek| week.weekday == weekday && week.from <= minute && minute < week.to;
        self.weekly.iter().find(within).map(|week| week.text.clone())
    }
}

fn refusal(field: impl Into<String>, message: impl Into<String>) -> Refusal {
    Refusal { field: field.into(), message: message.into() }
}

/// Reads entries of one kind, and notes the faults.
fn each<E, K>(entries: &[E], faults: &mut Vec<Refusal>, read: impl Fn(usize, &E) -> Result<K, Refusal>) -> Vec<K> {
    let mut known = Vec::new();
    for (place, entry) in entries.iter().enumerate().take(limits::ITEMS) {
        match read(place, entry) {
            Ok(entry) => known.push(entry),
            Err(fault) => faults.push(fault),
        }
    }
    known
}

fn read_day(place: usize, text: &str) -> Result<(NaiveDate, String), Refusal> {
    let wrong = |_| refusal(format!("days[{place}]"), "must be a date such as 2026-12-25");
    NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|day| (day, day.to_string())).map_err(wrong)
}

fn weekday_of(day: NaiveDate) -> usize {
    use chrono::Datelike as _;
    usize::try_from(day.weekday().num_days_from_monday()).unwrap_or(0)
}

fn read_span(place: usize, span: &Span, zone: Zone) -> Result<KnownSpan, Refusal> {
    let read = |field: &str, text: &str, end| {
        let text_of_time = "must be an instant such as 2026-12-24T18:00:00Z, or a local time such as 2026-12-24T18:00";
        instant(text, zone, end).ok_or_else(|| refusal(format!("spans[{place}].{field}"), text_of_time))
    };
    let (from, to) = (read("from", &span.from, End::From)?, read("to", &span.to, End::To)?);
    if to <= from {
        return Err(refusal(format!("spans[{place}].to"), "must be later than from"));
    }
    Ok(KnownSpan { from, to, text: format!("{} to {}", span.from, span.to) })
}

/// An instant, or a local time in the zone.
fn instant(text: &str, zone: Zone, end: End) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    let formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"];
    let local = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(time) => Some(time.to_utc()),
        MappedLocalTime::Ambiguous(first, second) => Some(if end == End::From { first } else { second }.to_utc()),
        MappedLocalTime::None => gap_end(local, &zone),
    }
}

fn read_week(place: usize, span: &WeeklySpan) -> Result<KnownWeek, Refusal> {
    let field = |name: &str| format!("weekly[{place}].{name}");
    let weekday = WEEKDAYS.iter().position(|name| *name == span.weekday);
    let weekday =
        weekday.ok_or_else(|| refusal(field("weekday"), format!("must be one of {}", WEEKDAYS.join(", "))))?;
    let from = minute_of_day(&span.from).filter(|minute| *minute < DAY);
    let from = from.ok_or_else(|| refusal(field("from"), "must be a time of day such as 09:30"))?;
    let to =
        minute_of_day(&span.to).ok_or_else(|| refusal(field("to"), "must be a time of day such as 17:00, or 24:00"))?;
    if to <= from {
        let text = "must be later than from; a span over midnight is two entries";
        return Err(refusal(field("to"), text));
    }
    Ok(KnownWeek { weekday, from, to, text: format!("{} {} to {}", span.weekday, span.from, span.to) })
}

/// The minute of the day of a text such as `09:30`; up to `24:00`.
fn minute_of_day(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !two_digits(hour) || !two_digits(minute) {
        return None;
    }
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    (minute < 60).then_some(hour * 60 + minute).filter(|minute| *minute <= DAY)
}

#[cfg(test)]
#[path = "contents_tests.rs"]
mod tests;
