//! Pure: expressions of the richer language in words.

use super::quartz_days::{MonthDays, WeekDays};
use super::rich::{DayMatch, RichExpression};
use super::word_days::{Days, Months, list, one_of};
use super::words::{sentence, times};

/// The bits of all days of a month, and of all days of a week.
const ALL_DAYS: u64 = 0xffff_fffe;
const ALL_WEEKDAYS: u64 = 0xfe;

impl RichExpression {
    /// The schedule in words.
    pub(super) fn words(&self) -> String {
        if !self.can_fire() {
            return "never: no such day exists".into();
        }
        sentence(times(self.minutes, self.hours, 0), &self.days_in_words(), &Months(self.months))
    }

    fn days_in_words(&self) -> Days {
        let (days, weekdays) = (&self.days, &self.weekdays);
        let all_days = days.days & ALL_DAYS == ALL_DAYS;
        let all_weekdays = weekdays.every & ALL_WEEKDAYS == ALL_WEEKDAYS;
        let both = self.day_match == DayMatch::And || days.is_star || weekdays.is_star;
        match (all_days, all_weekdays) {
            (true, true) => Days::Every,
            (true, false) | (false, true) if !both => Days::Every,
            (true, false) => of_week(weekdays),
            (false, true) => Days::OfMonth(days.words()),
            (false, false) if both => Days::Both(days.words(), condition(weekdays)),
            (false, false) => either(days, weekdays),
        }
    }
}

fn of_week(weekdays: &WeekDays) -> Days {
    let counted = weekdays.counted();
    match (counted.is_empty(), weekdays.every) {
        (true, every) => Days::OfWeek(every >> 1),
        (false, 0) => Days::OfMonth(list(&counted)),
        (false, every) => Days::Either(list(&counted), every >> 1),
    }
}

fn either(days: &MonthDays, weekdays: &WeekDays) -> Days {
    let of_month: Vec<String> = std::iter::once(days.words()).chain(weekdays.counted()).collect();
    match weekdays.every {
        0 => Days::OfMonth(list(&of_month)),
        every => Days::Either(list(&of_month), every >> 1),
    }
}

/// "a Monday or the last Friday".
fn condition(weekdays: &WeekDays) -> String {
    let found: Vec<String> = one_of(weekdays.every >> 1).into_iter().chain(weekdays.counted()).collect();
    found.join(" or ")
}
