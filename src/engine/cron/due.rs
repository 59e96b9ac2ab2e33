//! Pure: when a deployed CRON job is due, and what becomes of each of its times.
//!
//! The choices are advanced settings of the job; without them only the newest of the times that have come is run, and
//! none while the run before is open. Whatever the gap, a bounded number of times is looked at: the older ones of a
//! long absence are told of together.

use chrono::{DateTime, TimeDelta, Utc};
use entity::skipped_time::SkipReason;

use super::policy::{Concurrency, MAX_SEPARATE_ROWS, MissedRuns, Policy};
use super::timing::Timing;

/// How many runs of one job may wait for their turn.
const MAX_QUEUED_RUNS: usize = 100;
/// How late a time may be taken without having been missed.
const ON_TIME: TimeDelta = TimeDelta::seconds(60);

/// What becomes of one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeDecision {
    Run {
        /// Not before the older runs of the schedule have ended.
        in_turn: bool,
        /// And those are asked to end.
        replaces: bool,
    },
    Skip(SkipReason),
}

/// What has come of a job's times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueTimes {
    /// The first and the last of the times that share a row, and why they were left out.
    pub older: Option<(DateTime<Utc>, DateTime<Utc>, SkipReason)>,
    /// The newer ones, in order.
    pub times: Vec<(DateTime<Utc>, TimeDecision)>,
    /// The first time after now; none only beyond the range of the calendar.
    pub next: Option<DateTime<Utc>>,
}

impl Timing {
    /// What has come of the times from `planned`, which is one of them, until `now`, while `open` runs of the schedule
    /// have not ended.
    #[must_use]
    pub fn due(&self, policy: &Policy, planned: DateTime<Utc>, now: DateTime<Utc>, open: usize) -> DueTimes {
        let apart = match policy.missed {
            MissedRuns::All(limit) => MAX_SEPARATE_ROWS.max(limit),
            MissedRuns::None | MissedRuns::Latest => MAX_SEPARATE_ROWS,
        };
        let mut times = self.newest(planned, now, apart + 1);
        if times.is_empty() {
            // The rules of the zone have changed since it was planned.
            times.push(planned);
        }
        let older = (times.len() > apart).then(|| times.remove(0)).map(|last| {
            let reason = if policy.suspended { SkipReason::Paused } else { SkipReason::Missed };
            (planned.min(last), last, reason)
        });
        // A time that was planned and is none of the schedule's any more has its row too.
        if older.is_none() && times.first().is_some_and(|first| planned < *first) {
            times.insert(0, planned);
        }
        DueTimes { older, times: judged(policy, &times, now, open), next: self.next(now) }
    }
}

fn judged(
    policy: &Policy,
    times: &[DateTime<Utc>],
    now: DateTime<Utc>,
    mut open: usize,
) -> Vec<(DateTime<Utc>, TimeDecision)> {
    let mut fates = Vec::with_capacity(times.len());
    for (place, at) in times.iter().enumerate() {
        let behind = times.len() - 1 - place;
        let late = now - *at;
        let made_up_for = match policy.missed {
            MissedRuns::None => behind == 0 && late <= ON_TIME,
            MissedRuns::Latest => behind == 0,
            MissedRuns::All(limit) => behind < limit,
        };
        let fate = if policy.suspended {
            TimeDecision::Skip(SkipReason::Paused)
        } else if policy.starting_deadline.is_some_and(|deadline| late > deadline) {
            TimeDecision::Skip(SkipReason::TooLate)
        } else if made_up_for {
            admitted(policy.concurrency, open, behind)
        } else {
            TimeDecision::Skip(SkipReason::Missed)
        };
        if matches!(fate, TimeDecision::Run { .. }) {
            open += 1;
        }
        fates.push((*at, fate));
    }
    fates
}

/// What becomes of a time while so many runs are open and so many newer times have come.
fn admitted(concurrency: Concurrency, open: usize, behind: usize) -> TimeDecision {
    match concurrency {
        Concurrency::Allow => TimeDecision::Run { in_turn: false, replaces: false },
        Concurrency::Forbid if open == 0 => TimeDecision::Run { in_turn: false, replaces: false },
        Concurrency::Replace if behind == 0 => TimeDecision::Run { in_turn: true, replaces: open > 0 },
        Concurrency::Queue if open < MAX_QUEUED_RUNS => TimeDecision::Run { in_turn: true, replaces: false },
        Concurrency::Forbid | Concurrency::Replace | Concurrency::Queue => TimeDecision::Skip(SkipReason::Overlap),
    }
}

#[cfg(test)]
#[path = "due_tests.rs"]
mod tests;
