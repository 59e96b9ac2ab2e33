//! Pure: what to do with a running run, given what its runner reports.

use chrono::{DateTime, Utc};

use super::backoff::pause_after;
use super::facts::Facts;
use super::transition::RunEvent;
use crate::runner::{StepState, Unavailable};

/// A decision about a run.
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

const LOST: &str = "the run was lost: the runner no longer knows it, so its exit code is unknown";

fn failed(exit_code: Option<i32>, reason: impl Into<String>) -> Decision {
    Decision::End { event: RunEvent::Failed, exit_code, reason: Some(reason.into()) }
}

fn cancelled(exit_code: Option<i32>) -> Decision {
    Decision::End { event: RunEvent::Cancelled, exit_code, reason: Some("the run was cancelled".into()) }
}

/// Decides what to do with a running run, given what its runner reports.
#[must_use]
pub fn decide(facts: &Facts, observed: Result<StepState, Unavailable>, now: DateTime<Utc>) -> Decision {
    match observed {
        Ok(StepState::Exited { exit_code, reason }) => ended(facts, exit_code, reason, now),
        Ok(StepState::CannotStart { .. }) if facts.cancel_requested() => cancelled(None),
        Ok(StepState::CannotStart { reason }) => failed(None, reason),
        Ok(StepState::Running) if facts.stubborn(now) => {
            failed(None, "the run did not end after it was asked to stop; clean up its remains manually")
        }
        Ok(StepState::Running) if facts.cancel_requested() || facts.late(now) => Decision::Stop,
        Ok(StepState::Running) => Decision::Wait,
        Ok(StepState::Failed { exit_code, .. }) if facts.cancel_requested() => cancelled(exit_code),
        Ok(StepState::Failed { exit_code, reason }) => failed(exit_code, reason),
        Ok(StepState::Starting { .. }) if facts.cancel_requested() => Decision::Stop,
        Ok(StepState::Starting { reason }) if facts.start_expired(now) => {
            let reason = reason.unwrap_or_else(|| "the image was still being pulled".into());
            failed(None, format!("the run could not be started in time: {reason}"))
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
        Ok(StepState::Unknown) if facts.start_expired(now) => failed(None, "the run could not be started in time"),
        Ok(StepState::Unknown) => Decision::Start,
        Err(Unavailable(reason)) if facts.handed_over && facts.unseen(now) => {
            failed(None, format!("the run was lost: its runner was unreachable for too long: {reason}"))
        }
        Err(_) if facts.handed_over => Decision::Wait,
        Err(_) if facts.cancel_requested() => cancelled(None),
        Err(Unavailable(reason)) if facts.start_expired(now) => failed(None, reason),
        Err(_) => Decision::Wait,
    }
}

/// The end of a run that its server asked to stop, because it shuts down. It is a failed attempt whatever its exit code is: what the
/// run has done so far may be incomplete.
fn interrupted(facts: &Facts, exit_code: i32, reason: Option<String>, now: DateTime<Utc>) -> Decision {
    let not_before = now + pause_after(facts.attempt, facts.backoff);
    let time_is_left = facts.deadline().is_none_or(|deadline| deadline > not_before);
    if facts.attempt <= facts.max_nb_restart && time_is_left {
        return Decision::Retry { not_before, exit_code };
    }
    let how = reason.unwrap_or_else(|| format!("exit code {exit_code}"));
    failed(Some(exit_code), format!("the server shut down and stopped the run: {how}"))
}

fn ended(facts: &Facts, exit_code: i32, reason: Option<String>, now: DateTime<Utc>) -> Decision {
    if facts.interrupted && !facts.cancel_requested() && !facts.late(now) {
        return interrupted(facts, exit_code, reason, now);
    }
    if exit_code == 0 {
        return Decision::End { event: RunEvent::Succeeded, exit_code: Some(0), reason };
    }
    if facts.success_exit_codes.contains(&exit_code) {
        let success = format!("exit code {exit_code} counts as success");
        let reason = Some(reason.map_or(success.clone(), |reason| format!("{success}; {reason}")));
        return Decision::End { event: RunEvent::Succeeded, exit_code: Some(exit_code), reason };
    }
    if facts.cancel_requested() {
        return cancelled(Some(exit_code));
    }
    if facts.late(now) {
        return failed(Some(exit_code), facts.too_long());
    }
    if facts.fail_fast_exit_codes.contains(&exit_code) && facts.attempt <= facts.max_nb_restart {
        return failed(Some(exit_code), format!("exit code {exit_code}, which is not retried"));
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
