//! The fields of a receiver for the times of each week in which its messages wait.

use entity::alert_receiver::{Model, QuietHours, QuietSpan};
use entity::alert_rule::Severity;
use maud::{Markup, html};
use sea_orm::{ActiveEnum as _, Iterable as _};

use super::alert_words::severity_words;
use super::setting_form::{boxes, checked};
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::widgets::Field;
use crate::engine::alert::minute_text;
use crate::engine::settings::quiet_check::{WantedQuietHours, WantedQuietSpan, checked_quiet_hours};
use crate::error::{Error, Result};

const DAYS: [&str; 7] = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];
const SPANS: &str = "quiet_hours.spans";
const EXCEPT: &str = "quiet_hours.except_severities";

/// What is typed into the fields.
pub(super) struct TypedQuiet {
    time_zone: String,
    /// A span per line.
    spans: String,
    except: Vec<String>,
}

impl TypedQuiet {
    pub(super) fn none() -> Self {
        Self { time_zone: "Etc/UTC".into(), spans: String::new(), except: vec![Severity::Critical.to_value()] }
    }

    pub(super) fn of_form(sent: &Form) -> Self {
        Self {
            time_zone: sent.text("quiet_hours.time_zone").trim().to_owned(),
            spans: sent.text(SPANS).to_owned(),
            except: sent.all(EXCEPT).to_vec(),
        }
    }

    pub(super) fn of_row(row: &Model) -> Self {
        let Some(QuietHours { time_zone, spans, except_severities }) = &row.quiet_hours else { return Self::none() };
        Self {
            time_zone: time_zone.clone(),
            spans: spans.iter().map(line).collect::<Vec<_>>().join("\n"),
            except: except_severities.iter().map(Severity::to_value).collect(),
        }
    }

    /// The quiet hours; none without a span.
    pub(super) fn wanted(self) -> Result<Option<QuietHours>> {
        let lines = self.spans.lines().map(str::trim).filter(|line| !line.is_empty());
        let wrong = |line: &str| {
            Error::invalid(SPANS, format!("{line:?} is not written like \"MONDAY, TUESDAY 22:00 to 07:00\""))
        };
        let spans = lines.map(|line| span(line).ok_or_else(|| wrong(line))).collect::<Result<Vec<_>>>()?;
        let except_severities = checked(EXCEPT, &self.except)?;
        checked_quiet_hours(WantedQuietHours { time_zone: self.time_zone, spans, except_severities })
    }

    pub(super) fn fields(&self, problems: &Problems) -> Markup {
        let severities = Severity::iter().map(|severity| {
            let value = severity.to_value();
            let is_checked = self.except.contains(&value);
            (value, severity_words(severity), is_checked)
        });
        html! {
            (Field::text(SPANS, "Quiet hours", &self.spans)
                .hint("Messages wait in them. One span per line, such as MONDAY, TUESDAY 22:00 to 07:00; empty for none").area(problems))
            (Field::text("quiet_hours.time_zone", "Time zone of the quiet hours", &self.time_zone).show(problems))
            (boxes(EXCEPT, "Never wait", severities, problems))
        }
    }
}

fn line(span: &QuietSpan) -> String {
    let days = span.weekdays.iter().filter_map(|day| DAYS.get(usize::from(*day)).copied());
    let days = days.collect::<Vec<_>>().join(", ");
    format!("{days} {} to {}", minute_text(span.from_minute), minute_text(span.to_minute))
}

fn span(line: &str) -> Option<WantedQuietSpan> {
    let (begin, to) = line.split_once(" to ")?;
    let (days, from) = begin.trim().rsplit_once(' ')?;
    let number = |day: &str| {
        let place = DAYS.iter().position(|known| known.eq_ignore_ascii_case(day))?;
        u8::try_from(place).ok()
    };
    let days = days.split([',', ' ']).filter(|day| !day.is_empty());
    let weekdays = days.map(number).collect::<Option<Vec<u8>>>()?;
    Some(WantedQuietSpan { weekdays, from: from.trim().to_owned(), to: to.trim().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(spans: &str) -> TypedQuiet {
        TypedQuiet { spans: spans.into(), ..TypedQuiet::none() }
    }

    #[test]
    fn spans_are_read_as_they_are_written() {
        let text = "MONDAY, SUNDAY 22:00 to 07:00\nSATURDAY 00:00 to 24:00";
        let stored = typed(text).wanted().unwrap().unwrap();
        assert_eq!(stored.spans.iter().map(line).collect::<Vec<_>>().join("\n"), text);
        assert_eq!(typed("friday  22:00 to 23:00").wanted().unwrap().unwrap().spans[0].weekdays, [4]);
        assert!(typed(" \n").wanted().unwrap().is_none());
        for wrong in ["22:00 to 07:00", "MOON 22:00 to 07:00", "MONDAY 22:00-07:00", "MONDAY"] {
            assert!(typed(wrong).wanted().unwrap_err().to_string().contains("is not written like"), "{wrong}");
        }
        assert!(typed("MONDAY 25:00 to 07:00").wanted().unwrap_err().to_string().contains("quiet_hours.spans.from"));
    }
}
