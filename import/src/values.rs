//! Pure: the values of one field, read by the rules of a dialect.

use super::java_random::JavaRandom;
use super::rules::{EqualEnds, ListedStar, Names, OpenStep, Rules, Week, WideStep, Wrap};
use super::translation::Refusal;

/// What a field is called, and its values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) low: u32,
    pub(crate) high: u32,
    names: &'static [&'static str],
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Time,
    Day,
    Month,
    Weekday,
}

pub(crate) const MINUTE: Field = Field { name: "minute", low: 0, high: 59, names: &[], kind: Kind::Time };
pub(crate) const HOUR: Field = Field { name: "hour", low: 0, high: 23, names: &[], kind: Kind::Time };
pub(crate) const DAY: Field = Field { name: "day of month", low: 1, high: 31, names: &[], kind: Kind::Day };
pub(crate) const MONTH: Field = Field {
    name: "month",
    low: 1,
    high: 12,
    names: &[
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ],
    kind: Kind::Month,
};
/// From Sunday, which is 0 once it is read.
pub(crate) const WEEKDAY: Field = Field {
    name: "day of week",
    low: 0,
    high: 6,
    names: &["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"],
    kind: Kind::Weekday,
};

/// What a field is read with.
pub(crate) struct Reading<'a> {
    pub(crate) dialect: &'a str,
    pub(crate) rules: &'a Rules,
    pub(crate) random: Option<JavaRandom>,
}

impl Reading<'_> {
    pub(crate) fn refuse(&self, construct: &str, why: impl Into<String>) -> Refusal {
        Refusal::new(self.dialect, construct, why)
    }

    /// The values of a list, as bits.
    pub(crate) fn values(&mut self, text: &str, field: Field) -> Result<u64, Refusal> {
        let parts: Vec<&str> = text.split(',').collect();
        let is_day = matches!(field.kind, Kind::Day | Kind::Weekday);
        let mut bits = 0;
        for part in &parts {
            if is_day && parts.len() > 1 && part.starts_with('*') && self.rules.listed_star == ListedStar::Broken {
                return Err(self.refuse(text, "what a star beside other values means here is not known"));
            }
            bits |= self.part(part, field)?;
        }
        Ok(bits)
    }

    fn part(&mut self, part: &str, field: Field) -> Result<u64, Refusal> {
        if part.starts_with('H') && self.rules.macros == super::rules::Macros::Jenkins {
            return self.hashed(part, field);
        }
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let step = step.map(|step| self.step(step, part, field)).transpose()?;
        if range == "*" || range == "?" && self.rules.question {
            return Ok(self.all(field, step.unwrap_or(1)));
        }
        if let Some((low, high)) = range.split_once('-') {
            let ends = (self.value(low, part, field)?, self.value(high, part, field)?);
            return self.range(part, ends, step.unwrap_or(1), field);
        }
        let value = self.value(range, part, field)?;
        match (step, self.rules.open_step) {
            (None, _) | (Some(_), OpenStep::Only) => Ok(1 << value),
            (Some(step), OpenStep::ToEnd) => Ok(stepped(value, self.last(field), step)),
            (Some(_), OpenStep::Refused) => {
                Err(self.refuse(part, "a step after a single value is refused by the program"))
            }
        }
    }

    /// The values of `*` or `*/step`.
    fn all(&self, field: Field, step: u32) -> u64 {
        let low = match field.kind {
            Kind::Day if step > 1 => self.rules.first_day,
            Kind::Weekday => self.first_weekday(),
            _ => field.low,
        };
        let bits = stepped(low, self.last(field), step);
        // Day 0 is no day.
        if field.kind == Kind::Day { bits & !1 } else { bits }
    }

    /// As it is written: 7 is an end of its own.
    fn range(&self, part: &str, (low, high): (u32, u32), step: u32, field: Field) -> Result<u64, Refusal> {
        if low == high && self.rules.equal_ends == EqualEnds::Broken {
            return Err(self.refuse(part, "the program reads a range with equal ends as all values"));
        }
        if low <= high {
            if (low, high) == (0, 7) && field.kind == Kind::Weekday && self.rules.wrap == Wrap::WrapsTimes {
                return Err(self.refuse(part, "the program reads the range as Sunday only"));
            }
            let high = match (self.rules.week, field.kind) {
                (Week::SundayIsLostInRanges, Kind::Weekday) => high.min(6),
                _ => high,
            };
            return Ok(stepped(low, high, step));
        }
        match self.rules.wrap {
            Wrap::Refused => Err(self.refuse(part, "a range that ends before it starts is refused by the program")),
            Wrap::Broken => {
                Err(self.refuse(part, "the program takes a range that ends before it starts, and runs at other times"))
            }
            Wrap::Empty => {
                Err(self.refuse(part, "the program takes a range that ends before it starts, and never runs it"))
            }
            Wrap::WrapsTimes if field.kind == Kind::Day => {
                Err(self.refuse(part, "days of the month that wrap are refused by the program"))
            }
            Wrap::FirstOnly if field.kind == Kind::Time => Ok(1 << low),
            Wrap::FirstOnly => Err(self.refuse(part, "what the program makes of a range that wraps here is not known")),
            Wrap::Wraps | Wrap::WrapsTimes => {
                let span = field.high - field.low + 1;
                let first = if field.kind == Kind::Weekday { self.first_weekday() } else { field.low };
                let length = (high + span - low) % span;
                // Busybox counts day 0, which no month has, between 31 and 1.
                let values = (0..=length).step_by(usize::try_from(step).unwrap_or(usize::MAX));
                if self.rules.first_day == 0 && field.kind == Kind::Day && step > 1 {
                    return Err(self.refuse(part, "steps of a range that wraps count a day 0 here"));
                }
                Ok(values.fold(0, |bits, offset| bits | (1 << ((low - first + offset) % span + first))))
            }
        }
    }

    fn step(&self, step: &str, part: &str, field: Field) -> Result<u32, Refusal> {
        let width = number(step).filter(|width| *width > 0);
        let width = width.ok_or_else(|| self.refuse(part, "a step must be a number above 0"))?;
        if width <= self.widest(field) {
            return Ok(width);
        }
        match self.rules.wide_step {
            WideStep::First => Ok(width),
            WideStep::Refused => Err(self.refuse(
                part,
                "a step that is larger than its field is refused by the program, or it is not known what it means",
            )),
            WideStep::Broken => {
                Err(self.refuse(part, "the program runs a step that is larger than its field at other times"))
            }
        }
    }

    fn widest(&self, field: Field) -> u32 {
        if field.low == 0 { field.high } else { field.high - 1 }
    }

    fn hashed(&mut self, part: &str, field: Field) -> Result<u64, Refusal> {
        let refused = "must be H, H(a-b), H/n or H(a-b)/n";
        let (hash, step) = part.split_once('/').map_or((part, None), |(hash, step)| (hash, Some(step)));
        let (low, high) = match hash.get(1..).unwrap_or_default() {
            "" => (field.low, if field.kind == Kind::Day { 28 } else { field.high }),
            range => {
                let range = range.strip_prefix('(').and_then(|range| range.strip_suffix(')'));
                let (low, high) =
                    range.and_then(|range| range.split_once('-')).ok_or_else(|| self.refuse(part, refused))?;
                (self.value(low, part, field)?, self.value(high, part, field)?)
            }
        };
        if low > high {
            return Err(self.refuse(part, "the range of a hash ends before it starts"));
        }
        let count = high - low + 1;
        let step = step.map(|step| number(step).filter(|step| (1..=count).contains(step)));
        let step = match step {
            Some(None) => return Err(self.refuse(part, format!("a step must be 1 to {count}"))),
            Some(Some(step)) => step,
            None => 1,
        };
        let Some(random) = &mut self.random else {
            return Err(
                self.refuse(part, "Jenkins derives the value from the full name of the job, which is not given")
            );
        };
        // A step of 1 selects one value, like none.
        if step == 1 {
            return Ok(1 << (low + random.below(count)));
        }
        Ok(stepped(low + random.below(step), high, step))
    }

    /// The first weekday as it is written.
    fn first_weekday(&self) -> u32 {
        u32::from(self.rules.week == Week::SundayIsOne)
    }

    /// The last value of a field as it is written.
    fn last(&self, field: Field) -> u32 {
        if field.kind == Kind::Weekday { self.first_weekday() + 6 } else { field.high }
    }

    /// A number or a name, as the dialect counts.
    pub(crate) fn value(&self, text: &str, part: &str, field: Field) -> Result<u32, Refusal> {
        if let Some(value) = self.named(text, field) {
            return Ok(value);
        }
        let Some(value) = number(text) else {
            return Err(self.refuse(part, format!("{text:?} is not a {} of this dialect", field.name)));
        };
        let (low, high) = match (field.kind, self.rules.week) {
            (Kind::Weekday, Week::SundayIsZeroAndSeven | Week::SundayIsLostInRanges) => (0, 7),
            (Kind::Weekday, Week::SundayIsOne) => (1, 7),
            _ => (field.low, field.high),
        };
        if (low..=high).contains(&value) {
            return Ok(value);
        }
        Err(self.refuse(part, format!("{value} is not a {} of this dialect: it must be {low} to {high}", field.name)))
    }

    fn named(&self, text: &str, field: Field) -> Option<u32> {
        let lower = text.to_ascii_lowercase();
        let is_name = |name: &str| match self.rules.names {
            Names::None => false,
            Names::Short => lower.len() == 3 && name.starts_with(&lower),
            Names::Long => lower.len() == 3 && name.starts_with(&lower) || name == lower,
            Names::Prefix => lower.get(..3).is_some_and(|start| name.starts_with(start)),
        };
        let place = field.names.iter().position(|name| is_name(name))?;
        let place = u32::try_from(place).ok()?;
        Some(match (field.kind, self.rules.week) {
            (Kind::Weekday, Week::MondayIsZero) => (place + 6) % 7,
            (Kind::Weekday, Week::SundayIsOne) => place + 1,
            (Kind::Weekday, _) => place,
            _ => place + field.low,
        })
    }

    /// A weekday of the dialect, counted from Sunday.
    pub(crate) fn counted_from_sunday(&self, value: u32) -> u32 {
        match self.rules.week {
            Week::MondayIsZero => (value + 1) % 7,
            Week::SundayIsOne => (value + 6) % 7,
            _ => value % 7,
        }
    }

    /// Weekdays of the dialect as bits, counted from Sunday.
    pub(crate) fn week_from_sunday(&self, bits: u64) -> u64 {
        (0..=7)
            .filter(|value| bits >> value & 1 == 1)
            .fold(0, |found, value| found | 1 << self.counted_from_sunday(value))
    }
}

fn stepped(low: u32, high: u32, step: u32) -> u64 {
    let width = usize::try_from(step).unwrap_or(usize::MAX);
    (low..=high).step_by(width).fold(0, |bits, value| bits | 1 << value)
}

/// A number of up to four digits.
pub(crate) fn number(text: &str) -> Option<u32> {
    let is_number = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}
