//! Pure: the fields of the richer language: what the plain language has, ranges that wrap, hashed values, and days that are counted.

use super::error::ParseError;
use super::field::{Bounds, Field, fold_sunday, parse_field};
use super::quartz_days::{MonthDays, WeekDays, nth_bit, number};

/// The largest day of the month that a hash selects: every month has it.
const LAST_HASHED_DAY: u32 = 28;

const HASHES: &str = "a hash must be H, H(a-b), H/n or H(a-b)/n";

/// What selects the values of `H`: the same in every field of a job, and on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashKey(u64);

impl HashKey {
    /// The key of bytes such as the id of a job.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        // FNV-1a: the same on every machine and in every version.
        let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self(hash)
    }

    /// A number below `bound`, different for each field.
    fn below(self, bound: u32, field: &str) -> u32 {
        let hash =
            field.bytes().fold(self.0, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        // Without this, the last bytes would not reach the high bits.
        let mixed = (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        u32::try_from(mixed % u64::from(bound.max(1))).unwrap_or(0)
    }
}

/// Minutes, hours or months.
pub(super) fn read_field(text: &str, bounds: &Bounds, key: HashKey) -> Result<Field, ParseError> {
    let mut field = Field { bits: 0, star: false, interval: false };
    for part in text.split(',') {
        add(&mut field, read_part(part, bounds, key)?);
    }
    Ok(field)
}

/// Days of the month.
pub(super) fn read_days(text: &str, bounds: &Bounds, key: HashKey) -> Result<MonthDays, ParseError> {
    let mut found = MonthDays::default();
    for part in text.split(',') {
        if !found.add_counted(part)? {
            let field = read_part(part, bounds, key)?;
            found.days |= field.bits;
            found.is_star |= field.star;
        }
    }
    Ok(found)
}

/// Days of the week.
pub(super) fn read_weekdays(text: &str, bounds: &Bounds, key: HashKey) -> Result<WeekDays, ParseError> {
    let mut found = WeekDays::default();
    let refused = |part: &str| {
        bounds.refuse(part, "a day must be 0 (SUN) to 7 (SUN), which L (the last one of a month) or #n (the n-th one, from 1 to 5) may follow")
    };
    // Bit 1 of these days is Sunday.
    let day = |text: &str, part: &str| bounds.value(text, part).map(|day| day % 7 + 1).map_err(|_| refused(part));
    for part in text.split(',') {
        if let Some((name, nth)) = part.split_once('#') {
            let nth = number(nth).filter(|nth| (1..=5).contains(nth)).ok_or_else(|| refused(part))?;
            found.nth |= nth_bit(day(name, part)?, nth);
        } else if let Some(name) = part.strip_suffix(['L', 'l']) {
            found.last |= 1 << day(name, part)?;
        } else {
            let field = fold_sunday(read_part(part, bounds, key)?);
            found.every |= field.bits << 1;
            found.is_star |= field.star;
        }
    }
    Ok(found)
}

fn add(field: &mut Field, part: Field) {
    field.bits |= part.bits;
    field.star |= part.star;
    field.interval |= part.interval;
}

/// One part of a list: a plain one, a range that wraps, or a hash.
fn read_part(part: &str, bounds: &Bounds, key: HashKey) -> Result<Field, ParseError> {
    let plain = parse_field(part, bounds);
    if plain.is_ok() {
        return plain;
    }
    if part.starts_with(['H', 'h']) {
        return hashed(part, bounds, key);
    }
    wrapped(part, bounds).unwrap_or(plain)
}

/// A range that ends before it starts, with its step; none if the part is something else.
fn wrapped(part: &str, bounds: &Bounds) -> Option<Result<Field, ParseError>> {
    let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
    let (low, high) = range.split_once('-')?;
    let (low, high) = (bounds.value(low, part).ok()?, bounds.value(high, part).ok()?);
    let width = step.map_or(Ok(1), |step| step_width(step, part, bounds));
    Some(width.map(|width| {
        let span = bounds.span();
        // 7 and 0 are the same day.
        let (low, high) = ((low - bounds.low) % span, (high - bounds.low) % span);
        let length = (high + span - low) % span;
        let values = (0..=length).step_by(usize::try_from(width).unwrap_or(usize::MAX));
        let bits = values.fold(0, |bits, offset| bits | 1 << ((low + offset) % span + bounds.low));
        Field { bits, star: false, interval: step.is_some() }
    }))
}

fn step_width(step: &str, part: &str, bounds: &Bounds) -> Result<u32, ParseError> {
    let width = number(step).filter(|width| *width > 0);
    width.ok_or_else(|| bounds.refuse(part, "a step must be a number above 0"))
}

fn hashed(part: &str, bounds: &Bounds, key: HashKey) -> Result<Field, ParseError> {
    let refused = || bounds.refuse(part, HASHES);
    let (hash, step) = part.split_once('/').map_or((part, None), |(hash, step)| (hash, Some(step)));
    let (low, high) = match hash.get(1..).unwrap_or_default() {
        "" => bounds.hashed(LAST_HASHED_DAY),
        range => {
            let range = range.strip_prefix('(').and_then(|range| range.strip_suffix(')')).ok_or_else(refused)?;
            let (low, high) = range.split_once('-').ok_or_else(refused)?;
            (bounds.value(low, part)?, bounds.value(high, part)?)
        }
    };
    if low > high {
        return Err(bounds.refuse(part, "the range of a hash ends before it starts"));
    }
    let count = high - low + 1;
    let Some(step) = step else {
        return Ok(Field { bits: 1 << (low + key.below(count, bounds.name)), star: false, interval: false });
    };
    let width = step_width(step, part, bounds)?;
    if width > count {
        return Err(bounds.refuse(part, &format!("a step must be 1 to {count}, the number of values to select from")));
    }
    let first = low + key.below(width, bounds.name);
    let values = (first..=high).step_by(usize::try_from(width).unwrap_or(usize::MAX));
    Ok(Field { bits: values.fold(0, |bits, value| bits | 1 << value), star: false, interval: true })
}
