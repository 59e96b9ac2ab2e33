//! Pure: the day fields of Quartz, with days counted from the end of the month, the nearest weekday, and the n-th weekday.

use chrono::{Datelike as _, NaiveDate};

use super::error::ParseError;
use super::quartz_field::{DAY, WEEKDAY, parse_values};

/// The days of a month, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MonthDays {
    pub(super) is_star: bool,
    /// By their numbers.
    pub(super) days: u64,
    /// By their distance from the last day.
    pub(super) from_last: u64,
    /// The weekday that is nearest to a number.
    pub(super) nearest: u64,
    /// The weekday that is nearest to a distance from the last day.
    pub(super) nearest_from_last: u64,
}

/// The days of a week, as bits; bit 1 is Sunday.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct WeekDays {
    pub(super) is_star: bool,
    pub(super) every: u64,
    /// Only the last ones of a month.
    pub(super) last: u64,
    /// Only the n-th ones of a month: bit 8n + day.
    pub(super) nth: u64,
}

const FORMS_OF_DAY: &str = "must be 1 to 31, L, LW, or a number or L-n (n up to 30) that W may follow";
const FORMS_OF_WEEKDAY: &str = "must be 1 (SUN) to 7 (SAT), which L or #n (n from 1 to 5) may follow";

/// A number of up to two digits.
pub(super) fn number(text: &str) -> Option<u32> {
    let is_number = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

impl MonthDays {
    pub(super) fn parse(text: &str) -> Result<Self, ParseError> {
        let mut found = Self::default();
        let mut plain = Vec::new();
        for part in text.split(',') {
            if !found.add_counted(part)? {
                plain.push(part);
            }
        }
        if !plain.is_empty() {
            let field = parse_values(&plain.join(","), &DAY)?;
            found.days = field.bits;
            found.is_star = field.star;
        }
        Ok(found)
    }

    /// Adds days that are counted from the end of the month, or nearest to a day; false if the part is a plain one.
    pub(super) fn add_counted(&mut self, part: &str) -> Result<bool, ParseError> {
        let refused = || DAY.refuse(part, &format!("a day {FORMS_OF_DAY}"));
        let upper = part.to_ascii_uppercase();
        let (day, is_nearest) = match upper.strip_suffix('W') {
            Some(day) => (day, true),
            None => (upper.as_str(), false),
        };
        if let Some(distance) = day.strip_prefix('L') {
            let distance = match distance {
                "" => 0,
                distance => distance.strip_prefix('-').and_then(number).filter(|n| *n <= 30).ok_or_else(refused)?,
            };
            if is_nearest {
                self.nearest_from_last |= 1 << distance;
            } else {
                self.from_last |= 1 << distance;
            }
        } else if is_nearest {
            let day = number(day).filter(|day| (1..=31).contains(day)).ok_or_else(refused)?;
            self.nearest |= 1 << day;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    pub(super) fn has(&self, date: NaiveDate) -> bool {
        let last = u32::from(date.num_days_in_month());
        let is_nearest = |day: u32| nearest_weekday(date, day, last) == Some(date.day());
        self.days >> date.day() & 1 == 1
            || self.from_last >> (last - date.day()) & 1 == 1
            || bits(self.nearest).any(is_nearest)
            || bits(self.nearest_from_last).any(|distance| last.checked_sub(distance).is_some_and(is_nearest))
    }
}

impl WeekDays {
    pub(super) fn parse(text: &str) -> Result<Self, ParseError> {
        let refused = || WEEKDAY.refuse(text, &format!("a day {FORMS_OF_WEEKDAY}"));
        let upper = text.to_ascii_uppercase();
        if upper == "L" {
            // Without a day, the last day of the week.
            return Ok(Self { every: 1 << 7, ..Self::default() });
        }
        let special = match (upper.strip_suffix('L'), upper.split_once('#')) {
            (Some(day), _) => Some((day, None)),
            (None, Some((day, nth))) => Some((day, Some(nth))),
            (None, None) => None,
        };
        let Some((day, nth)) = special else {
            let field = parse_values(text, &WEEKDAY)?;
            return Ok(Self { every: field.bits, is_star: field.star, ..Self::default() });
        };
        if day.contains([',', '-', '/', '#']) || upper.contains(',') {
            return Err(WEEKDAY.refuse(text, "L and # stand alone, after one day, and not in lists or ranges"));
        }
        let day = WEEKDAY.value(day, text).map_err(|_| refused())?;
        match nth {
            None => Ok(Self { last: 1 << day, ..Self::default() }),
            Some(nth) => {
                let nth = number(nth).filter(|nth| (1..=5).contains(nth)).ok_or_else(refused)?;
                Ok(Self { nth: nth_bit(day, nth), ..Self::default() })
            }
        }
    }

    pub(super) fn has(&self, date: NaiveDate) -> bool {
        let day = date.weekday().number_from_sunday();
        let is_last = date.day() + 7 > u32::from(date.num_days_in_month());
        self.every >> day & 1 == 1
            || self.last >> day & 1 == 1 && is_last
            || self.nth & nth_bit(day, (date.day() - 1) / 7 + 1) != 0
    }
}

/// The bit of the n-th day with a name.
pub(super) fn nth_bit(day: u32, nth: u32) -> u64 {
    1 << (8 * nth + day)
}

fn bits(of: u64) -> impl Iterator<Item = u32> {
    (0..u64::BITS).filter(move |bit| of >> bit & 1 == 1)
}

/// The weekday in the month of a date that is nearest to a day; none if the month has no such day.
fn nearest_weekday(date: NaiveDate, day: u32, last: u32) -> Option<u32> {
    let weekday = date.with_day(day)?.weekday().number_from_monday();
    Some(match weekday {
        6 if day == 1 => 3,
        6 => day - 1,
        7 if day == last => day - 2,
        7 => day + 1,
        _ => day,
    })
}
