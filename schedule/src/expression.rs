//! Pure: cron expressions in the dialect of Kubernetes.
//!
//! Five fields (minute, hour, day of month, month, day of week) with `*`, `?`, numbers, names, ranges, lists
//! and steps, or a macro. 0 and 7 are Sunday. If both day fields are restricted, a day matches if either field
//! matches; `*/n` with n above 1 counts as a restriction (the rules of robfig/cron, which Kubernetes uses).

use super::error::ParseError;
use super::field::{DAY, Field, HOUR, MINUTE, MONTH, WEEKDAY, fold_sunday, parse_field};

/// A parsed expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CronExpression {
    pub(super) minutes: Field,
    pub(super) hours: Field,
    pub(super) days: Field,
    pub(super) months: Field,
    pub(super) weekdays: Field,
}

impl std::str::FromStr for CronExpression {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let expression = match text.trim() {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            other if other.starts_with("@every") => {
                return Err(ParseError("@every is not supported; use a step such as */5 * * * *".into()));
            }
            other if other.starts_with('@') => {
                return Err(ParseError(format!(
                    "unknown macro {other:?}; must be one of @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually"
                )));
            }
            other => other,
        };
        let fields: Vec<&str> = expression.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields.as_slice() else {
            return Err(ParseError(format!(
                "expected five fields (minute hour day month weekday), found {}",
                fields.len()
            )));
        };
        Ok(Self {
            minutes: parse_field(minutes, &MINUTE)?,
            hours: parse_field(hours, &HOUR)?,
            days: parse_field(days, &DAY)?,
            months: parse_field(months, &MONTH)?,
            weekdays: fold_sunday(parse_field(weekdays, &WEEKDAY)?),
        })
    }
}

impl CronExpression {
    /// Whether any calendar day matches. An expression such as `0 0 31 2 *` stands for a job that is only started manually.
    #[must_use]
    pub fn can_fire(&self) -> bool {
        if !self.weekdays.star {
            return true;
        }
        let first_day = self.days.bits.trailing_zeros();
        (1..=12).any(|month| self.months.has(month) && first_day <= longest(month))
    }
}

/// The most days that a month can have.
fn longest(month: u32) -> u32 {
    match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
#[path = "expression_tests.rs"]
mod tests;
