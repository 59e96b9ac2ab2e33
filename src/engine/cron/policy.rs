//! Pure: when a deployed CRON job is due, and what becomes of each of its times.
//!
//! The choices are advanced settings of the job; without them only the newest of the times that have come is run, and
//! none while the run before is open. Whatever the gap, a bounded number of times is looked at: the older ones of a
//! long absence are told of together.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use entity::id::JobId;
use entity::job_spec::{JobSpec, Schedule as JobSchedule};
use entity::skipped_time::SkipReason;

use super::expression::{Gap, Overlap, Refused, Schedule, Turns, parse_timezone};
use crate::engine::advanced_settings::Settings;

/// How many times that were missed get a row each; the older ones share one.
pub const TOLD_APART: usize = 100;
/// How many runs of one job may wait for their turn.
const LONGEST_QUEUE: usize = 100;
/// How late a time may be taken without having been missed.
const PUNCTUAL: TimeDelta = TimeDelta::seconds(60);

/// The times of one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    schedule: Schedule,
    zone: Tz,
    turns: Turns,
    /// Added to every time: always the same for the same job.
    pub jitter: TimeDelta,
}

/// Which of the times that were missed are made up for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissedRuns {
    None,
    Latest,
    /// All, but no more than so many.
    All(usize),
}

/// What happens to a time while a run of the schedule is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concurrency {
    Forbid,
    Allow,
    Replace,
    Queue,
}

/// What becomes of times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    pub missed: MissedRuns,
    pub starting_deadline: Option<TimeDelta>,
    pub concurrency: Concurrency,
    pub suspended: bool,
}

/// What becomes of one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
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
pub struct Due {
    /// The first and the last of the times that share a row, and why they were left out.
    pub older: Option<(DateTime<Utc>, DateTime<Utc>, SkipReason)>,
    /// The newer ones, in order.
    pub times: Vec<(DateTime<Utc>, Fate)>,
    /// The first time after now; none only beyond the range of the calendar.
    pub next: Option<DateTime<Utc>>,
}

impl Timing {
    /// The times of a job's configuration; none for a LIFECYCLE job.
    ///
    /// # Errors
    /// When the expression or the zone cannot be read.
    pub fn of(job: JobId, spec: &JobSpec) -> Result<Option<Self>, Refused> {
        let JobSchedule::Cron { scheduled_at, timezone, .. } = &spec.schedule else { return Ok(None) };
        let settings = Settings(&spec.settings);
        let gap = settings.text("cronjob.dst_gap").map(|gap| if gap == "skip" { Gap::Skip } else { Gap::RunAfter });
        let overlap = settings.text("cronjob.dst_overlap").map(|overlap| match overlap.as_str() {
            "first" => Overlap::First,
            "last" => Overlap::Last,
            _ => Overlap::Both,
        });
        let widest = settings.number("cronjob.jitter_seconds").unwrap_or(0);
        Ok(Some(Self {
            schedule: scheduled_at.parse()?,
            zone: parse_timezone(timezone)?,
            turns: Turns { gap, overlap },
            jitter: jitter(job, widest),
        }))
    }

    /// The first time after `after`.
    #[must_use]
    pub fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let plain = self.schedule.next_by(after.checked_sub_signed(self.jitter)?, self.zone, self.turns)?;
        plain.checked_add_signed(self.jitter)
    }

    /// The same times, by other rules for the turns of the clocks.
    #[must_use]
    pub fn turning(self, turns: Turns) -> Self {
        Self { turns, ..self }
    }

    /// The zone of the schedule.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// Up to `count` of the newest times in `from..=until`, in order; `from` is a time of this schedule or earlier.
    /// Takes a bounded number of steps, however long the span.
    #[must_use]
    pub fn newest(&self, from: DateTime<Utc>, until: DateTime<Utc>, count: usize) -> Vec<DateTime<Utc>> {
        let spans = [
            TimeDelta::hours(2),
            TimeDelta::days(2),
            TimeDelta::days(40),
            TimeDelta::days(400),
            TimeDelta::days(366 * 9),
            TimeDelta::days(366 * 100),
        ];
        for span in spans {
            let start = from.max(until - span) - TimeDelta::microseconds(1);
            let mut found: Vec<_> = std::iter::successors(self.next(start), |time| self.next(*time))
                .take_while(|time| *time <= until)
                .collect();
            if found.len() >= count || start < from {
                return found.split_off(found.len().saturating_sub(count));
            }
        }
        Vec::new()
    }

    /// What has come of the times from `planned`, which is one of them, until `now`, while `open` runs of the schedule
    /// have not ended.
    #[must_use]
    pub fn due(&self, policy: &Policy, planned: DateTime<Utc>, now: DateTime<Utc>, open: usize) -> Due {
        let apart = match policy.missed {
            MissedRuns::All(limit) => TOLD_APART.max(limit),
            MissedRuns::None | MissedRuns::Latest => TOLD_APART,
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
        Due { older, times: judged(policy, &times, now, open), next: self.next(now) }
    }
}

fn judged(policy: &Policy, times: &[DateTime<Utc>], now: DateTime<Utc>, mut open: usize) -> Vec<(DateTime<Utc>, Fate)> {
    let mut fates = Vec::with_capacity(times.len());
    for (place, at) in times.iter().enumerate() {
        let behind = times.len() - 1 - place;
        let late = now - *at;
        let made_up_for = match policy.missed {
            MissedRuns::None => behind == 0 && late <= PUNCTUAL,
            MissedRuns::Latest => behind == 0,
            MissedRuns::All(limit) => behind < limit,
        };
        let fate = if policy.suspended {
            Fate::Skip(SkipReason::Paused)
        } else if policy.starting_deadline.is_some_and(|deadline| late > deadline) {
            Fate::Skip(SkipReason::TooLate)
        } else if made_up_for {
            admitted(policy.concurrency, open, behind)
        } else {
            Fate::Skip(SkipReason::Missed)
        };
        if matches!(fate, Fate::Run { .. }) {
            open += 1;
        }
        fates.push((*at, fate));
    }
    fates
}

/// What becomes of a time while so many runs are open and so many newer times have come.
fn admitted(concurrency: Concurrency, open: usize, behind: usize) -> Fate {
    match concurrency {
        Concurrency::Allow => Fate::Run { in_turn: false, replaces: false },
        Concurrency::Forbid if open == 0 => Fate::Run { in_turn: false, replaces: false },
        Concurrency::Replace if behind == 0 => Fate::Run { in_turn: true, replaces: open > 0 },
        Concurrency::Queue if open < LONGEST_QUEUE => Fate::Run { in_turn: true, replaces: false },
        Concurrency::Forbid | Concurrency::Replace | Concurrency::Queue => Fate::Skip(SkipReason::Overlap),
    }
}

impl Policy {
    /// What a job's settings say.
    #[must_use]
    pub fn of(spec: &JobSpec) -> Self {
        let settings = Settings(&spec.settings);
        let limit = settings.number("cronjob.missed_runs_limit").and_then(|limit| usize::try_from(limit).ok());
        let deadline = settings.number("cronjob.starting_deadline_seconds");
        Self {
            missed: match settings.text("cronjob.missed_runs").as_deref() {
                Some("none") => MissedRuns::None,
                Some("all") => MissedRuns::All(limit.unwrap_or(TOLD_APART)),
                _ => MissedRuns::Latest,
            },
            starting_deadline: deadline.map(|seconds| TimeDelta::seconds(seconds.into())),
            concurrency: match settings.text("cronjob.concurrency_policy").as_deref() {
                Some("Allow") => Concurrency::Allow,
                Some("Replace") => Concurrency::Replace,
                Some("Queue") => Concurrency::Queue,
                _ => Concurrency::Forbid,
            },
            suspended: settings.is_on("cronjob.suspend"),
        }
    }
}

/// Between 0 and `widest` seconds, from the job's id alone, so that it can be shown before.
fn jitter(job: JobId, widest: i32) -> TimeDelta {
    let Ok(choices) = u64::try_from(i64::from(widest) + 1) else { return TimeDelta::zero() };
    // FNV-1a over the bytes of the id: the same on every machine and in every version.
    let hash =
        job.0.as_bytes().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    // The last bytes reach the high bits only so.
    let mixed = (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let seconds = mixed % choices.max(1);
    TimeDelta::seconds(i64::try_from(seconds).unwrap_or(0))
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
