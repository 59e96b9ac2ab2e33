//! Pure: what is translated, what comes of it, and why something cannot be.

use std::fmt;

use windlass_schedule::{ClockChangeRules, DayMatch, HashKey, ParseError, Schedule};

/// A schedule of another program.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given<'a> {
    /// The program or its library, such as `vixie-cron` or `quartz`.
    pub dialect: &'a str,
    /// Its version, as text.
    pub version: &'a str,
    pub expression: &'a str,
    /// The time zone in which the program reads the expression.
    pub zone: &'a str,
    /// The full name of the job, from which Jenkins derives the values of `H`.
    pub job: Option<&'a str>,
}

/// A schedule with the same times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translation {
    /// One expression or several, which are joined by `|` in a job.
    pub expressions: Vec<String>,
    pub zone: String,
    pub day_match: DayMatch,
    /// Set where the expressions have times that a change of the clocks skips or repeats.
    pub clock_changes: ClockChangeRules,
    /// What a reader should know.
    pub notes: Vec<String>,
}

impl Translation {
    /// The text of `scheduled_at`.
    #[must_use]
    pub fn text(&self) -> String {
        self.expressions.join(" | ")
    }

    /// The times of both; refused if a job cannot have both.
    pub(crate) fn join(mut self, other: Self) -> Result<Self, &'static str> {
        let same_zone = self.zone == other.zone;
        let (mine, others) = (self.clock_changes, other.clock_changes);
        let same_changes = agree(mine.gap, others.gap) && agree(mine.overlap, others.overlap);
        if !same_zone || self.day_match != other.day_match || !same_changes {
            return Err("a job has one time zone, one rule for both days, and one for changes of the clocks");
        }
        self.expressions.extend(other.expressions);
        self.clock_changes.gap = mine.gap.or(others.gap);
        self.clock_changes.overlap = mine.overlap.or(others.overlap);
        self.notes.extend(other.notes);
        Ok(self)
    }

    /// The schedule, to look at its times.
    ///
    /// # Errors
    /// Never for what `translate` returns.
    pub fn schedule(&self) -> Result<Schedule, ParseError> {
        Schedule::parse(&self.text(), self.day_match, HashKey::of(&[]))
    }
}

/// Whether two rules are the same; none fits any, because no time meets it.
fn agree<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    one.is_none() || other.is_none() || one == other
}

/// Why a schedule is not translated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub dialect: String,
    /// The part that cannot be translated, as it is written.
    pub construct: String,
    pub why: String,
}

impl Refusal {
    pub(crate) fn new(dialect: &str, construct: &str, why: impl Into<String>) -> Self {
        Self { dialect: dialect.to_owned(), construct: construct.to_owned(), why: why.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}: {}", self.dialect, self.construct, self.why)
    }
}
