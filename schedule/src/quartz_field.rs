//! Pure: the plain values of a field in the dialect of Quartz: numbers, names, ranges that may wrap, lists and steps.

use super::error::ParseError;
use super::field::Field;

/// The values of a field.
pub(super) struct Range {
    pub(super) name: &'static str,
    pub(super) low: u32,
    pub(super) high: u32,
    /// The names of the values, from the lowest.
    names: &'static [&'static str],
}

pub(super) const SECOND: Range = Range { name: "second", low: 0, high: 59, names: &[] };
pub(super) const MINUTE: Range = Range { name: "minute", low: 0, high: 59, names: &[] };
pub(super) const HOUR: Range = Range { name: "hour", low: 0, high: 23, names: &[] };
pub(super) const DAY: Range = Range { name: "day of month", low: 1, high: 31, names: &[] };
pub(super) const MONTH: Range = Range {
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
};
pub(super) const WEEKDAY: Range = Range {
    name: "day of week",
    low: 1,
    high: 7,
    names: &["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"],
};

impl Range {
    /// An error about a part of the field.
    pub(super) fn refuse(&self, part: &str, why: &str) -> ParseError {
        ParseError(format!("{} {part:?}: {why}", self.name))
    }

    /// What the field allows.
    pub(super) fn allowed(&self) -> String {
        let (low, high) = (self.low, self.high);
        match self.names {
            [first, .., last] => {
                let short = |name: &str| name.chars().take(3).collect::<String>().to_ascii_uppercase();
                format!("must be {low} to {high} or {} to {}", short(first), short(last))
            }
            _ => format!("must be {low} to {high}"),
        }
    }

    /// A number or a name.
    pub(super) fn value(&self, text: &str, part: &str) -> Result<u32, ParseError> {
        if let Some(value) = self.named(text) {
            return Ok(value);
        }
        let number = Some(text).filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
        let number = number.and_then(|text| text.parse().ok());
        let valid = number.filter(|number| (self.low..=self.high).contains(number));
        valid.ok_or_else(|| self.refuse(part, &format!("a value {}", self.allowed())))
    }

    /// The value of a name, in full or by its first three letters.
    fn named(&self, text: &str) -> Option<u32> {
        let text = text.to_ascii_lowercase();
        let is_name = |name: &str| name == text || text.len() == 3 && name.starts_with(&text);
        self.names.iter().zip(self.low..).find(|(name, _)| is_name(name)).map(|(_, value)| value)
    }

    fn everything(&self) -> u64 {
        (self.low..=self.high).fold(0, |bits, value| bits | 1 << value)
    }
}

/// Parses a list of plain values. No part of it is `?`.
pub(super) fn parse_values(text: &str, of: &Range) -> Result<Field, ParseError> {
    let mut field = Field { bits: 0, star: false, interval: false };
    for part in text.split(',') {
        let found = parse_part(part, of)?;
        field.bits |= found.bits;
        field.interval |= found.interval;
    }
    field.star = field.bits == of.everything();
    Ok(field)
}

fn parse_part(part: &str, of: &Range) -> Result<Field, ParseError> {
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (part, None),
    };
    let span = of.high - of.low + 1;
    // Days of the month and what is larger are counted from 1, and so are their steps.
    let most = if of.low == 0 { span } else { of.high }.saturating_sub(1);
    let step_width = match step {
        None => 1,
        Some(text) => {
            let step =
                text.parse::<u32>().ok().filter(|step| text.bytes().all(|byte| byte.is_ascii_digit()) && *step > 0);
            let step = step.filter(|step| *step <= most);
            step.ok_or_else(|| of.refuse(part, &format!("a step must be 1 to {most}")))?
        }
    };
    let ends: Vec<&str> = range.split('-').collect();
    if step.is_some() && ends.iter().any(|end| of.named(end).is_some()) {
        return Err(of.refuse(part, "a step must follow numbers: Quartz ignores one that follows names"));
    }
    let interval = range == "*" || step.is_some();
    let (low, high) = match ends.as_slice() {
        ["*"] => (of.low, of.high),
        [""] if step.is_some() => (of.low, of.high),
        [one] => {
            let value = of.value(one, part)?;
            (value, if step.is_some() { of.high } else { value })
        }
        [low, high] => (of.value(low, part)?, of.value(high, part)?),
        _ => return Err(of.refuse(part, &format!("a value {}", of.allowed()))),
    };
    let length = if low <= high { high - low } else { high + span - low };
    let mut bits = 0;
    let mut offset = 0;
    while offset <= length {
        bits |= 1 << ((low - of.low + offset) % span + of.low);
        offset += step_width;
    }
    Ok(Field { bits, star: false, interval })
}
