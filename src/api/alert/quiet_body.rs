//! Quiet hours in bodies.

use entity::alert_receiver::{QuietHours, QuietSpan};
use poem_openapi::Object;
use serde::{Deserialize, Serialize};

use super::rule_body::AlertSeverity;
use crate::api::environment::deployment_rule::WeekdayEnum;
use crate::engine::alert::minute_text;
use crate::engine::settings::quiet_check::{WantedQuietHours, WantedQuietSpan, checked_quiet_hours};
use crate::error::Result;

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
        let Self { time_zone, spans, except_severities } = self;
        let spans = spans.into_iter().map(|AlertQuietSpan { weekdays, from, to }| {
            let is_named = |day: &WeekdayEnum| weekdays.contains(day);
            let numbers = WEEKDAYS.iter().zip(0_u8..).filter(|(day, _)| is_named(day)).map(|(_, number)| number);
            WantedQuietSpan { weekdays: numbers.collect(), from, to }
        });
        checked_quiet_hours(WantedQuietHours {
            time_zone,
            spans: spans.collect(),
            except_severities: except_severities.into_iter().map(Into::into).collect(),
        })
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
