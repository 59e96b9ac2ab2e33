//! Pure: the facts about a running run.

use chrono::{DateTime, TimeDelta, Utc};

/// How long after the grace period a run that has not ended is given up.
const STUBBORN: TimeDelta = TimeDelta::minutes(5);

/// What is wanted of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    GoOn,
    /// A person, a deployment or a newer run has cancelled it.
    Cancel,
    /// It has reached its time limit.
    EndAtLimit,
}

/// Everything that the decision about a running run depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    pub attempt: i32,
    pub max_nb_restart: i32,
    /// Whether the runner itself repeats attempts that exit. Those that cannot be started are repeated by this server.
    pub repeated_by_runner: bool,
    /// Covers all attempts together; 0 means no limit.
    pub max_duration_seconds: i32,
    /// When a runner was first asked to start the current attempt. The time before that is waiting, not starting.
    pub start_asked_at: DateTime<Utc>,
    /// How long an attempt may take to start.
    pub start_timeout: TimeDelta,
    /// When the first attempt started.
    pub started_at: Option<DateTime<Utc>>,
    /// Whether the current attempt was seen running.
    pub attempt_started: bool,
    /// Whether a runner was asked to start the attempt, and may have done so.
    pub handed_over: bool,
    pub cancel_requested_at: Option<DateTime<Utc>>,
    /// When the server began to stop the attempt. From then on its end is decided.
    pub stopping_at: Option<DateTime<Utc>>,
    /// When the runner first accepted the request to stop the attempt.
    pub stop_asked_at: Option<DateTime<Utc>>,
    /// When the runner last reported the run.
    pub seen_at: DateTime<Utc>,
    /// How long a runner may stay silent before a run that is to be stopped no longer waits for it.
    pub lost_after: TimeDelta,
    /// The time between SIGTERM and SIGKILL.
    pub stop_grace: TimeDelta,
    /// The pause before the second attempt.
    pub backoff: TimeDelta,
    pub success_exit_codes: Vec<i32>,
    pub fail_fast_exit_codes: Vec<i32>,
    /// Whether the run was asked to stop because its server shuts down.
    pub interrupted: bool,
    /// Whether the run can safely be started again.
    pub repeatable: bool,
}

impl Facts {
    /// What is wanted of the run. Once it is being stopped, a later reason to stop it does not count.
    #[must_use]
    pub fn intent(&self, now: DateTime<Utc>) -> Intent {
        // The order alone does not tell: a tick that sees a cancellation may have begun before it was requested.
        let limit_first =
            |asked: DateTime<Utc>| self.stopping_at.is_some_and(|since| since < asked && self.late(since));
        match self.cancel_requested_at {
            Some(asked) if !limit_first(asked) => Intent::Cancel,
            _ if self.stopping_at.is_some() || self.late(now) => Intent::EndAtLimit,
            _ => Intent::GoOn,
        }
    }

    /// Whether the server has asked the attempt to stop.
    pub(super) fn was_asked_to_stop(&self) -> bool {
        self.stopping_at.is_some() || self.interrupted
    }

    pub(super) fn is_success(&self, exit_code: i32) -> bool {
        exit_code == 0 || self.success_exit_codes.contains(&exit_code)
    }

    pub(super) fn deadline(&self) -> Option<DateTime<Utc>> {
        let limit = TimeDelta::seconds(i64::from(self.max_duration_seconds));
        (self.max_duration_seconds > 0).then_some(self.started_at? + limit)
    }

    pub(super) fn late(&self, now: DateTime<Utc>) -> bool {
        self.deadline().is_some_and(|deadline| deadline <= now)
    }

    pub(super) fn start_expired(&self, now: DateTime<Utc>) -> bool {
        self.start_asked_at + self.start_timeout <= now
    }

    /// Whether the run is still there long after its runner was asked to stop it. Time in which the runner could not be
    /// asked does not count.
    pub(super) fn stubborn(&self, now: DateTime<Utc>) -> bool {
        self.stop_asked_at.is_some_and(|since| since + self.stop_grace + STUBBORN <= now)
    }

    pub(super) fn unseen(&self, now: DateTime<Utc>) -> bool {
        self.seen_at + self.lost_after <= now
    }

    pub(super) fn too_long(&self) -> String {
        format!("the run exceeded its time limit of {} seconds", self.max_duration_seconds)
    }
}
