//! Pure: the schedule of a job: one expression or several, joined by `|`, in the plain or the richer language.

use std::sync::Arc;

use chrono::{DateTime, TimeZone, Utc};

use super::clock_change::ClockChangeRules;
use super::error::ParseError;
use super::expression::CronExpression;
use super::next_time::next_of;
use super::rich::{DayMatch, RichExpression};
use super::rich_field::HashKey;

/// The most expressions of a schedule.
const MOST: usize = 20;

/// The times at which any of its expressions matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// One or more.
    patterns: Arc<[Pattern]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    Plain(CronExpression),
    Rich(RichExpression),
    /// At each start of what keeps the schedule, which is no time of a calendar.
    AtStart,
}

/// How a schedule is written that has no times, but runs at each start of the server.
const AT_START: &str = "@reboot";

impl Schedule {
    /// Parses one expression or several; `key` selects the values of `H`.
    ///
    /// # Errors
    /// If an expression is invalid.
    pub fn parse(text: &str, day_match: DayMatch, key: HashKey) -> Result<Self, ParseError> {
        let parts: Vec<&str> = text.split('|').collect();
        if parts.len() > MOST {
            return Err(ParseError(format!("at most {MOST} expressions can be joined by |, found {}", parts.len())));
        }
        if parts.len() > 1 && parts.iter().any(|part| part.trim().is_empty()) {
            return Err(ParseError("an expression is missing beside a |".into()));
        }
        if parts.len() > 1 && parts.iter().any(|part| part.trim() == AT_START) {
            return Err(ParseError(format!("{AT_START} cannot be joined with other expressions: make a job for each")));
        }
        let patterns = parts.into_iter().map(|part| Pattern::parse(part, day_match, key));
        Ok(Self { patterns: patterns.collect::<Result<_, _>>()? })
    }

    /// The expression, if it is a single one in the plain language.
    #[must_use]
    pub fn plain(&self) -> Option<&CronExpression> {
        match &*self.patterns {
            [Pattern::Plain(expression)] => Some(expression),
            _ => None,
        }
    }

    /// Whether it has no times, but is due at each start of the server.
    #[must_use]
    pub fn is_at_start(&self) -> bool {
        matches!(&*self.patterns, [Pattern::AtStart])
    }

    /// Whether any calendar day matches, or it is due at each start.
    #[must_use]
    pub fn can_fire(&self) -> bool {
        self.patterns.iter().any(Pattern::can_fire)
    }

    /// The first time after `after`; `None` if the schedule never fires or is due at starts, or beyond the range of the calendar.
    #[must_use]
    pub fn next(&self, after: DateTime<Utc>, zone: &impl TimeZone) -> Option<DateTime<Utc>> {
        self.next_by(after, zone, ClockChangeRules::default())
    }

    /// `next` with rules for clock changes.
    #[must_use]
    pub fn next_by(
        &self,
        after: DateTime<Utc>,
        zone: &impl TimeZone,
        clock_changes: ClockChangeRules,
    ) -> Option<DateTime<Utc>> {
        self.patterns.iter().filter_map(|pattern| pattern.next_by(after, zone, clock_changes)).min()
    }

    /// The schedule in words, such as "every day at 03:00".
    #[must_use]
    pub fn words(&self) -> String {
        let mut found: Vec<String> = Vec::new();
        for pattern in self.patterns.iter().filter(|pattern| pattern.can_fire() || self.patterns.len() == 1) {
            let words = pattern.words();
            if !found.contains(&words) {
                found.push(words);
            }
        }
        if found.is_empty() { "never: no such day exists".into() } else { found.join("; and ") }
    }
}

impl Pattern {
    fn parse(text: &str, day_match: DayMatch, key: HashKey) -> Result<Self, ParseError> {
        if text.trim() == AT_START {
            return Ok(Self::AtStart);
        }
        let plain = text.parse::<CronExpression>();
        match (plain, day_match) {
            (Ok(expression), DayMatch::Or) => Ok(Self::Plain(expression)),
            (Ok(expression), DayMatch::And) if expression.days.star || expression.weekdays.star => {
                Ok(Self::Plain(expression))
            }
            // Macros and the number of fields are the same in both languages.
            (Err(refused), _) if text.trim().starts_with('@') => Err(refused),
            _ => RichExpression::parse(text, day_match, key).map(Self::Rich),
        }
    }

    fn can_fire(&self) -> bool {
        match self {
            Self::Plain(expression) => expression.can_fire(),
            Self::Rich(expression) => expression.can_fire(),
            Self::AtStart => true,
        }
    }

    fn next_by(
        &self,
        after: DateTime<Utc>,
        zone: &impl TimeZone,
        clock_changes: ClockChangeRules,
    ) -> Option<DateTime<Utc>> {
        match self {
            Self::Plain(expression) => next_of(expression, after, zone, clock_changes),
            Self::Rich(expression) => next_of(expression, after, zone, clock_changes),
            Self::AtStart => None,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Plain(expression) => expression.words(),
            Self::Rich(expression) => expression.words(),
            Self::AtStart => "at each start of the server".into(),
        }
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
