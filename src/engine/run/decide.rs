//! Pure: what to do with a running run, given what is wanted of it and what its runner reports.
//!
//! Once the server has begun to stop a run, the run ends as the server decided, whatever its runner reports.

use chrono::{DateTime, Utc};

use super::backoff::pause_after;
use super::facts::{Facts, Intent};
use super::transition::RunEvent;
use crate::runner::{StepState, Unavailable};

/// A decision about a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Wait,
    /// Wait for a runner that has not answered for a long time; the text says why it does not.
    Unreachable(String),
    Start,
    Stop,
    /// Queue the next attempt.
    Retry {
        not_before: DateTime<Utc>,
        exit_code: Option<i32>,
        /// Why the attempt failed.
        reason: String,
    },
    End {
        event: RunEvent,
        exit_code: Option<i32>,
        reason: Option<String>,
    },
}

const LOST: &str = "the run was lost: the runner no longer knows it, so its exit code is unknown";
const STUBBORN: &str = "the run did not end after it was asked to stop; clean up its remains manually";

fn failed(exit_code: Option<i32>, reason: impl Into<String>) -> Decision {
    Decision::End { event: RunEvent::Failed, exit_code, reason: Some(reason.into()) }
}

fn lost() -> Decision {
    Decision::End { event: RunEvent::Lost, exit_code: None, reason: Some(LOST.into()) }
}

/// Decides what to do with a running run, given what its runner reports.
#[must_use]
pub fn decide(facts: &Facts, observed: Result<StepState, Unavailable>, now: DateTime<Utc>) -> Decision {
    match facts.intent(now) {
        Intent::GoOn => go_on(facts, observed, now),
        Intent::Cancel => stop(facts, observed, (RunEvent::Cancelled, "the run was cancelled".into()), now),
        Intent::EndAtLimit => stop(facts, observed, (RunEvent::Failed, facts.too_long()), now),
    }
}

/// A run that nobody wants to stop.
fn go_on(facts: &Facts, observed: Result<StepState, Unavailable>, now: DateTime<Utc>) -> Decision {
    match observed {
        Ok(StepState::Exited { exit_code, reason }) => exited(facts, exit_code, reason, now),
        Ok(StepState::Failed { exit_code, reason }) => failed(exit_code, reason),
        Ok(StepState::CannotStart { reason }) => attempt_failed(facts, None, reason, now),
        Ok(StepState::Running) => Decision::Wait,
        Ok(StepState::Starting { reason }) if facts.start_expired(now) => {
            let reason = reason.unwrap_or_else(|| "the image was still being pulled".into());
            attempt_failed(facts, None, format!("the run could not be started in time: {reason}"), now)
        }
        Ok(StepState::Starting { .. }) => Decision::Wait,
        Ok(StepState::Lost) if facts.repeatable => Decision::Start,
        Ok(StepState::Unknown) if facts.repeatable && facts.attempt_started => Decision::Start,
        Ok(StepState::Lost) => lost(),
        Ok(StepState::Unknown) if facts.attempt_started => lost(),
        Ok(StepState::Unknown) if facts.start_expired(now) => {
            attempt_failed(facts, None, "the run could not be started in time".into(), now)
        }
        Ok(StepState::Unknown) => Decision::Start,
        // The run may be running: only its runner can tell how it ends.
        Err(Unavailable(reason)) if facts.handed_over && facts.unseen(now) => Decision::Unreachable(reason),
        Err(_) if facts.handed_over => Decision::Wait,
        Err(Unavailable(reason)) if facts.start_expired(now) => attempt_failed(facts, None, reason, now),
        Err(_) => Decision::Wait,
    }
}

/// A run that was cancelled or has reached its time limit, and the end that this leads to.
fn stop(
    facts: &Facts,
    observed: Result<StepState, Unavailable>,
    (event, why): (RunEvent, String),
    now: DateTime<Utc>,
) -> Decision {
    let end = |exit_code, reason| Decision::End { event, exit_code, reason: Some(reason) };
    match observed {
        // The run had succeeded before the server could stop it.
        Ok(StepState::Exited { exit_code, reason }) if !facts.was_asked_to_stop() && facts.is_success(exit_code) => {
            succeeded(exit_code, reason)
        }
        Ok(StepState::Exited { exit_code, .. }) => end(Some(exit_code), why),
        Ok(StepState::Failed { exit_code, .. }) => end(exit_code, why),
        Ok(StepState::CannotStart { .. } | StepState::Unknown | StepState::Lost) => end(None, why),
        Ok(StepState::Running | StepState::Starting { .. }) if facts.stubborn(now) => failed(None, STUBBORN),
        Ok(StepState::Running | StepState::Starting { .. }) => Decision::Stop,
        Err(_) if !facts.handed_over => end(None, why),
        Err(Unavailable(reason)) if facts.unseen(now) => {
            end(None, format!("{why}; the run may still be running, because its runner is unreachable: {reason}"))
        }
        Err(_) => Decision::Wait,
    }
}

fn succeeded(exit_code: i32, reason: Option<String>) -> Decision {
    let why = (exit_code != 0).then(|| format!("exit code {exit_code} counts as success"));
    let reason = match (why, reason) {
        (Some(why), Some(reason)) => Some(format!("{why}; {reason}")),
        (why, reason) => why.or(reason),
    };
    Decision::End { event: RunEvent::Succeeded, exit_code: Some(exit_code), reason }
}

/// An attempt that ended by itself.
fn exited(facts: &Facts, exit_code: i32, reason: Option<String>, now: DateTime<Utc>) -> Decision {
    if facts.interrupted {
        // A failed attempt whatever its exit code is: what the run has done so far may be incomplete.
        let how = reason.unwrap_or_else(|| format!("exit code {exit_code}"));
        let reason = format!("the server shut down and stopped the run: {how}");
        return attempt_failed(facts, Some(exit_code), reason, now);
    }
    if facts.is_success(exit_code) {
        return succeeded(exit_code, reason);
    }
    if facts.fail_fast_exit_codes.contains(&exit_code) && facts.attempt <= facts.max_nb_restart {
        return failed(Some(exit_code), format!("exit code {exit_code}, which is not retried"));
    }
    let reason = reason.unwrap_or_else(|| format!("exit code {exit_code}"));
    if facts.repeated_by_runner {
        return failed(Some(exit_code), reason);
    }
    attempt_failed(facts, Some(exit_code), reason, now)
}

/// A failed attempt is repeated while attempts and time are left. An attempt that could not be started is one, too.
fn attempt_failed(facts: &Facts, exit_code: Option<i32>, reason: String, now: DateTime<Utc>) -> Decision {
    if facts.attempt > facts.max_nb_restart {
        return failed(exit_code, reason);
    }
    let not_before = now + pause_after(facts.attempt, facts.backoff);
    if facts.deadline().is_some_and(|deadline| deadline <= not_before) {
        return failed(exit_code, format!("{reason}, and no time is left for another attempt"));
    }
    Decision::Retry { not_before, exit_code, reason }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
