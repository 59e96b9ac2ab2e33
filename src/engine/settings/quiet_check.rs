//! Checks the quiet hours that somebody wants. The names of fields are those of the API.

use entity::alert_receiver::{QuietHours, QuietSpan};
use entity::alert_rule::Severity;

use crate::engine::alert::{leaves_time, parse_minute};
use crate::engine::cron::parse_timezone;
use crate::engine::faults::Faults;
use crate::error::{Error, Result};

/// The most spans of a receiver.
const SPANS: usize = 20;
/// The minute at which a day is over.
const DAY: u16 = 1440;

/// Times of each week in which messages wait, as they are asked for.
pub struct WantedQuietHours {
    pub time_zone: String,
    pub spans: Vec<WantedQuietSpan>,
    pub except_severities: Vec<Severity>,
}

/// A span, which begins on some days of the week.
pub struct WantedQuietSpan {
    /// 0 is Monday.
    pub weekdays: Vec<u8>,
    /// `HH:MM`, as is the other one.
    pub from: String,
    pub to: String,
}

/// The quiet hours as they are stored; none without a span.
///
/// # Errors
/// `Invalid` with all faults.
pub fn checked_quiet_hours(wanted: WantedQuietHours) -> Result<Option<QuietHours>> {
    const FIELD: &str = "quiet_hours.spans";
    let WantedQuietHours { time_zone, spans, except_severities } = wanted;
    if spans.is_empty() {
        return Ok(None);
    }
    let mut faults = Faults::default();
    if spans.len() > SPANS {
        faults.refuse(FIELD, format!("must have at most {SPANS} items"));
    }
    let zone = parse_timezone(&time_zone).map_err(|error| Error::invalid("quiet_hours.time_zone", error.0));
    let time_zone = faults.note(zone.map(|zone| zone.name().to_owned()));
    let spans: Vec<QuietSpan> = spans.into_iter().map(|span| checked_span(span, &mut faults)).collect();
    if !leaves_time(&spans) {
        faults.refuse(FIELD, "must leave at least an hour of each week in which messages are sent");
    }
    faults.result()?;
    Ok(Some(QuietHours { time_zone, spans, except_severities }))
}

fn checked_span(wanted: WantedQuietSpan, faults: &mut Faults) -> QuietSpan {
    let WantedQuietSpan { mut weekdays, from, to } = wanted;
    let time = |field: &str, text: &str| -> Result<u16> {
        parse_minute(text).map_err(|reason| Error::invalid(format!("quiet_hours.spans.{field}"), reason))
    };
    if weekdays.is_empty() {
        faults.refuse("quiet_hours.spans.weekdays", "must have at least 1 item");
    }
    weekdays.sort_unstable();
    weekdays.dedup();
    let from_minute = faults.note(time("from", &from));
    // A span cannot begin when the day is over.
    if from_minute == DAY {
        faults.refuse("quiet_hours.spans.from", "must be before 24:00");
    }
    QuietSpan { weekdays, from_minute: from_minute % DAY, to_minute: faults.note(time("to", &to)) }
}
