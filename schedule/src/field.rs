//! Pure: one field of a cron expression.

use super::error::ParseError;

/// A parsed field: the matching values as bits, and the form in which it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) bits: u64,
    /// `*` or `?`, without a step above 1.
    pub(super) star: bool,
    /// `*`, `?` or a step: the schedule follows elapsed time.
    pub(super) interval: bool,
}

pub(super) struct Bounds {
    pub(super) name: &'static str,
    pub(super) low: u32,
    high: u32,
    names: &'static [&'static str],
}

pub(super) const MINUTE: Bounds = Bounds { name: "minute", low: 0, high: 59, names: &[] };
pub(super) const HOUR: Bounds = Bounds { name: "hour", low: 0, high: 23, names: &[] };
pub(super) const DAY: Bounds = Bounds { name: "day of month", low: 1, high: 31, names: &[] };
pub(super) const MONTH: Bounds = Bounds {
    name: "month",
    low: 1,
    high: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
pub(super) const WEEKDAY: Bounds =
    Bounds { name: "day of week", low: 0, high: 7, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

impl Bounds {
    /// A number or a name.
    pub(super) fn value(&self, text: &str, part: &str) -> Result<u32, ParseError> {
        parse_value(text, self, part)
    }

    /// An error about a part of the field.
    pub(super) fn refuse(&self, part: &str, why: &str) -> ParseError {
        ParseError(format!("{} {part:?}: {why}", self.name))
    }

    /// How many values there are; 0 and 7 are the same weekday.
    pub(super) fn span(&self) -> u32 {
        if self.high == WEEKDAY.high { WEEKDAY.high } else { self.high - self.low + 1 }
    }

    /// The values that a hash may select.
    pub(super) fn hashed(&self, last_day: u32) -> (u32, u32) {
        let high = if self.high == DAY.high { last_day } else { self.low + self.span() - 1 };
        (self.low, high)
    }
}

impl Field {
    pub(super) fn has(self, value: u32) -> bool {
        value < u64::BITS && self.bits >> value & 1 == 1
    }

    pub(super) fn first_from(self, value: u32) -> Option<u32> {
        let rest = self.bits.checked_shr(value)?;
        (rest != 0).then(|| value + rest.trailing_zeros())
    }
}

pub(super) fn parse_field(text: &str, bounds: &Bounds) -> Result<Field, ParseError> {
    let mut field = Field { bits: 0, star: false, interval: false };
    for part in text.split(',') {
        let part = parse_part(part, bounds)?;
        field.bits |= part.bits;
        field.star |= part.star;
        field.interval |= part.interval;
    }
    Ok(field)
}

fn parse_part(text: &str, bounds: &Bounds) -> Result<Field, ParseError> {
    let refuse = |why: &str| bounds.refuse(text, why);
    let (range, step) = match text.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (text, None),
    };
    let step_width = match step {
        Some(step) => step.parse().ok().filter(|n| *n > 0).ok_or_else(|| refuse("a step must be a number above 0"))?,
        None => 1_u32,
    };
    let everything = range == "*" || range == "?";
    let (low, high) = if everything {
        (bounds.low, if bounds.high == 7 { 6 } else { bounds.high })
    } else if let Some((low, high)) = range.split_once('-') {
        (parse_value(low, bounds, text)?, parse_value(high, bounds, text)?)
    } else {
        let value = parse_value(range, bounds, text)?;
        (
            value,
            if step.is_some() {
                bounds.high.min(if bounds.high == 7 { 6.max(value) } else { bounds.high })
            } else {
                value
            },
        )
    };
    if low > high {
        return Err(refuse("the range ends before it starts"));
    }
    let mut bits = 0;
    let mut value = low;
    while value <= high {
        bits |= 1 << value;
        value = value.saturating_add(step_width);
    }
    Ok(Field { bits, star: everything && step_width == 1, interval: everything || step.is_some() })
}

fn parse_value(text: &str, bounds: &Bounds, part: &str) -> Result<u32, ParseError> {
    let lower = text.to_ascii_lowercase();
    let named = bounds.names.iter().zip(bounds.low..).find(|(name, _)| **name == lower);
    let number = match named {
        Some((_, value)) => Some(value),
        None if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
        None => None,
    };
    let Some(value) = number else {
        return Err(ParseError(format!("{} {part:?}: {text:?} is neither a number nor a name", bounds.name)));
    };
    if (bounds.low..=bounds.high).contains(&value) {
        Ok(value)
    } else {
        Err(ParseError(format!("{} {part:?}: {value} is not between {} and {}", bounds.name, bounds.low, bounds.high)))
    }
}

/// Turns 7 into 0: both are Sunday.
pub(super) fn fold_sunday(field: Field) -> Field {
    let sunday = field.bits >> 7 & 1;
    Field { bits: (field.bits | sunday) & 0x7f, ..field }
}
