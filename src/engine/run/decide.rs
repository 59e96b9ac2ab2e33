//! Pure: the state machine of a run, and what to do about a running one, given what its runner reports.

use chrono::{DateTime, TimeDelta, Utc};
use entity::run::RunState;

use crate::runner::{StepState, Unavailable};

/// What can happen to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunEvent {
    /// A server took it.
    Claimed,
    /// An attempt failed and another one is allowed.
    Retried,
    /// It ended with success.
    Succeeded,
    /// It ended without.
    Failed,
    /// It ended because somebody asked for it.
    Cancelled,
    /// It waited for too long.
    Expired,
}

/// The state after an event; none when the event cannot happen in that state.
#[must_use]
pub fn next(state: RunState, event: RunEvent) -> Option<RunState> {
    match (state, event) {
        (RunState::Queued, RunEvent::Claimed) => Some(RunState::Running),
        (RunState::Running, RunEvent::Retried) => Some(RunState::Queued),
        (RunState::Running, RunEvent::Succeeded) => Some(RunState::Succeeded),
        (RunState::Running, RunEvent::Failed) => Some(RunState::Failed),
        (RunState::Queued | RunState::Running, RunEvent::Cancelled) => Some(RunState::Cancelled),
        (RunState::Queued, RunEvent::Expired) => Some(RunState::Failed),
        (RunState::Queued, RunEvent::Retried | RunEvent::Succeeded | RunEvent::Failed)
        | (RunState::Running, RunEvent::Claimed | RunEvent::Expired)
        | (RunState::Succeeded | RunState::Failed | RunState::Cancelled, _) => None,
    }
}

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

/// What to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Wait,
    Start,
    Stop,
    /// Queue the next attempt.
    Retry {
        not_before: DateTime<Utc>,
        exit_code: i32,
    },
    End {
        event: RunEvent,
        exit_code: Option<i32>,
        reason: Option<String>,
    },
}

/// The pause doubles with each further attempt, up to this (as in Kubernetes), or to the first one where that is longer.
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(6);
/// How long after its forced end a run that is still there is given up.
const STUBBORN: TimeDelta = TimeDelta::minutes(5);
const LOST: &str = "it was lost: the runner no longer knows it, so its exit code is not known";

impl Facts {
    fn deadline(&self) -> Option<DateTime<Utc>> {
        let limit = TimeDelta::seconds(i64::from(self.max_duration_seconds));
        (self.max_duration_seconds > 0).then_some(self.started_at? + limit)
    }

    fn late(&self, now: DateTime<Utc>) -> bool {
        self.deadline().is_some_and(|deadline| deadline <= now)
    }

    fn start_expired(&self, now: DateTime<Utc>) -> bool {
        self.ready_at + self.start_timeout <= now
    }

    fn cancel_requested(&self) -> bool {
        self.cancel_requested_at.is_some()
    }

    /// Whether a run is there long after it was told to stop; that nobody could tell it so in all that time does not count.
    fn stubborn(&self, now: DateTime<Utc>) -> bool {
        self.stop_asked_at.is_some_and(|since| since + self.stop_grace + STUBBORN <= now)
    }

    fn unseen(&self, now: DateTime<Utc>) -> bool {
        self.seen_at + self.lost_after <= now
    }

    fn too_long(&self) -> String {
        format!("it ran longer than {} seconds", self.max_duration_seconds)
    }
}

fn failed(exit_code: Option<i32>, reason: impl Into<String>) -> Decision {
    Decision::End { event: RunEvent::Failed, exit_code, reason: Some(reason.into()) }
}

fn cancelled(exit_code: Option<i32>) -> Decision {
    Decision::End { event: RunEvent::Cancelled, exit_code, reason: Some("it was cancelled".into()) }
}

/// The pause after a failed attempt, where the one after the first is `first`.
#[must_use]
pub fn pause_after(attempt: i32, first: TimeDelta) -> TimeDelta {
    let longest = LONGEST_PAUSE.max(first);
    let doublings = u32::try_from(attempt.clamp(1, 20) - 1).unwrap_or(0);
    first.checked_mul(2_i32.saturating_pow(doublings)).unwrap_or(longest).min(longest)
}

/// What to do about a running run, given what its runner says.
#[must_use]
pub fn decide(facts: &Facts, observed: Result<StepState, Unavailable>, now: DateTime<Utc>) -> Decision {
    match observed {
        Ok(StepState::Exited { exit_code, reason }) => ended(facts, exit_code, reason, now),
        Ok(StepState::CannotStart { .. }) if facts.cancel_requested() => cancelled(None),
        Ok(StepState::CannotStart { reason }) => failed(None, reason),
        Ok(StepState::Running) if facts.stubborn(now) => {
            failed(None, "it was to be stopped, but did not end; what is left of it must be ended by hand")
        }
        Ok(StepState::Running) if facts.cancel_requested() || facts.late(now) => Decision::Stop,
        Ok(StepState::Running) => Decision::Wait,
        Ok(StepState::Failed { exit_code, .. }) if facts.cancel_requested() => cancelled(exit_code),
        Ok(StepState::Failed { exit_code, reason }) => failed(exit_code, reason),
        Ok(StepState::Starting { .. }) if facts.cancel_requested() => Decision::Stop,
        Ok(StepState::Starting { reason }) if facts.start_expired(now) => {
            let reason = reason.unwrap_or_else(|| "the image was still being pulled".into());
            failed(None, format!("it could not be started in time: {reason}"))
        }
        Ok(StepState::Starting { .. }) => Decision::Wait,
        Ok(StepState::Unknown) | Ok(StepState::Lost) if facts.cancel_requested() => cancelled(None),
        Ok(StepState::Unknown) | Ok(StepState::Lost) if facts.repeatable && facts.late(now) => {
            failed(None, facts.too_long())
        }
        Ok(StepState::Lost) if facts.repeatable => Decision::Start,
        Ok(StepState::Unknown) if facts.repeatable && (facts.attempt_started || !facts.start_expired(now)) => {
            Decision::Start
        }
        Ok(StepState::Lost) => failed(None, LOST),
        Ok(StepState::Unknown) if facts.attempt_started => failed(None, LOST),
        Ok(StepState::Unknown) if facts.start_expired(now) => failed(None, "it could not be started in time"),
        Ok(StepState::Unknown) => Decision::Start,
        Err(Unavailable(reason)) if facts.handed_over && facts.unseen(now) => {
            failed(None, format!("it was lost: nothing was heard of it for too long: {reason}"))
        }
        Err(_) if facts.handed_over => Decision::Wait,
        Err(_) if facts.cancel_requested() => cancelled(None),
        Err(Unavailable(reason)) if facts.start_expired(now) => failed(None, reason),
        Err(_) => Decision::Wait,
    }
}

fn ended(facts: &Facts, exit_code: i32, reason: Option<String>, now: DateTime<Utc>) -> Decision {
    if exit_code == 0 {
        return Decision::End { event: RunEvent::Succeeded, exit_code: Some(0), reason: None };
    }
    if facts.success_exit_codes.contains(&exit_code) {
        let reason = Some(format!("exit code {exit_code} counts as success"));
        return Decision::End { event: RunEvent::Succeeded, exit_code: Some(exit_code), reason };
    }
    if facts.cancel_requested() {
        return cancelled(Some(exit_code));
    }
    if facts.late(now) {
        return failed(Some(exit_code), facts.too_long());
    }
    if facts.fail_fast_exit_codes.contains(&exit_code) && facts.attempt <= facts.max_nb_restart {
        return failed(Some(exit_code), format!("exit code {exit_code}, after which it is not tried again"));
    }
    let not_before = now + pause_after(facts.attempt, facts.backoff);
    if facts.attempt > facts.max_nb_restart {
        return failed(Some(exit_code), reason.unwrap_or_else(|| format!("exit code {exit_code}")));
    }
    if facts.deadline().is_some_and(|deadline| deadline <= not_before) {
        let why = format!("exit code {exit_code}, and no time is left for another attempt");
        return failed(Some(exit_code), reason.unwrap_or(why));
    }
    Decision::Retry { not_before, exit_code }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
