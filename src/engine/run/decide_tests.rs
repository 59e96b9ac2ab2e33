//! Tests of the decisions, one by one.

use chrono::{DateTime, TimeDelta, Utc};

use super::super::facts::{Facts, Intent};
use super::super::transition::RunEvent;
use super::{Decision, decide};
use crate::runner::{StepState, Unavailable};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn facts() -> Facts {
    Facts {
        attempt: 1,
        max_nb_restart: 0,
        max_duration_seconds: 0,
        repeated_by_runner: false,
        start_asked_at: now() - TimeDelta::seconds(5),
        start_timeout: TimeDelta::seconds(300),
        started_at: Some(now() - TimeDelta::seconds(4)),
        attempt_started: true,
        handed_over: true,
        cancel_requested_at: None,
        stopping_at: None,
        stop_asked_at: None,
        seen_at: now(),
        lost_after: TimeDelta::seconds(900),
        stop_grace: TimeDelta::seconds(10),
        backoff: TimeDelta::seconds(10),
        success_exit_codes: Vec::new(),
        fail_fast_exit_codes: Vec::new(),
        interrupted: false,
        repeatable: false,
    }
}

fn exited(exit_code: i32) -> Result<StepState, Unavailable> {
    Ok(StepState::Exited { exit_code, reason: None })
}

fn ends(decision: Decision) -> (RunEvent, Option<i32>, String) {
    match decision {
        Decision::End { event, exit_code, reason } => (event, exit_code, reason.unwrap_or_default()),
        other => panic!("{other:?} does not end the run"),
    }
}

#[test]
fn exits() {
    assert_eq!(ends(decide(&facts(), exited(0), now())), (RunEvent::Succeeded, Some(0), String::new()));
    assert_eq!(ends(decide(&facts(), exited(3), now())), (RunEvent::Failed, Some(3), "exit code 3".into()));
    let oom = Ok(StepState::Exited { exit_code: 137, reason: Some("out of memory".into()) });
    assert_eq!(ends(decide(&facts(), oom, now())).2, "out of memory");
    // A child of the first process was killed, which then went on.
    let reason = "a process ran out of memory and was killed".to_owned();
    let survived = Ok(StepState::Exited { exit_code: 0, reason: Some(reason.clone()) });
    assert_eq!(ends(decide(&facts(), survived, now())), (RunEvent::Succeeded, Some(0), reason));
    let asked = Facts { cancel_requested_at: Some(now()), ..facts() };
    assert_eq!(ends(decide(&asked, exited(143), now())).0, RunEvent::Cancelled);
    // A run that succeeded before the server asked it to stop has succeeded; afterwards the server has decided.
    assert_eq!(ends(decide(&asked, exited(0), now())).0, RunEvent::Succeeded);
    let stopped = Facts { stopping_at: Some(now()), ..asked };
    assert_eq!(ends(decide(&stopped, exited(0), now())).0, RunEvent::Cancelled);
}

#[test]
fn retries_until_attempts_or_time_are_used_up() {
    let more = Facts { max_nb_restart: 1, ..facts() };
    assert_eq!(
        decide(&more, exited(1), now()),
        Decision::Retry {
            not_before: now() + TimeDelta::seconds(10),
            exit_code: Some(1),
            reason: "exit code 1".into()
        }
    );
    let last = Facts { attempt: 2, ..more.clone() };
    assert_eq!(ends(decide(&last, exited(1), now())).0, RunEvent::Failed);
    let no_time = Facts { max_duration_seconds: 10, ..more };
    assert!(ends(decide(&no_time, exited(1), now())).2.contains("no time is left"));
}

#[test]
fn the_duration_covers_all_attempts() {
    let late = Facts { max_duration_seconds: 4, ..facts() };
    assert_eq!(decide(&late, Ok(StepState::Running), now()), Decision::Stop);
    assert_eq!(ends(decide(&late, exited(143), now())).2, "the run exceeded its time limit of 4 seconds");
    assert_eq!(decide(&Facts { max_duration_seconds: 5, ..facts() }, Ok(StepState::Running), now()), Decision::Wait);
    assert_eq!(decide(&facts(), Ok(StepState::Running), now() + TimeDelta::days(900)), Decision::Wait);
}

/// A run that was asked to stop because its server shuts down has not succeeded, however it ends.
#[test]
fn a_shutdown_interrupts_a_run() {
    let asked = Facts { interrupted: true, ..facts() };
    let text = "the server shut down and stopped the run: exit code 0";
    assert_eq!(ends(decide(&asked, exited(0), now())), (RunEvent::Failed, Some(0), text.into()));
    let killed = Ok(StepState::Exited { exit_code: 137, reason: Some("killed by signal 9".into()) });
    assert_eq!(ends(decide(&asked, killed, now())).2, "the server shut down and stopped the run: killed by signal 9");
    let again = Facts { max_nb_restart: 1, fail_fast_exit_codes: vec![143], ..asked.clone() };
    let retry = Decision::Retry {
        not_before: now() + TimeDelta::seconds(10),
        exit_code: Some(143),
        reason: "the server shut down and stopped the run: exit code 143".into(),
    };
    assert_eq!(decide(&again, exited(143), now()), retry);
    let cancelled = Facts { cancel_requested_at: Some(now()), ..asked };
    for exit_code in [0, 143] {
        assert_eq!(ends(decide(&cancelled, exited(exit_code), now())).0, RunEvent::Cancelled);
    }
}

#[test]
fn exit_codes_by_choice() {
    let chosen = Facts {
        max_nb_restart: 3,
        success_exit_codes: vec![3],
        fail_fast_exit_codes: vec![64],
        backoff: TimeDelta::seconds(2),
        ..facts()
    };
    let success = (RunEvent::Succeeded, Some(3), "exit code 3 counts as success".into());
    assert_eq!(ends(decide(&chosen, exited(3), now())), success);
    assert!(ends(decide(&chosen, exited(64), now())).2.contains("not retried"));
    let again =
        Decision::Retry { not_before: now() + TimeDelta::seconds(2), exit_code: Some(1), reason: "exit code 1".into() };
    assert_eq!(decide(&chosen, exited(1), now()), again);
}

/// A silent engine ends no run, because the run may go on. Only one that is to be stopped does not wait for it.
#[test]
fn a_silent_engine_is_waited_for() {
    let silent = Err(Unavailable("no engine".into()));
    assert_eq!(decide(&facts(), silent.clone(), now() + TimeDelta::seconds(899)), Decision::Wait);
    let late = now() + TimeDelta::seconds(900);
    assert_eq!(decide(&facts(), silent.clone(), late), Decision::Unreachable("no engine".into()));
    let cancelled = Facts { cancel_requested_at: Some(now()), ..facts() };
    assert_eq!(decide(&cancelled, silent.clone(), now() + TimeDelta::seconds(899)), Decision::Wait);
    let (event, _, reason) = ends(decide(&cancelled, silent.clone(), late));
    assert_eq!(event, RunEvent::Cancelled);
    assert!(reason.contains("no engine"), "{reason}");
    let limited = Facts { max_duration_seconds: 60, ..facts() };
    let (event, _, reason) = ends(decide(&limited, silent, late));
    assert_eq!(event, RunEvent::Failed);
    assert!(reason.contains("time limit of 60 seconds") && reason.contains("no engine"), "{reason}");
}

/// No run waits forever: not for one that does not stop, and not for a start.
#[test]
fn everything_ends() {
    let unheard = Facts { cancel_requested_at: Some(now()), ..facts() };
    // The runner has not been asked to stop the run yet; that comes first.
    assert_eq!(decide(&unheard, Ok(StepState::Running), now() + TimeDelta::days(1)), Decision::Stop);
    let asked = Facts { stop_asked_at: Some(now()), ..unheard };
    assert_eq!(decide(&asked, Ok(StepState::Running), now() + TimeDelta::seconds(309)), Decision::Stop);
    assert!(ends(decide(&asked, Ok(StepState::Running), now() + TimeDelta::seconds(310))).2.contains("did not end"));
    let build = Facts { repeatable: true, max_duration_seconds: 60, ..facts() };
    assert_eq!(decide(&build, Ok(StepState::Lost), now()), Decision::Start);
    assert_eq!(decide(&build, Ok(StepState::Unknown), now()), Decision::Start);
    assert_eq!(ends(decide(&build, Ok(StepState::Unknown), now() + TimeDelta::seconds(60))).0, RunEvent::Failed);
}

#[test]
fn starting_and_not_starting() {
    let fresh = Facts { attempt_started: false, handed_over: false, started_at: None, ..facts() };
    assert_eq!(decide(&fresh, Ok(StepState::Unknown), now()), Decision::Start);
    let late = now() + TimeDelta::seconds(300);
    let cannot_start = Ok(StepState::CannotStart { reason: "no image".into() });
    assert_eq!(ends(decide(&fresh, cannot_start.clone(), now())).2, "no image");
    // The time before a runner was asked does not count.
    let asked_late = Facts { start_asked_at: late, ..fresh.clone() };
    assert_eq!(decide(&asked_late, Ok(StepState::Unknown), late), Decision::Start);
    // A start that failed is an attempt, and is repeated like one.
    let more = Facts { max_nb_restart: 1, ..fresh.clone() };
    let retried = |at: DateTime<Utc>, reason: &str| Decision::Retry {
        not_before: at + TimeDelta::seconds(10),
        exit_code: None,
        reason: reason.into(),
    };
    assert_eq!(decide(&more, cannot_start.clone(), now()), retried(now(), "no image"));
    let by_runner = Facts { repeated_by_runner: true, ..more.clone() };
    assert_eq!(decide(&by_runner, cannot_start, now()), retried(now(), "no image"));
    assert_eq!(ends(decide(&by_runner, exited(1), now())).0, RunEvent::Failed);
    let pulling = Ok(StepState::Starting { reason: Some("pulling".into()) });
    let in_time = "the run could not be started in time: pulling";
    assert_eq!(decide(&more, pulling, late), retried(late, in_time));
    assert_eq!(decide(&more, Err(Unavailable("no engine".into())), late), retried(late, "no engine"));
    // A run that was seen running and is gone is never started again; neither is one that a killed server may have started.
    for gone in [decide(&facts(), Ok(StepState::Unknown), now()), decide(&fresh, Ok(StepState::Lost), now())] {
        let (event, _, reason) = ends(gone);
        assert_eq!(event, RunEvent::Lost);
        assert!(reason.contains("lost"), "{reason}");
    }
}

/// The limit that a run has reached first, or the request to cancel it: the server stops it once, for one reason.
#[test]
fn the_first_reason_to_stop_counts() {
    let second = |number| now() + TimeDelta::seconds(number);
    let limited = Facts { max_duration_seconds: 5, ..facts() };
    assert_eq!(limited.intent(now()), Intent::GoOn);
    assert_eq!(limited.intent(second(1)), Intent::EndAtLimit);
    let cancelled = Facts { cancel_requested_at: Some(second(3)), ..limited };
    assert_eq!(cancelled.intent(second(3)), Intent::Cancel);
    let stopping = |since| Facts { stopping_at: Some(second(since)), ..cancelled.clone() };
    assert_eq!(stopping(2).intent(second(4)), Intent::EndAtLimit);
    assert_eq!(stopping(3).intent(second(4)), Intent::Cancel);
    // A tick that began before the cancellation was requested saw it, and stores its own time.
    let unlimited = Facts { max_duration_seconds: 0, ..stopping(2) };
    assert_eq!(unlimited.intent(second(4)), Intent::Cancel);
    // A clock that is set back changes nothing.
    assert_eq!(stopping(2).intent(second(-60)), Intent::EndAtLimit);
}

#[path = "decide_table_tests.rs"]
mod table;
