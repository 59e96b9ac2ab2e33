//! Pure: what is known of a running run.

use chrono::{DateTime, TimeDelta, Utc};

/// How long after its forced end a run that is still there is given up.
const STUBBORN: TimeDelta = TimeDelta::minutes(5);
/// What is known of a running run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    pub attempt: i32,
    pub max_nb_restart: i32,
    /// For all attempts together, in seconds; 0 sets no limit.
    pub max_duration_seconds: i32,
    /// When the present attempt became ready to start.
    pub ready_at: DateTime<Utc>,
    /// How long an attempt may take to start.
    pub start_timeout: TimeDelta,
    /// When the first attempt began.
    pub started_at: Option<DateTime<Utc>>,
    /// Whether the present attempt was seen to begin.
    pub attempt_started: bool,
    /// Whether a runner was asked to start it, and may have done so.
    pub handed_over: bool,
    pub cancel_requested_at: Option<DateTime<Utc>>,
    /// When its runner was first asked to stop it.
    pub stop_asked_at: Option<DateTime<Utc>>,
    /// When the runner last said something of it.
    pub seen_at: DateTime<Utc>,
    /// How long a run may go on unseen.
    pub lost_after: TimeDelta,
    /// Between the polite and the forced end.
    pub stop_grace: TimeDelta,
    /// The pause before the second attempt.
    pub backoff: TimeDelta,
    pub success_exit_codes: Vec<i32>,
    pub fail_fast_exit_codes: Vec<i32>,
    /// Whether starting it a second time does no harm.
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

    /// Whether a run is there long after it was told to stop; that nobody could tell it so in all that time does not count.
    pub(super) fn stubborn(&self, now: DateTime<Utc>) -> bool {
        self.stop_asked_at.is_some_and(|since| since + self.stop_grace + STUBBORN <= now)
    }

    pub(super) fn unseen(&self, now: DateTime<Utc>) -> bool {
        self.seen_at + self.lost_after <= now
    }

    pub(super) fn too_long(&self) -> String {
        format!("it ran longer than {} seconds", self.max_duration_seconds)
    }
}
