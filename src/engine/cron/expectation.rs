//! Pure: which pings a check expects, and which of them are missing.

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::JobId;
use entity::job_spec::{JobSpec, Rhythm, Schedule};
use entity::skipped_time::{self, SkipReason};
use windlass_schedule::ParseError;

use super::hold::{Hold, Holds};
use super::timing::Timing;

/// A ping that comes this early counts for the time that it is early for: the clocks of two machines differ.
const EARLY: TimeDelta = TimeDelta::seconds(30);
/// How many missing pings get a row each; older ones share one.
const MOST_ROWS: usize = 100;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Beat {
    Times(Timing),
    Period(TimeDelta),
}

/// What a check expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    job: JobId,
    beat: Beat,
    grace: TimeDelta,
    /// How long a started run may take.
    pub limit: TimeDelta,
}

/// The pings that did not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    pub rows: Vec<skipped_time::Model>,
    /// The next time that is expected.
    pub next: Option<DateTime<Utc>>,
}

impl Expectation {
    /// What a check with this configuration expects; `None` for other jobs.
    ///
    /// # Errors
    /// If the expression or the time zone is invalid.
    pub fn of(job: JobId, spec: &JobSpec) -> Result<Option<Self>, ParseError> {
        let Schedule::Check { rhythm, grace_seconds } = &spec.schedule else { return Ok(None) };
        let beat = match rhythm {
            Rhythm::Cron { .. } => match Timing::of(job, spec)? {
                Some(timing) => Beat::Times(timing),
                None => return Ok(None),
            },
            Rhythm::Period { seconds } => Beat::Period(TimeDelta::seconds((*seconds).max(1).into())),
        };
        let grace = TimeDelta::seconds((*grace_seconds).max(0).into());
        let limit = match spec.max_duration_seconds {
            0 => grace,
            seconds => TimeDelta::seconds(seconds.into()),
        };
        Ok(Some(Self { job, beat, grace, limit }))
    }

    /// The first time that is expected after `now`.
    #[must_use]
    pub fn first(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match &self.beat {
            Beat::Times(timing) => timing.next(now),
            Beat::Period(period) => now.checked_add_signed(*period),
        }
    }

    /// When a ping for `expected` is missing.
    #[must_use]
    pub fn due(&self, expected: DateTime<Utc>) -> Option<DateTime<Utc>> {
        expected.checked_add_signed(self.grace)
    }

    /// The time that a ping at `now` reports about; none if it comes before anything is expected.
    #[must_use]
    pub fn counts_for(expected: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        expected.filter(|expected| *expected - EARLY <= now)
    }

    /// What is expected after a ping at `now`, when `expected` was.
    #[must_use]
    pub fn after_ping(&self, expected: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match &self.beat {
            Beat::Period(period) => now.checked_add_signed(*period),
            Beat::Times(timing) => match Self::counts_for(expected, now) {
                Some(counted) => timing.next(now.max(counted)),
                None => expected.or_else(|| timing.next(now)),
            },
        }
    }

    /// The pings that were expected from `expected` on and are missing at `now`. Times that were held back were not expected.
    #[must_use]
    pub fn missing(&self, expected: DateTime<Utc>, holds: &Holds, now: DateTime<Utc>) -> Missing {
        let until = now.checked_sub_signed(self.grace).unwrap_or(now);
        self.skipped(expected, until, holds, now)
    }

    /// What became of the times from `expected` to `until` without a ping.
    #[must_use]
    pub fn skipped(&self, expected: DateTime<Utc>, until: DateTime<Utc>, holds: &Holds, now: DateTime<Utc>) -> Missing {
        if expected > until {
            return Missing { rows: Vec::new(), next: Some(expected) };
        }
        let mut times = self.times(expected, until);
        if times.is_empty() {
            // The rules of the time zone have changed since the time was planned.
            times.push(expected);
        }
        let next = times.last().and_then(|last| match &self.beat {
            Beat::Times(timing) => timing.next(until.max(*last)),
            Beat::Period(period) => last.checked_add_signed(*period),
        });
        let older = (times.len() > MOST_ROWS).then(|| times.remove(0)).map(|last| (expected.min(last), last));
        let mut spans: Vec<_> = older.into_iter().collect();
        // A time that is no longer part of the schedule gets a row too.
        if older.is_none() && times.first().is_some_and(|first| expected < *first) {
            spans.push((expected, expected));
        }
        spans.extend(times.into_iter().map(|at| (at, at)));
        Missing { rows: spans.into_iter().map(|span| self.row(span, holds, now)).collect(), next }
    }

    /// The newest times in a span, oldest first: one more than get a row each.
    fn times(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        match &self.beat {
            Beat::Times(timing) => timing.newest(from, until, MOST_ROWS + 1),
            Beat::Period(period) => {
                let steps = (until - from).num_seconds() / period.num_seconds().max(1);
                let first = (steps - i64::try_from(MOST_ROWS).unwrap_or(0)).max(0);
                let at = |step: i64| from.checked_add_signed(TimeDelta::seconds(step * period.num_seconds()));
                (first..=steps).filter_map(at).collect()
            }
        }
    }

    fn row(
        &self,
        (first, last): (DateTime<Utc>, DateTime<Utc>),
        holds: &Holds,
        now: DateTime<Utc>,
    ) -> skipped_time::Model {
        let held = if first == last { holds.of(first) } else { None };
        let paused = held.is_some() || holds.paused(first).is_some() && holds.paused(last).is_some();
        skipped_time::Model {
            job_id: self.job,
            scheduled_for: first,
            through: last,
            reason: if paused { SkipReason::Paused } else { SkipReason::NoPing },
            recorded_at: now,
            requested_by: match held {
                Some(Hold::Skip(skip)) => Some(skip.requested_by.clone()),
                Some(Hold::Pause(_) | Hold::Calendar(_)) | None => None,
            },
            detail: None,
        }
    }
}

#[cfg(test)]
#[path = "expectation_tests.rs"]
mod tests;
