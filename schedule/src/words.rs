//! Pure: schedules in words.
//!
//! The words follow from what was parsed, not from how it was written, and two expressions with the same words have the same times.
//! "Every" stands for minutes and hours that follow elapsed time (`*` and steps), which fire again in a repeated hour. Times that are
//! listed, or "hourly", do not.

use super::expression::CronExpression;
use super::field::Field;
use super::quartz::WorkspaceCron;
use super::word_days::{Days, Months, every, list, listed, values};

/// The most times of day that are listed one by one.
const LISTED: usize = 6;

/// The times of a day, in words.
pub(super) enum Times {
    /// Single times, such as "09:00 and 17:00".
    Points(String),
    /// A part of the day, such as "every 15 minutes from 09:00 to 17:59".
    Window(String),
    /// The whole day, such as "every 15 minutes".
    Endless(String),
}

impl CronExpression {
    /// The schedule in words, such as "every day at 03:00".
    #[must_use]
    pub fn words(&self) -> String {
        if !self.can_fire() {
            return "never: no such day exists".into();
        }
        sentence(times(self.minutes, self.hours, 0), &Days::of(self), &Months(self.months))
    }
}

impl WorkspaceCron {
    /// The schedule in words, such as "every day at 03:00".
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Ordinary(expression) => expression.words(),
            Self::Quartz(expression) => expression.words(),
        }
    }
}

/// One sentence, without a capital letter and a full stop.
pub(super) fn sentence(times: Times, days: &Days, months: &Months) -> String {
    match (times, days) {
        (Times::Points(at), Days::Every) => format!("every day{} at {at}", months.within()),
        (Times::Points(at), Days::OfWeek(days)) if days.count_ones() == 1 => {
            format!("every {}{} at {at}", every(*days), months.within())
        }
        (Times::Points(at), days) => format!("at {at}{}", days.words(months)),
        (Times::Window(times), Days::Every) => format!("{times} every day{}", months.within()),
        (Times::Endless(times), Days::Every) => format!("{times}{}", months.within()),
        (Times::Window(times) | Times::Endless(times), days) => format!("{times}{}", days.words(months)),
    }
}

/// The times of a day at which minutes and hours match.
pub(super) fn times(minutes: Field, hours: Field, second: u32) -> Times {
    let found = Clock { minutes: values(minutes.bits, 0..=59), hours: values(hours.bits, 0..=23), second };
    let times = if hours.interval {
        found.by_hours()
    } else if minutes.interval {
        Times::Window(found.by_minutes())
    } else {
        found.fixed()
    };
    match times {
        Times::Window(text) if second > 0 => Times::Window(format!("{text}, at second {second},")),
        Times::Endless(text) if second > 0 => Times::Endless(format!("{text}, at second {second}")),
        times => times,
    }
}

/// The matching values of a day, in order.
struct Clock {
    minutes: Vec<u32>,
    hours: Vec<u32>,
    second: u32,
}

impl Clock {
    /// The hours are `*` or a step: they follow elapsed time, and so do the minutes.
    fn by_hours(&self) -> Times {
        let every = self.every_minutes().filter(|(_, first)| *first == 0).map(|(step, _)| minutes_long(step));
        let (minutes, hours) = (self.minutes.as_slice(), self.hours.as_slice());
        if hours.len() == 24 {
            return Times::Endless(match (every, minutes) {
                (Some(every), _) => every,
                (None, [0]) => "every hour".into(),
                (None, minutes) => format!("every hour at {}", numbered("minute", minutes)),
            });
        }
        if let ([minute], [first, second, ..], Some(last)) = (minutes, hours, hours.last()) {
            let step = second - first;
            let is_even = hours.windows(2).all(|pair| matches!(pair, [a, b] if b - a == step));
            let whole = 24 % step == 0 && *first < step && last + step >= 24;
            let (from, to) = (format!("{first:02}:{minute:02}"), format!("{last:02}:{minute:02}"));
            if is_even && whole && step > 1 {
                let start = if (*first, *minute) == (0, 0) { String::new() } else { format!(" from {from}") };
                return Times::Endless(format!("every {step} hours{start}"));
            }
            if is_even {
                let hours = if step == 1 { "hour".into() } else { format!("{step} hours") };
                return Times::Window(format!("every {hours} from {from} to {to}"));
            }
        }
        let minutes = every.unwrap_or_else(|| format!("at {}", numbered("minute", minutes)));
        Times::Window(format!("{minutes} of every hour in {}", listed(hours)))
    }

    /// The minutes are `*` or a step, and the hours are listed.
    fn by_minutes(&self) -> String {
        let (first, last) = (self.hours.first().copied().unwrap_or(0), self.hours.last().copied().unwrap_or(0));
        let is_run = usize::try_from(last - first).is_ok_and(|length| length + 1 == self.hours.len());
        match self.every_minutes() {
            Some((step, start)) if is_run => {
                format!("{} from {first:02}:{start:02} to {last:02}:59", minutes_long(step))
            }
            Some((step, 0)) => format!("{} of {}", minutes_long(step), numbered("the hour", &self.hours)),
            _ => {
                format!("at every minute in {} of {}", listed(&self.minutes), numbered("the hour", &self.hours))
            }
        }
    }

    /// Minutes and hours are listed.
    fn fixed(&self) -> Times {
        if self.minutes.len() * self.hours.len() <= LISTED {
            let time = |hour: u32, minute: u32| match self.second {
                0 => format!("{hour:02}:{minute:02}"),
                second => format!("{hour:02}:{minute:02}:{second:02}"),
            };
            let times = self.hours.iter().flat_map(|hour| self.minutes.iter().map(move |minute| time(*hour, *minute)));
            return Times::Points(list(&times.collect::<Vec<_>>()));
        }
        let (first, last) = (self.hours.first().copied().unwrap_or(0), self.hours.last().copied().unwrap_or(0));
        let is_run = usize::try_from(last - first).is_ok_and(|length| length + 1 == self.hours.len());
        Times::Window(match self.minutes.as_slice() {
            [minute] if is_run => format!("hourly from {first:02}:{minute:02} to {last:02}:{minute:02}"),
            minutes => format!("at {} of {}", numbered("minute", minutes), numbered("the hour", &self.hours)),
        })
    }

    /// The step and the first value of minutes that are evenly spaced across the ends of hours.
    fn every_minutes(&self) -> Option<(u32, u32)> {
        let (first, second) = (self.minutes.first()?, self.minutes.get(1)?);
        let step = second - first;
        let expected: Vec<u32> = (0..60).filter(|minute| minute % step == first % step).collect();
        (60 % step == 0 && expected == self.minutes).then_some((step, *first))
    }
}

fn minutes_long(step: u32) -> String {
    if step == 1 { "every minute".into() } else { format!("every {step} minutes") }
}

/// "minute 5", or "minutes 0, 5 and 10".
fn numbered(what: &str, numbers: &[u32]) -> String {
    format!("{what}{} {}", if numbers.len() == 1 { "" } else { "s" }, listed(numbers))
}

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
