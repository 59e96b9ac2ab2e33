//! Pure: the next wall-clock minute that an expression matches, regardless of the time zone.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};

use super::expression::CronExpression;
use super::field::Field;

/// The longest gap between two times: 29 February across a century year that is not a leap year, plus a margin.
const MAX_MONTHS_AHEAD: usize = 12 * 9;

/// What matches wall-clock times.
pub(super) trait WallPattern {
    /// The first matching minute after `after`.
    fn next_wall(&self, after: NaiveDateTime) -> Option<NaiveDateTime>;

    /// Whether the hours are `*` or a step, so that the schedule follows elapsed time.
    fn steps_hours(&self) -> bool;

    /// Whether the minutes are.
    fn steps_minutes(&self) -> bool;
}

impl WallPattern for CronExpression {
    fn next_wall(&self, after: NaiveDateTime) -> Option<NaiveDateTime> {
        if !self.can_fire() {
            return None;
        }
        let from = minute_after(after)?;
        if self.matches_day(from.date())
            && let Some(time) = time_from(self.hours, self.minutes, from.time())
        {
            return Some(from.date().and_time(time));
        }
        let mut day = from.date().checked_add_days(Days::new(1))?;
        for _ in 0..MAX_MONTHS_AHEAD {
            let month = (day.year(), day.month());
            while (day.year(), day.month()) == month {
                if !self.months.has(day.month()) {
                    break;
                }
                if self.matches_day(day) {
                    return Some(day.and_time(time_from(self.hours, self.minutes, NaiveTime::MIN)?));
                }
                day = day.checked_add_days(Days::new(1))?;
            }
            if (day.year(), day.month()) == month {
                day = first_of_next_month(day)?;
            }
        }
        None
    }

    fn steps_hours(&self) -> bool {
        self.hours.interval
    }

    fn steps_minutes(&self) -> bool {
        self.minutes.interval
    }
}

impl CronExpression {
    fn matches_day(&self, date: NaiveDate) -> bool {
        let day = self.days.has(date.day());
        let weekday = self.weekdays.has(date.weekday().num_days_from_sunday());
        self.months.has(date.month())
            && if self.days.star || self.weekdays.star { day && weekday } else { day || weekday }
    }
}

/// The first matching time of day at or after `from`.
pub(super) fn time_from(hours: Field, minutes: Field, from: NaiveTime) -> Option<NaiveTime> {
    if hours.has(from.hour())
        && let Some(minute) = minutes.first_from(from.minute())
    {
        return NaiveTime::from_hms_opt(from.hour(), minute, 0);
    }
    let hour = hours.first_from(from.hour() + 1)?;
    NaiveTime::from_hms_opt(hour, minutes.first_from(0)?, 0)
}

/// The minute after the one that contains `time`.
pub(super) fn minute_after(time: NaiveDateTime) -> Option<NaiveDateTime> {
    minute_of(time)?.checked_add_signed(TimeDelta::minutes(1))
}

pub(super) fn minute_of(time: NaiveDateTime) -> Option<NaiveDateTime> {
    time.with_second(0)?.with_nanosecond(0)
}

fn first_of_next_month(day: NaiveDate) -> Option<NaiveDate> {
    let (year, month) = if day.month() == 12 { (day.year() + 1, 1) } else { (day.year(), day.month() + 1) };
    NaiveDate::from_ymd_opt(year, month, 1)
}
