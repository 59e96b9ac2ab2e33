//! Pure: the days of schedules in words.

use std::ops::RangeInclusive;

use super::expression::CronExpression;
use super::field::Field;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The days that match.
pub(super) enum Days {
    Every,
    /// Descriptions of days of a month, such as "the 1st and 15th".
    OfMonth(String),
    /// Days of the week, as bits; bit 0 is Sunday.
    OfWeek(u64),
    /// Days of a month, and in addition days of the week.
    Either(String, u64),
    /// Days of a month, if they are also certain days of the week, such as "a Monday".
    Both(String, String),
}

/// The months that match.
pub(super) struct Months(pub(super) Field);

impl Days {
    /// The days of an ordinary expression.
    pub(super) fn of(expression: &CronExpression) -> Self {
        let (days, weekdays) = (expression.days, expression.weekdays);
        let all_days = (1..=31).all(|day| days.has(day));
        let all_weekdays = (0..=6).all(|day| weekdays.has(day));
        let of_month = format!("the {}", ordinals(days.bits));
        let both = days.star || weekdays.star;
        match (all_days, all_weekdays) {
            (true, true) => Self::Every,
            (true, false) if both => Self::OfWeek(weekdays.bits),
            (false, true) if both => Self::OfMonth(of_month),
            (true, false) | (false, true) => Self::Every,
            (false, false) => Self::Either(of_month, weekdays.bits),
        }
    }

    /// The days as the rest of a sentence.
    pub(super) fn words(&self, months: &Months) -> String {
        match self {
            Self::Every => format!(" every day{}", months.within()),
            Self::OfMonth(days) => format!(" on {days}{}", months.of()),
            Self::OfWeek(days) => format!("{}{}", weekdays(*days), months.within()),
            Self::Either(of_month, of_week) => {
                format!(" on {of_month}{} and on {}{}", months.of(), plural(*of_week), months.within())
            }
            Self::Both(of_month, condition) => format!(" on {of_month}{}, if it is {condition}", months.of()),
        }
    }
}

impl Months {
    fn names(&self) -> Option<String> {
        let found = values(self.0.bits, 1..=12);
        let name = |month: u32| usize::try_from(month - 1).ok().and_then(|place| MONTHS.get(place)).copied();
        (found.len() < 12).then(|| list(&runs(&found, |month| name(month).unwrap_or_default().to_owned())))
    }

    /// " in January", or nothing.
    pub(super) fn within(&self) -> String {
        self.names().map_or_else(String::new, |names| format!(" in {names}"))
    }

    /// " of January", or " of every month".
    pub(super) fn of(&self) -> String {
        self.names().map_or_else(|| " of every month".into(), |names| format!(" of {names}"))
    }
}

/// Weekdays as the rest of a sentence: ", Monday to Friday", or " on Mondays and Thursdays".
fn weekdays(bits: u64) -> String {
    let days = from_monday(bits);
    match (days.first(), days.last()) {
        (Some(first), Some(last)) if days.len() > 2 && usize::try_from(last - first).ok() == Some(days.len() - 1) => {
            format!(", {} to {}", day_name(*first), day_name(*last))
        }
        _ => format!(" on {}", plural(bits)),
    }
}

/// "Mondays and Thursdays".
fn plural(bits: u64) -> String {
    let names = from_monday(bits).into_iter().map(|day| format!("{}s", day_name(day)));
    list(&names.collect::<Vec<_>>())
}

/// "a Monday or a Friday".
pub(super) fn one_of(bits: u64) -> Vec<String> {
    from_monday(bits).into_iter().map(|day| format!("a {}", day_name(day))).collect()
}

/// "Monday".
pub(super) fn every(bits: u64) -> String {
    list(&from_monday(bits).into_iter().map(|day| day_name(day).to_owned()).collect::<Vec<_>>())
}

/// The days of a week that begins with 1, a Monday, and ends with 7.
fn from_monday(bits: u64) -> Vec<u32> {
    (1..=7).filter(|day| bits >> (day % 7) & 1 == 1).collect()
}

pub(super) fn day_name(day: u32) -> &'static str {
    usize::try_from(day % 7).ok().and_then(|place| WEEKDAYS.get(place)).copied().unwrap_or_default()
}

/// "1st, 5th to 9th and 20th".
pub(super) fn ordinals(days: u64) -> String {
    list(&runs(&values(days, 1..=31), ordinal))
}

/// "1st".
pub(super) fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// "0, 5 to 9 and 20".
pub(super) fn listed(numbers: &[u32]) -> String {
    list(&runs(numbers, |number| number.to_string()))
}

/// The numbers of bits, in order.
pub(super) fn values(bits: u64, range: RangeInclusive<u32>) -> Vec<u32> {
    range.filter(|value| bits >> value & 1 == 1).collect()
}

/// Numbers by name; three and more in a row are written as "a to b".
fn runs(numbers: &[u32], name: impl Fn(u32) -> String) -> Vec<String> {
    let mut found = Vec::new();
    for run in numbers.chunk_by(|a, b| a + 1 == *b) {
        match run {
            [first, _, .., last] => found.push(format!("{} to {}", name(*first), name(*last))),
            run => found.extend(run.iter().map(|number| name(*number))),
        }
    }
    found
}

/// "a, b and c".
pub(super) fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
