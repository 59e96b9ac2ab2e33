//! Quiet hours in bodies.

use entity::alert_receiver::{QuietHours, QuietSpan};
use poem_openapi::Object;
use serde::{Deserialize, Serialize};

use super::rule_body::AlertSeverity;
use crate::api::environment::deployment_rule::WeekdayEnum;
use crate::engine::alert::{leaves_time, minute_text, parse_minute};
use crate::engine::cron::parse_timezone;
use crate::engine::faults::Faults;
use crate::error::{Error, Result};

/// The most spans of a receiver.
const SPANS: usize = 20;

/// Times of each week in which messages wait.
#[derive(Clone, Debug, Serialize, Deserialize, Object)]
pub(super) struct AlertQuietHours {
    time_zone: String,
    spans: Vec<AlertQuietSpan>,
    #[serde(default)]
    #[oai(default)]
    except_severities: Vec<AlertSeverity>,
}

#[derive(Clone, Debug, Serialize, Deserialize, Object)]
struct AlertQuietSpan {
    weekdays: Vec<WeekdayEnum>,
    from: String,
    to: String,
}

const WEEKDAYS: [WeekdayEnum; 7] = [
    WeekdayEnum::Monday,
    WeekdayEnum::Tuesday,
    WeekdayEnum::Wednesday,
    WeekdayEnum::Thursday,
    WeekdayEnum::Friday,
    WeekdayEnum::Saturday,
    WeekdayEnum::Sunday,
];

impl AlertQuietHours {
    /// The quiet hours as they are stored; none without a span.
    pub(super) fn read(self) -> Result<Option<QuietHours>> {
        let mut faults = Faults::default();
        let read = self.checked(&mut faults);
        faults.result().map(|()| read)
    }

    fn checked(self, faults: &mut Faults) -> Option<QuietHours> {
        const FIELD: &str = "quiet_hours.spans";
        let Self { time_zone, spans, except_severities } = self;
        if spans.is_empty() {
            return None;
        }
        if spans.len() > SPANS {
            faults.refuse(FIELD, format!("must have at most {SPANS} items"));
        }
        let zone = parse_timezone(&time_zone).map_err(|error| Error::invalid("quiet_hours.time_zone", error.0));
        let time_zone = faults.note(zone.map(|zone| zone.name().to_owned()));
        let spans: Vec<QuietSpan> = spans.into_iter().map(|span| span.checked(faults)).collect();
        if !leaves_time(&spans) {
            faults.refuse(FIELD, "must leave at least an hour of each week in which messages are sent");
        }
        let except_severities = except_severities.into_iter().map(Into::into).collect();
        Some(QuietHours { time_zone, spans, except_severities })
    }
}

impl AlertQuietSpan {
    fn checked(self, faults: &mut Faults) -> QuietSpan {
        let Self { weekdays, from, to } = self;
        let time = |field: &str, text: &str| -> Result<u16> {
            parse_minute(text).map_err(|reason| Error::invalid(format!("quiet_hours.spans.{field}"), reason))
        };
        if weekdays.is_empty() {
            faults.refuse("quiet_hours.spans.weekdays", "must have at least 1 item");
        }
        let is_named = |day: &WeekdayEnum| weekdays.contains(day);
        let numbers = WEEKDAYS.iter().zip(0_u8..).filter(|(day, _)| is_named(day)).map(|(_, number)| number);
        let from_minute = faults.note(time("from", &from));
        // A span cannot begin when the day is over.
        if from_minute == 1440 {
            faults.refuse("quiet_hours.spans.from", "must be before 24:00");
        }
        QuietSpan {
            weekdays: numbers.collect(),
            from_minute: from_minute % 1440,
            to_minute: faults.note(time("to", &to)),
        }
    }
}

impl From<QuietHours> for AlertQuietHours {
    fn from(stored: QuietHours) -> Self {
        let QuietHours { time_zone, spans, except_severities } = stored;
        let span = |QuietSpan { weekdays, from_minute, to_minute }| AlertQuietSpan {
            weekdays: weekdays.iter().filter_map(|day| WEEKDAYS.get(usize::from(*day)).copied()).collect(),
            from: minute_text(from_minute),
            to: minute_text(to_minute),
        };
        Self {
            time_zone,
            spans: spans.into_iter().map(span).collect(),
            except_severities: except_severities.into_iter().map(Into::into).collect(),
        }
    }
}
