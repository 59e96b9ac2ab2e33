//! Pure: expressions in the richer language of schedules that the server keeps.
//!
//! Five fields as in the plain language, and in addition days counted from the end of the month (`L`, `L-3`, `LW`), the weekday nearest
//! to a day (`15W`), the n-th and the last weekday (`1#2`, `5L`), ranges that wrap (`22-2`, `FRI-MON`), and values that a hash selects
//! (`H`, `H(0-29)`, `H/15`). What the plain language accepts means the same here.

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, NaiveTime};

use super::error::ParseError;
use super::field::{DAY, Field, HOUR, MINUTE, MONTH, WEEKDAY};
use super::quartz_days::{MonthDays, WeekDays};
use super::rich_field::{HashKey, read_days, read_field, read_weekdays};
use super::wall_clock::{WallPattern, minute_after, time_from};

/// The longest gap between two years with the same calendar, across a century year that is not a leap year.
const MAX_YEARS_AHEAD: i32 = 41;

/// Which days match if day of month and day of week are both restricted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DayMatch {
    /// Those that either of them matches, as in Kubernetes.
    #[default]
    Or,
    /// Those that both of them match.
    And,
}

/// A parsed expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RichExpression {
    pub(super) minutes: Field,
    pub(super) hours: Field,
    pub(super) days: MonthDays,
    pub(super) months: Field,
    pub(super) weekdays: WeekDays,
    pub(super) day_match: DayMatch,
}

impl RichExpression {
    /// Parses an expression of five fields.
    pub(super) fn parse(text: &str, day_match: DayMatch, key: HashKey) -> Result<Self, ParseError> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields.as_slice() else {
            return Err(ParseError(format!(
                "expected five fields (minute hour day month weekday), found {}",
                fields.len()
            )));
        };
        Ok(Self {
            minutes: read_field(minutes, &MINUTE, key)?,
            hours: read_field(hours, &HOUR, key)?,
            days: read_days(days, &DAY, key)?,
            months: read_field(months, &MONTH, key)?,
            weekdays: read_weekdays(weekdays, &WEEKDAY, key)?,
            day_match,
        })
    }

    /// Whether any calendar day matches.
    pub(super) fn can_fire(&self) -> bool {
        NaiveDate::from_ymd_opt(2000, 1, 1).and_then(|first| self.day_from(first)).is_some()
    }

    fn matches_day(&self, date: NaiveDate) -> bool {
        let (day, weekday) = (self.days.has(date), self.weekdays.has(date));
        let both = self.day_match == DayMatch::And || self.days.is_star || self.weekdays.is_star;
        if both { day && weekday } else { day || weekday }
    }

    /// The first matching day from `from` on.
    fn day_from(&self, from: NaiveDate) -> Option<NaiveDate> {
        for year in from.year()..=from.year().checked_add(MAX_YEARS_AHEAD)? {
            for month in (1..=12).filter(|month| self.months.has(*month)) {
                let days = (1..=31).map_while(|day| NaiveDate::from_ymd_opt(year, month, day));
                if let Some(day) = days.filter(|day| *day >= from).find(|day| self.matches_day(*day)) {
                    return Some(day);
                }
            }
        }
        None
    }
}

impl WallPattern for RichExpression {
    fn next_wall(&self, after: NaiveDateTime) -> Option<NaiveDateTime> {
        let from = minute_after(after)?;
        let mut day = self.day_from(from.date())?;
        if day == from.date() {
            if let Some(time) = time_from(self.hours, self.minutes, from.time()) {
                return Some(day.and_time(time));
            }
            day = self.day_from(day.succ_opt()?)?;
        }
        Some(day.and_time(time_from(self.hours, self.minutes, NaiveTime::MIN)?))
    }

    fn steps_hours(&self) -> bool {
        self.hours.interval
    }

    fn steps_minutes(&self) -> bool {
        self.minutes.interval
    }
}

#[cfg(test)]
#[path = "rich_tests.rs"]
mod tests;
