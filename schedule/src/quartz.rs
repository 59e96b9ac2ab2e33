//! Pure: expressions in the dialect of Quartz: second, minute, hour, day of month, month, day of week, and an optional year.
//!
//! They mean what Quartz 2.5.2 means by them. The second must be one number, because schedules have a resolution of one minute.

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Utc};

use super::clock_change::ClockChangeRules;
use super::error::ParseError;
use super::expression::CronExpression;
use super::field::Field;
use super::next_time::next_of;
use super::quartz_days::{MonthDays, WeekDays};
use super::quartz_field::{HOUR, MINUTE, MONTH, SECOND, parse_values};
use super::quartz_years::Years;
use super::wall_clock::{WallPattern, minute_after, time_from};

/// The longest gap between two years with the same calendar, across a century year that is not a leap year.
const MAX_YEARS_AHEAD: i32 = 41;

/// An expression of a workspace schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkspaceCron {
    /// Five fields.
    Ordinary(CronExpression),
    Quartz(QuartzExpression),
}

/// A parsed expression of Quartz.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuartzExpression {
    pub(super) second: u32,
    pub(super) minutes: Field,
    pub(super) hours: Field,
    /// None for `?`.
    pub(super) days: Option<MonthDays>,
    pub(super) months: Field,
    /// None for `?`.
    pub(super) weekdays: Option<WeekDays>,
    /// None for any.
    pub(super) years: Option<Years>,
}

impl WorkspaceCron {
    /// Whether any day matches. `from_quartz` refuses Quartz expressions without one.
    #[must_use]
    pub fn can_fire(&self) -> bool {
        match self {
            Self::Ordinary(expression) => expression.can_fire(),
            Self::Quartz(_) => true,
        }
    }

    /// The first time after `after`; `None` if there is none.
    #[must_use]
    pub fn next(&self, after: DateTime<Utc>, zone: &impl TimeZone) -> Option<DateTime<Utc>> {
        match self {
            Self::Ordinary(expression) => expression.next(after, zone),
            Self::Quartz(expression) => expression.next(after, zone),
        }
    }
}

/// Parses a Quartz expression. One with five fields is parsed as an ordinary one.
///
/// # Errors
/// If the expression is invalid, or has no time at all.
pub fn from_quartz(text: &str) -> Result<WorkspaceCron, ParseError> {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let (second, minutes, hours, days, months, weekdays, years) = match fields.as_slice() {
        [s, m, h, d, mo, w] => (s, m, h, d, mo, w, None),
        [s, m, h, d, mo, w, y] => (s, m, h, d, mo, w, Some(*y)),
        [_, _, _, _, _] => return text.parse().map(WorkspaceCron::Ordinary),
        [single] if single.starts_with('@') => return text.parse().map(WorkspaceCron::Ordinary),
        _ => {
            return Err(ParseError(format!(
                "expected six or seven fields (second minute hour day-of-month month day-of-week, and an optional year) or five \
                 (without second and year), found {}",
                fields.len()
            )));
        }
    };
    let expression = QuartzExpression {
        second: SECOND.value(second, second).map_err(|_| {
            SECOND.refuse(second, "must be one number from 0 to 59: schedules have a resolution of one minute")
        })?,
        minutes: parse_values(minutes, &MINUTE)?,
        hours: parse_values(hours, &HOUR)?,
        days: if *days == "?" { None } else { Some(MonthDays::parse(days)?) },
        months: parse_values(months, &MONTH)?,
        weekdays: if *weekdays == "?" { None } else { Some(WeekDays::parse(weekdays)?) },
        years: years.filter(|years| *years != "*" && *years != "?").map(Years::parse).transpose()?,
    };
    match (expression.days, expression.weekdays) {
        (None, None) => return Err(ParseError("day of week \"?\": only one of the day fields may be ?".into())),
        (Some(days), Some(weekdays)) if !days.is_star && !weekdays.is_star => {
            let text = "day of week: one of day of month and day of week must be ?, because Quartz cannot combine them";
            return Err(ParseError(text.into()));
        }
        _ => {}
    }
    let beginning = NaiveDate::from_ymd_opt(1969, 12, 31).and_then(|day| day.and_hms_opt(23, 59, 59));
    if beginning.and_then(|beginning| expression.next_wall(beginning)).is_none() {
        return Err(ParseError(format!("{text:?} never fires: no year has such a day")));
    }
    Ok(WorkspaceCron::Quartz(expression))
}

impl QuartzExpression {
    /// The first time after `after`; `None` if there is none.
    fn next(&self, after: DateTime<Utc>, zone: &impl TimeZone) -> Option<DateTime<Utc>> {
        // Clocks change at whole minutes, so that the second can be left out of the search.
        let second = TimeDelta::seconds(self.second.into());
        let minute = next_of(self, after.checked_sub_signed(second)?, zone, ClockChangeRules::default())?;
        minute.checked_add_signed(second)
    }

    fn matches_day(&self, date: NaiveDate) -> bool {
        // At most one of the fields restricts the days.
        self.days.is_none_or(|days| days.has(date)) && self.weekdays.is_none_or(|weekdays| weekdays.has(date))
    }

    /// The first matching day from `from` on.
    fn day_from(&self, from: NaiveDate) -> Option<NaiveDate> {
        let mut year = self.year_from(from.year())?;
        let latest = year.checked_add(MAX_YEARS_AHEAD)?;
        while year <= latest || self.years.is_some() {
            for month in (1..=12).filter(|month| self.months.has(*month)) {
                let days = (1..=31).map_while(|day| NaiveDate::from_ymd_opt(year, month, day));
                if let Some(day) = days.filter(|day| *day >= from).find(|day| self.matches_day(*day)) {
                    return Some(day);
                }
            }
            year = self.year_from(year.checked_add(1)?)?;
        }
        None
    }

    fn year_from(&self, year: i32) -> Option<i32> {
        self.years.map_or(Some(year), |years| years.first_from(year))
    }
}

impl WallPattern for QuartzExpression {
    fn next_wall(&self, after: NaiveDateTime) -> Option<NaiveDateTime> {
        let from = minute_after(after)?;
        let day = self.day_from(from.date())?;
        if day > from.date() {
            return Some(day.and_time(time_from(self.hours, self.minutes, chrono::NaiveTime::MIN)?));
        }
        if let Some(time) = time_from(self.hours, self.minutes, from.time()) {
            return Some(day.and_time(time));
        }
        let day = self.day_from(day.succ_opt()?)?;
        Some(day.and_time(time_from(self.hours, self.minutes, chrono::NaiveTime::MIN)?))
    }

    fn steps_hours(&self) -> bool {
        self.hours.interval
    }

    fn steps_minutes(&self) -> bool {
        self.minutes.interval
    }
}

#[cfg(test)]
#[path = "quartz_tests.rs"]
mod tests;
