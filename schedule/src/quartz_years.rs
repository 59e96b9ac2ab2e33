//! Pure: the years of a Quartz expression.

use super::error::ParseError;

const FIRST: i32 = 1970;
const LAST: i32 = 2199;
/// The words of 64 bits that hold them.
const WORDS: usize = 4;

/// Years from 1970 to 2199, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Years([u64; WORDS]);

impl Years {
    pub(super) fn parse(text: &str) -> Result<Self, ParseError> {
        let mut years = Self([0; WORDS]);
        for part in text.split(',') {
            let refused = |why: &str| ParseError(format!("year {part:?}: {why}"));
            let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
            let year = |text: &str| {
                let number = text.parse().ok().filter(|year| (FIRST..=LAST).contains(year));
                number.ok_or_else(|| refused("a year must be 1970 to 2199"))
            };
            let step_width = step.map_or(Some(1), |step| step.parse::<usize>().ok().filter(|step| *step > 0));
            let step_width = step_width.ok_or_else(|| refused("a step must be a number above 0"))?;
            let (low, high) = match range.split_once('-') {
                Some((low, high)) => (year(low)?, year(high)?),
                None if range == "*" || range.is_empty() && step.is_some() => (FIRST, LAST),
                None => (year(range)?, if step.is_some() { LAST } else { year(range)? }),
            };
            if low > high {
                return Err(refused("a range of years must not end before it begins"));
            }
            for year in (low..=high).step_by(step_width) {
                years.insert(year);
            }
        }
        Ok(years)
    }

    fn insert(&mut self, year: i32) {
        let place = usize::try_from(year - FIRST).unwrap_or_default();
        if let Some(word) = self.0.get_mut(place / 64) {
            *word |= 1 << (place % 64);
        }
    }

    fn has(&self, year: i32) -> bool {
        let place = usize::try_from(year - FIRST).ok();
        place.and_then(|place| Some(self.0.get(place / 64)? >> (place % 64) & 1 == 1)).unwrap_or(false)
    }

    /// All of them, in order.
    pub(super) fn list(&self) -> Vec<i32> {
        (FIRST..=LAST).filter(|year| self.has(*year)).collect()
    }

    /// The first of them from `year` on.
    pub(super) fn first_from(&self, year: i32) -> Option<i32> {
        (year.max(FIRST)..=LAST).find(|year| self.has(*year))
    }
}
