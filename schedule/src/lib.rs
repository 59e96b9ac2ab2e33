//! Cron schedules: expressions and their words, and when they are due in a time zone. Everything is pure except
//! `time_zone`, which reads the rules of zones from files.

pub mod time_zone;

mod clock_change;
mod error;
mod expression;
mod field;
mod gap;
mod kubernetes;
mod next_time;
mod quartz;
mod quartz_days;
mod quartz_field;
mod quartz_words;
mod quartz_years;
mod rich;
mod rich_field;
mod rich_words;
mod schedule;
mod spacing;
mod wall_clock;
mod word_days;
mod words;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod oracle_tests;
#[cfg(test)]
mod reader_tests;

pub use self::clock_change::{ClockChangeRules, GapRule, OverlapRule};
pub use self::error::ParseError;
pub use self::expression::CronExpression;
pub use self::gap::{gap_end, parse_timezone};
pub use self::quartz::{QuartzExpression, WorkspaceCron, from_quartz};
pub use self::rich::DayMatch;
pub use self::rich_field::HashKey;
pub use self::schedule::Schedule;
pub use self::spacing::Spacing;
