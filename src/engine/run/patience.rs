//! Pure: how long a run waits for its start, and what is said of one that ends while it is queued.
//!
//! A time of a schedule is given up once it is later than its starting deadline and has not been handed to a runner, whatever it waits
//! for. A run that has its turn and gets no slot fails after a while; until its turn comes, it may wait for as long as older runs take.

use chrono::{DateTime, TimeDelta, Utc};
use entity::run;
use entity::skipped_time::{self, SkipReason};

use super::transition::RunEvent;

/// What a run waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitsFor {
    /// The end of older runs of its schedule.
    Turn,
    Slot,
    /// It has a slot, and was not handed to its runner.
    Runner,
}

/// A run that is queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueuedStart {
    pub scheduled_for: Option<DateTime<Utc>>,
    pub starting_deadline_seconds: Option<i64>,
    /// The number of the attempt that is to start.
    pub attempt: i32,
    pub waits_for: WaitsFor,
    /// Since when nothing but a slot was missing, if `waits_for` says that; none if the run waits for a slot as long as it takes.
    pub since: Option<DateTime<Utc>>,
}

/// Why a run ends while it is queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueuedEnd {
    Cancelled,
    /// It got no slot within this time.
    NoSlot(TimeDelta),
    TooLate(WaitsFor),
}

impl QueuedStart {
    /// Whether and why the run ends, if a run may wait for a slot for `most`.
    #[must_use]
    pub fn end(&self, most: TimeDelta, now: DateTime<Utc>) -> Option<QueuedEnd> {
        let deadline = deadline(self.scheduled_for, self.starting_deadline_seconds);
        if self.attempt == 1 && deadline.is_some_and(|deadline| deadline < now) {
            return Some(QueuedEnd::TooLate(self.waits_for));
        }
        let until = self.since.filter(|_| self.waits_for == WaitsFor::Slot).map(|since| since + most);
        until.is_some_and(|until| until < now).then_some(QueuedEnd::NoSlot(most))
    }
}

impl QueuedEnd {
    #[must_use]
    pub fn event(self) -> RunEvent {
        match self {
            Self::Cancelled | Self::TooLate(_) => RunEvent::Cancelled,
            Self::NoSlot(_) => RunEvent::Expired,
        }
    }

    /// The reason of the run. It keeps why the attempt before failed.
    #[must_use]
    pub fn reason(self, run: &run::Model) -> String {
        let (retried, attempt) = (run.attempt > 1, run.attempt);
        let why = match self {
            Self::Cancelled if retried => format!("cancelled before attempt {attempt} started"),
            Self::TooLate(waits_for) => return too_late(run, waits_for),
            Self::Cancelled | Self::NoSlot(_) => self.words(),
        };
        match &run.reason {
            Some(failed) if retried => format!("{why}; {failed}"),
            _ => why,
        }
    }

    /// The reason of a run whose row cannot be read.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Cancelled => "cancelled before the first attempt started".into(),
            Self::NoSlot(most) => format!("timed out after {} s waiting for a free slot", most.num_seconds()),
            Self::TooLate(_) => "not started within its starting deadline".into(),
        }
    }
}

/// Whether the time of a run that this server owns is given up: it is too late to hand its first attempt to a runner.
#[must_use]
pub fn is_too_late(run: &run::Model, now: DateTime<Utc>) -> bool {
    let deadline = deadline(run.scheduled_for, run.spec.starting_deadline_seconds.map(i64::from));
    run.attempt == 1 && run.place.is_none() && deadline.is_some_and(|deadline| deadline < now)
}

/// The row of the time of a run that was given up.
#[must_use]
pub fn missed_time(run: &run::Model, now: DateTime<Utc>) -> Option<skipped_time::Model> {
    let scheduled_for = run.scheduled_for?;
    Some(skipped_time::Model {
        job_id: run.job_id?,
        scheduled_for,
        through: scheduled_for,
        reason: SkipReason::TooLate,
        recorded_at: now,
        requested_by: None,
        detail: None,
    })
}

fn deadline(scheduled_for: Option<DateTime<Utc>>, seconds: Option<i64>) -> Option<DateTime<Utc>> {
    scheduled_for?.checked_add_signed(TimeDelta::try_seconds(seconds?)?)
}

fn too_late(run: &run::Model, waits_for: WaitsFor) -> String {
    let seconds = run.spec.starting_deadline_seconds.unwrap_or(0);
    let why = match waits_for {
        WaitsFor::Turn => "an older run of its schedule had not ended",
        WaitsFor::Slot => "no slot was free",
        WaitsFor::Runner => "no slot was free in time, or its runner did not answer",
    };
    format!("not started within its starting deadline of {seconds} s: {why}")
}

#[cfg(test)]
#[path = "patience_tests.rs"]
mod tests;
