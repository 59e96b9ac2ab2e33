//! Helpers of the tests of schedules.

use std::str::FromStr as _;

use chrono::{DateTime, Utc};

use super::expression::CronExpression;

pub(crate) fn schedule(text: &str) -> CronExpression {
    CronExpression::from_str(text).unwrap_or_else(|e| panic!("{text}: {}", e.0))
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// A small seeded generator, so that a failure can be reproduced.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    pub(crate) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + u32::try_from(self.below(u64::from(high - low + 1))).unwrap()
    }

    pub(crate) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let place = usize::try_from(self.below(from.len() as u64)).unwrap();
        from[place]
    }
}
