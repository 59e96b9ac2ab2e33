//! Pure: an expression of a dialect of cron as fields.

use super::java_random::JavaRandom;
use super::rules::{Layout, Macros, Quirk, Rules, USUAL};
use super::translation::{Given, Refusal};
use super::values::{HOUR, MINUTE, MONTH, Reading, number};
use super::writer::Fields;

/// The fields of an expression, and how its times were written.
pub(crate) struct Read {
    pub(crate) fields: Fields,
    /// Minutes or hours begin with a star.
    pub(crate) begins_with_star: bool,
    /// The minutes, or the hours, are a star or a step.
    pub(crate) steps: bool,
    pub(crate) hours: HourForm,
    /// There is one minute and one hour.
    pub(crate) single: bool,
}

/// How the hours were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HourForm {
    Star,
    Step,
    Fixed,
}

/// Reads one expression. Jenkins draws the numbers of several expressions of a job one after the other.
pub(crate) fn read(
    given: &Given<'_>,
    expression: &str,
    rules: &Rules,
    random: &mut Option<JavaRandom>,
) -> Result<Read, Refusal> {
    let is_macro = expression.starts_with('@');
    let text = super::macros::expanded(given.dialect, expression, rules.macros)?;
    // A macro has the usual fields in every dialect.
    let usual = Rules { quirk: rules.quirk, ..USUAL };
    let rules = if is_macro && rules.macros != Macros::Jenkins { &usual } else { rules };
    let mut reading = Reading { dialect: given.dialect, rules, random: random.take() };
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = five(&reading, expression, &fields)?;
    if rules.quirk == Quirk::MonthsAreShifted && month != "*" {
        return Err(reading.refuse(month, "the program reads a month as the next one"));
    }
    let minutes = reading.values(minute, MINUTE)?;
    let hours = reading.values(hour, HOUR)?;
    // Jenkins draws its numbers in the order of the fields.
    let (months, days);
    if rules.macros == Macros::Jenkins {
        let first = reading.days(day, "*")?;
        months = reading.values(month, MONTH)?;
        let second = reading.days("*", weekday)?;
        days = joined(first, second);
    } else {
        months = reading.values(month, MONTH)?;
        days = reading.days(day, weekday)?;
    }
    reading.check_quirks([day, month, weekday], &days, months)?;
    *random = reading.random;
    Ok(Read {
        fields: Fields { minutes, hours, months, days },
        begins_with_star: minute.starts_with('*') || hour.starts_with('*'),
        steps: [minute, hour].iter().any(|text| text.contains(['*', '/'])),
        hours: match hour {
            "*" => HourForm::Star,
            hour if hour.contains(['*', '/']) => HourForm::Step,
            _ => HourForm::Fixed,
        },
        single: minutes.count_ones() == 1 && hours.count_ones() == 1,
    })
}

fn joined(days: super::days::Matching, weekdays: super::days::Matching) -> super::days::Matching {
    use super::days::Matching;
    let (Matching::Both(days, _) | Matching::Either(days, _)) = days;
    let (Matching::Both(_, weekdays) | Matching::Either(_, weekdays)) = weekdays;
    Matching::Both(days, weekdays)
}

/// Minute, hour, day of month, month and day of week, after checks of the other fields.
fn five<'a>(reading: &Reading<'_>, text: &str, fields: &[&'a str]) -> Result<[&'a str; 5], Refusal> {
    let second_is_zero = |second: &str| {
        if number(second) == Some(0) {
            return Ok(());
        }
        Err(reading
            .refuse(text, format!("the second {second:?}: schedules have a resolution of one minute, at second 0")))
    };
    let any_year = |year: &str| {
        if year == "*" || year == "?" {
            return Ok(());
        }
        Err(reading.refuse(year, "schedules have no years"))
    };
    match (reading.rules.layout, fields) {
        (
            Layout::Five | Layout::FiveOrSecond | Layout::FiveOrYear | Layout::SecondLast,
            [minute, hour, day, month, weekday],
        ) => Ok([minute, hour, day, month, weekday]),
        (
            Layout::FiveOrSecond | Layout::Second | Layout::SecondAndYear,
            [second, minute, hour, day, month, weekday],
        ) => {
            second_is_zero(second)?;
            Ok([minute, hour, day, month, weekday])
        }
        (Layout::SecondAndYear | Layout::FiveOrYear, [second, minute, hour, day, month, weekday, year]) => {
            second_is_zero(second)?;
            any_year(year)?;
            Ok([minute, hour, day, month, weekday])
        }
        (Layout::Year | Layout::FiveOrYear, [minute, hour, day, month, weekday, year]) => {
            any_year(year)?;
            Ok([minute, hour, day, month, weekday])
        }
        (Layout::SecondLast, [minute, hour, day, month, weekday, second]) => {
            second_is_zero(second)?;
            Ok([minute, hour, day, month, weekday])
        }
        _ => Err(reading.refuse(text, format!("{} fields are not an expression of this dialect", fields.len()))),
    }
}
