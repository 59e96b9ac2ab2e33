//! Pure: what happens at each time at which a deployed CRON job is due.
//!
//! Advanced settings of the job decide. By default only the newest due time runs, and only if the previous run has
//! ended. However long the server was down, a bounded number of times is examined: after a long outage, the older ones
//! are recorded together.

use chrono::{DateTime, TimeDelta, Utc};
use entity::skipped_time::SkipReason;

use super::hold::Holds;
use super::policy::{Concurrency, MAX_SEPARATE_ROWS, MissedRuns, Policy};
use super::timing::Timing;

/// How many runs of one job may be queued.
const MAX_QUEUED_RUNS: usize = 100;

/// How late a time may be handled and still count as on time.
const ON_TIME: TimeDelta = TimeDelta::seconds(60);

/// How many times are examined to say that calendars removed all of them; of more, the shared row says that they were missed.
const MOST_REMOVED: usize = 10_000;

/// What happens at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeDecision {
    Run {
        /// The run waits until older runs of the schedule have ended.
        in_turn: bool,
        /// The older runs are cancelled.
        replaces: bool,
    },
    Skip(SkipReason),
}

/// Whether a server was there when a time came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lateness {
    OnTime,
    CaughtUp,
}

/// The due times of a job, with the decision about each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueTimes {
    /// The first and the last of the times that share a row, and why they are skipped.
    pub older: Option<(DateTime<Utc>, DateTime<Utc>, SkipReason)>,
    /// The newer times, oldest first.
    pub times: Vec<(DateTime<Utc>, TimeDecision)>,
    /// The first time after now; `None` only beyond the range of the calendar.
    pub next: Option<DateTime<Utc>>,
}

impl Timing {
    /// Decides about the times from `planned`, the next planned one, until `now`, while `open` runs of the schedule have
    /// not ended, and some times are held back.
    #[must_use]
    pub fn due(
        &self,
        policy: &Policy,
        holds: &Holds,
        planned: DateTime<Utc>,
        now: DateTime<Utc>,
        open: usize,
    ) -> DueTimes {
        let apart = match policy.missed {
            MissedRuns::All(limit) => MAX_SEPARATE_ROWS.max(limit),
            MissedRuns::None | MissedRuns::Latest => MAX_SEPARATE_ROWS,
        };
        let mut times = self.newest(planned, now, apart + 1);
        if times.is_empty() {
            // The rules of the time zone have changed since the time was planned.
            times.push(planned);
        }
        let older = (times.len() > apart).then(|| times.remove(0)).map(|last| {
            let first = planned.min(last);
            let paused = policy.suspended || holds.paused(first).is_some() && holds.paused(last).is_some();
            let reason = match paused {
                true => SkipReason::Paused,
                false if self.all_removed(holds, first, last) => SkipReason::Calendar,
                false => SkipReason::Missed,
            };
            (first, last, reason)
        });
        // A planned time that is no longer part of the schedule gets a row too.
        if older.is_none() && times.first().is_some_and(|first| planned < *first) {
            times.insert(0, planned);
        }
        // A run of the start before this one may seem to be open until it is known that it ended with its server.
        let lateness = if self.is_at_start() { Some(Lateness::CaughtUp) } else { None };
        DueTimes { older, times: decide(policy, holds, &times, now, (open, lateness)), next: self.next(now) }
    }
}

impl Timing {
    /// Whether calendars remove all times from `first` to `last`, as far as a bounded number of them tells.
    fn all_removed(&self, holds: &Holds, first: DateTime<Utc>, last: DateTime<Utc>) -> bool {
        if holds.calendars.is_empty() {
            return false;
        }
        let times = self.newest(first, last, MOST_REMOVED);
        times.len() < MOST_REMOVED && times.iter().all(|time| holds.calendars.removal(*time).is_some())
    }
}

fn decide(
    policy: &Policy,
    holds: &Holds,
    times: &[DateTime<Utc>],
    now: DateTime<Utc>,
    (open, lateness): (usize, Option<Lateness>),
) -> Vec<(DateTime<Utc>, TimeDecision)> {
    let mut decisions = Vec::with_capacity(times.len());
    let mut admitted = 0;
    let suspended = policy.suspended.then_some(SkipReason::Paused);
    let held = |at: DateTime<Utc>| suspended.or_else(|| holds.of(at).map(|hold| hold.reason()));
    // How many newer times are due and not held back.
    let mut behind = times.iter().filter(|at| held(**at).is_none()).count();
    for at in times {
        if let Some(reason) = held(*at) {
            decisions.push((*at, TimeDecision::Skip(reason)));
            continue;
        }
        behind -= 1;
        let late = now - *at;
        let caught_up = match policy.missed {
            MissedRuns::None => behind == 0 && late <= ON_TIME,
            MissedRuns::Latest => behind == 0,
            MissedRuns::All(limit) => behind < limit,
        };
        let decision = if policy.starting_deadline.is_some_and(|deadline| late > deadline) {
            TimeDecision::Skip(SkipReason::TooLate)
        } else if caught_up {
            let seen = if times.len() > 1 || late > ON_TIME { Lateness::CaughtUp } else { Lateness::OnTime };
            admit(policy.concurrency, open + admitted, behind, lateness.unwrap_or(seen))
        } else {
            TimeDecision::Skip(SkipReason::Missed)
        };
        if matches!(decision, TimeDecision::Run { .. }) {
            admitted += 1;
        }
        decisions.push((*at, decision));
    }
    decisions
}

/// Applies the concurrency policy: `open` runs have not ended, and `behind` newer times are due.
///
/// Nobody knows whether an open run was still running at a time that is caught up on late. Such a time waits until the run has ended.
fn admit(concurrency: Concurrency, open: usize, behind: usize, late: Lateness) -> TimeDecision {
    match concurrency {
        Concurrency::Allow => TimeDecision::Run { in_turn: false, replaces: false },
        Concurrency::Forbid if open == 0 => TimeDecision::Run { in_turn: false, replaces: false },
        Concurrency::Forbid if late == Lateness::CaughtUp => TimeDecision::Run { in_turn: true, replaces: false },
        Concurrency::Replace if behind > 0 => TimeDecision::Skip(SkipReason::Missed),
        Concurrency::Replace => TimeDecision::Run { in_turn: true, replaces: open > 0 },
        Concurrency::Queue if open < MAX_QUEUED_RUNS => TimeDecision::Run { in_turn: true, replaces: false },
        Concurrency::Forbid | Concurrency::Queue => TimeDecision::Skip(SkipReason::Overlap),
    }
}

#[cfg(test)]
#[path = "due_tests.rs"]
mod tests;
