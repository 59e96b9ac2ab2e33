//! Pure: Quartz expressions in words.

use super::quartz::QuartzExpression;
use super::quartz_days::{MonthDays, WeekDays, nth_bit};
use super::word_days::{Days, Months, day_name, list, listed, ordinal, ordinals, values};
use super::words::{sentence, times};

/// From this number of years on, a step between them is written instead of a list.
const MANY_YEARS: usize = 4;

impl QuartzExpression {
    /// The schedule in words.
    pub(super) fn words(&self) -> String {
        let of_month = self.days.filter(|days| !days.is_star).map(|days| Days::OfMonth(days.words()));
        let of_week = self.weekdays.filter(|days| !days.is_star).map(|days| days.words());
        let days = of_month.or(of_week).unwrap_or(Days::Every);
        let words = sentence(times(self.minutes, self.hours, self.second), &days, &Months(self.months));
        match self.years {
            Some(years) => format!("{words}, only in {}", years_listed(&years.list())),
            None => words,
        }
    }
}

impl MonthDays {
    pub(super) fn words(&self) -> String {
        let mut found = Vec::new();
        if self.days != 0 {
            found.push(format!("the {}", ordinals(self.days)));
        }
        found.extend(
            values(self.nearest, 1..=31).into_iter().map(|day| format!("the weekday nearest the {}", ordinal(day))),
        );
        found.extend(values(self.from_last, 0..=30).into_iter().map(|distance| match distance {
            0 => "the last day".into(),
            distance => format!("the day {} before the last", days_long(distance)),
        }));
        found.extend(values(self.nearest_from_last, 0..=30).into_iter().map(|distance| match distance {
            0 => "the last weekday".into(),
            distance => format!("the weekday nearest the day {} before the last", days_long(distance)),
        }));
        list(&found)
    }
}

impl WeekDays {
    fn words(&self) -> Days {
        let counted = self.counted();
        // Here, the first bit stands for Sunday and is bit 1.
        if counted.is_empty() { Days::OfWeek(self.every >> 1) } else { Days::OfMonth(list(&counted)) }
    }

    /// The days that are counted within a month.
    pub(super) fn counted(&self) -> Vec<String> {
        let nth = (1..=5).flat_map(|nth| (1..=7).map(move |day| (day, nth)));
        let nth = nth.filter(|(day, nth)| self.nth & nth_bit(*day, *nth) != 0);
        let nth = nth.map(|(day, nth)| format!("the {} {}", ordinal(nth), day_name(day - 1)));
        let last = values(self.last, 1..=7).into_iter().map(|day| format!("the last {}", day_name(day - 1)));
        nth.chain(last).collect()
    }
}

fn days_long(count: u32) -> String {
    if count == 1 { "1 day".into() } else { format!("{count} days") }
}

fn years_listed(years: &[i32]) -> String {
    if let [first, second, .., last] = years
        && years.len() >= MANY_YEARS
        && second - first > 1
        && years.windows(2).all(|pair| matches!(pair, [a, b] if b - a == second - first))
    {
        return format!("every {} years from {first} to {last}", second - first);
    }
    listed(&years.iter().filter_map(|year| u32::try_from(*year).ok()).collect::<Vec<_>>())
}
