//! Pure: the facts about a running run.

use chrono::{DateTime, TimeDelta, Utc};

/// How long after the grace period a run that has not ended is given up.
const STUBBORN: TimeDelta = TimeDelta::minutes(5);

/// Everything that the decision about a running run depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    pub attempt: i32,
    pub max_nb_restart: i32,
    /// Covers all attempts together; 0 means no limit.
    pub max_duration_seconds: i32,
    /// When the current attempt became ready to start.
    pub ready_at: DateTime<Utc>,
    /// How long an attempt may take to start.
    pub start_timeout: TimeDelta,
    /// When the first attempt started.
    pub started_at: Option<DateTime<Utc>>,
    /// Whether the current attempt was seen running.
    pub attempt_started: bool,
    /// Whether a runner was asked to start the attempt, and may have done so.
    pub handed_over: bool,
    pub cancel_requested_at: Option<DateTime<Utc>>,
    /// When the runner was first asked to stop the run.
    pub stop_asked_at: Option<DateTime<Utc>>,
    /// When the runner last reported the run.
    pub seen_at: DateTime<Utc>,
    /// How long a run may stay unreported before it counts as lost.
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
    pub(super) fn deadline(&self) -> Option<DateTime<Utc>> {
        let limit = TimeDelta::seconds(i64::from(self.max_duration_seconds));
        (self.max_duration_seconds > 0).then_some(self.started_at? + limit)
    }

    pub(super) fn late(&self, now: DateTime<Utc>) -> bool {
        self.deadline().is_some_and(|deadline| deadline <= now)
    }

    pub(super) fn start_expired(&self, now: DateTime<Utc>) -> bool {
        self.ready_at + self.start_timeout <= now
    }

    pub(super) fn cancel_requested(&self) -> bool {
        self.cancel_requested_at.is_some()
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
