//! Pure: calendar specifications of systemd timers (`OnCalendar=`).

use windlass_schedule::time_zone::Zone;
use windlass_schedule::{ClockChangeRules, DayMatch, GapRule, OverlapRule};

use super::clocks::Changes;
use super::days::{ALL_DAYS, ALL_WEEKDAYS, Days, Matching};
use super::reader::{HourForm, Read};
use super::rules::{Gap, Overlap, Rules, USUAL};
use super::translation::{Given, Refusal, Translation};
use super::values::number;
use super::writer::Fields;

const WEEKDAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/// The rules of systemd where the clocks change.
const RULES: Rules = Rules { gap: Gap::Skip, overlap: Overlap::First, ..USUAL };

struct Calendar<'a> {
    dialect: &'a str,
    text: &'a str,
}

/// The schedule of a calendar specification.
pub(crate) fn translate(given: &Given<'_>, text: &str, zone: Zone) -> Result<Translation, Refusal> {
    let calendar = Calendar { dialect: given.dialect, text };
    let expanded = match text.to_ascii_lowercase().as_str() {
        "minutely" => "*-*-* *:*:00".to_owned(),
        "hourly" => "*-*-* *:00:00".to_owned(),
        "daily" => "*-*-* 00:00:00".to_owned(),
        "monthly" => "*-*-01 00:00:00".to_owned(),
        "weekly" => "Mon *-*-* 00:00:00".to_owned(),
        "yearly" | "annually" => "*-01-01 00:00:00".to_owned(),
        "quarterly" => "*-01,04,07,10-01 00:00:00".to_owned(),
        "semiannually" => "*-01,07-01 00:00:00".to_owned(),
        _ => text.to_owned(),
    };
    let mut words: Vec<&str> = expanded.split_whitespace().collect();
    let mut zone = zone;
    if words.len() > 1
        && let Some(named) = words.last().and_then(|last| windlass_schedule::parse_timezone(last).ok())
    {
        zone = named;
        words.pop();
    }
    let read = calendar.read(&words)?;
    let (expression, both) = read.fields.text();
    let mut found = Translation {
        expressions: vec![expression],
        zone: zone.name().to_owned(),
        day_match: if both { DayMatch::And } else { DayMatch::Or },
        clock_changes: ClockChangeRules { gap: None::<GapRule>, overlap: None::<OverlapRule> },
        notes: Vec::new(),
    };
    let refuse = |why: String| Refusal::new(given.dialect, text, why);
    let schedule = found.schedule().map_err(|refused| refuse(refused.0))?;
    found.clock_changes = Changes::of(zone).rules(&refuse, &RULES, &read, &schedule)?;
    found.notes = super::notes::notes(given, &found, &schedule);
    Ok(found)
}

impl Calendar<'_> {
    fn refuse(&self, part: &str, why: &str) -> Refusal {
        let construct = if part.is_empty() { self.text } else { part };
        Refusal::new(self.dialect, construct, why)
    }

    /// Weekdays, a date and a time, each of which may be left out.
    fn read(&self, words: &[&str]) -> Result<Read, Refusal> {
        let mut rest = words.iter().copied().peekable();
        let is_weekdays = |word: &&str| word.starts_with(|letter: char| letter.is_ascii_alphabetic());
        let weekdays = rest.next_if(is_weekdays).map(|word| self.weekdays(word.trim_end_matches(','))).transpose()?;
        let date = rest.next_if(|word| word.contains(['-', '~']));
        let time = rest.next_if(|word| word.contains(':'));
        if let Some(extra) = rest.next() {
            return Err(self.refuse(extra, "it is not a part of a calendar specification that is known"));
        }
        if weekdays.is_none() && date.is_none() && time.is_none() {
            return Err(self.refuse("", "it is empty"));
        }
        let (months, days) = date.map_or(Ok((0x1ffe, all_days())), |date| self.date(date))?;
        let (hours, minutes) = time.map_or(Ok((1, 1)), |time| self.time(time))?;
        let weekdays = Days { values: weekdays.unwrap_or(ALL_WEEKDAYS), counted: Vec::new() };
        let fields = Fields { minutes, hours, months, days: Matching::Both(days, weekdays) };
        Ok(Read { fields, begins_with_star: false, steps: false, hours: HourForm::Fixed, single: false })
    }

    fn weekdays(&self, text: &str) -> Result<u64, Refusal> {
        let day = |name: &str| {
            let lower = name.to_ascii_lowercase();
            let place = WEEKDAYS.iter().position(|day| *day == lower || lower.len() == 3 && day.starts_with(&lower));
            place.ok_or_else(|| self.refuse(name, "it is not a day of the week"))
        };
        let mut bits = 0;
        for part in text.split(',').filter(|part| !part.is_empty()) {
            // Weeks begin on Monday.
            let (low, high) = match part.split_once("..") {
                Some((low, high)) => ((day(low)? + 6) % 7, (day(high)? + 6) % 7),
                None => ((day(part)? + 6) % 7, (day(part)? + 6) % 7),
            };
            if low > high {
                return Err(self.refuse(part, "a range of days that wraps is refused by the program"));
            }
            bits |= (low..=high).fold(0, |bits, day| bits | 1 << ((day + 1) % 7));
        }
        Ok(bits)
    }

    /// Months and days.
    fn date(&self, text: &str) -> Result<(u64, Days), Refusal> {
        let (before, from_end) = match text.split_once('~') {
            Some((before, day)) => (before, Some(day)),
            None => (text, None),
        };
        let parts: Vec<&str> = before.split('-').collect();
        let (year, month, day) = match (parts.as_slice(), from_end) {
            ([year, month, day], None) => (*year, *month, Some(*day)),
            ([month, day], None) => ("*", *month, Some(*day)),
            ([year, month], Some(_)) => (*year, *month, None),
            ([month], Some(_)) => ("*", *month, None),
            _ => return Err(self.refuse(text, "it is not a date of a calendar specification")),
        };
        if year != "*" {
            return Err(self.refuse(year, "schedules have no years"));
        }
        let months = self.values(month, (1, 12))?;
        let days = match (day, from_end) {
            (Some(day), _) => Days { values: self.values(day, (1, 31))?, counted: Vec::new() },
            (None, from_end) => self.before_end(from_end.unwrap_or_default())?,
        };
        Ok((months, days))
    }

    /// Days counted from the end of the month, which is 1.
    fn before_end(&self, text: &str) -> Result<Days, Refusal> {
        let bits = self.values(text, (1, 31))?;
        let distances = (1..=31).filter(|place| bits >> place & 1 == 1).map(|place: u32| place - 1);
        let forms = distances.map(|distance| if distance == 0 { "L".into() } else { format!("L-{distance}") });
        Ok(Days { values: 0, counted: forms.collect() })
    }

    /// Hours and minutes.
    fn time(&self, text: &str) -> Result<(u64, u64), Refusal> {
        let parts: Vec<&str> = text.split(':').collect();
        let (hour, minute) = match parts.as_slice() {
            [hour, minute] => (*hour, *minute),
            [hour, minute, second] if number(second) == Some(0) => (*hour, *minute),
            [_, _, second] => {
                return Err(self.refuse(second, "schedules have a resolution of one minute, at second 0"));
            }
            _ => return Err(self.refuse(text, "it is not a time of a calendar specification")),
        };
        Ok((self.values(hour, (0, 23))?, self.values(minute, (0, 59))?))
    }

    /// Numbers, ranges with two dots, and steps.
    fn values(&self, text: &str, (low, high): (u32, u32)) -> Result<u64, Refusal> {
        let mut bits = 0;
        for part in text.split(',') {
            let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
            let value = |text: &str| {
                let value = number(text).filter(|value| (low..=high).contains(value));
                value.ok_or_else(|| self.refuse(part, &format!("a value must be {low} to {high}")))
            };
            let width = match step {
                None => 1,
                Some(step) => number(step)
                    .filter(|step| *step > 0)
                    .ok_or_else(|| self.refuse(part, "a step must be a number above 0"))?,
            };
            let (from, to) = match range.split_once("..") {
                _ if range == "*" && step.is_none() => (low, high),
                _ if range == "*" => return Err(self.refuse(part, "a step must follow a first value")),
                Some((from, to)) => (value(from)?, value(to)?),
                None => (value(range)?, if step.is_some() { high } else { value(range)? }),
            };
            if from > to {
                return Err(self.refuse(part, "a range that ends before it starts is refused by the program"));
            }
            let width = usize::try_from(width).unwrap_or(usize::MAX);
            bits |= (from..=to).step_by(width).fold(0, |bits, value| bits | 1 << value);
        }
        Ok(bits)
    }
}

fn all_days() -> Days {
    Days { values: ALL_DAYS, counted: Vec::new() }
}
