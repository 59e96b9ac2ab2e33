//! Tests of the decisions, one by one.

use chrono::{DateTime, TimeDelta, Utc};

use super::super::facts::Facts;
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
        ready_at: now() - TimeDelta::seconds(5),
        start_timeout: TimeDelta::seconds(300),
        started_at: Some(now() - TimeDelta::seconds(4)),
        attempt_started: true,
        handed_over: true,
        cancel_requested_at: None,
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
    let asked = Facts { cancel_requested_at: Some(now()), ..facts() };
    assert_eq!(ends(decide(&asked, exited(143), now())).0, RunEvent::Cancelled);
    // A run that succeeded before it could be cancelled has succeeded.
    assert_eq!(ends(decide(&asked, exited(0), now())).0, RunEvent::Succeeded);
}

#[test]
fn retries_until_attempts_or_time_are_used_up() {
    let more = Facts { max_nb_restart: 1, ..facts() };
    assert_eq!(
        decide(&more, exited(1), now()),
        Decision::Retry { not_before: now() + TimeDelta::seconds(10), exit_code: 1 }
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
    let retry = Decision::Retry { not_before: now() + TimeDelta::seconds(10), exit_code: 143 };
    assert_eq!(decide(&again, exited(143), now()), retry);
    let cancelled = Facts { cancel_requested_at: Some(now()), ..asked };
    assert_eq!(ends(decide(&cancelled, exited(143), now())).0, RunEvent::Cancelled);
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
    let again = Decision::Retry { not_before: now() + TimeDelta::seconds(2), exit_code: 1 };
    assert_eq!(decide(&chosen, exited(1), now()), again);
}

/// No run waits forever: neither for an engine that went silent, nor for a run that does not stop.
#[test]
fn everything_ends() {
    let silent = Err(Unavailable("no engine".into()));
    assert_eq!(decide(&facts(), silent.clone(), now() + TimeDelta::seconds(899)), Decision::Wait);
    assert!(ends(decide(&facts(), silent, now() + TimeDelta::seconds(900))).2.contains("no engine"));
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
    assert_eq!(decide(&fresh, Ok(StepState::Starting { reason: None }), now()), Decision::Wait);
    assert_eq!(decide(&fresh, Err(Unavailable("x".into())), now()), Decision::Wait);
    let late = now() + TimeDelta::seconds(300);
    for observed in
        [Ok(StepState::Unknown), Ok(StepState::Starting { reason: None }), Err(Unavailable("no engine".into()))]
    {
        assert_eq!(ends(decide(&fresh, observed, late)).0, RunEvent::Failed);
    }
    assert_eq!(ends(decide(&fresh, Ok(StepState::CannotStart { reason: "no image".into() }), now())).2, "no image");
    // A run that may have been started gets as much time as one that was.
    let maybe = Facts { handed_over: true, ..fresh.clone() };
    assert_eq!(decide(&maybe, Err(Unavailable("x".into())), late), Decision::Wait);
    // A run that was seen running and is gone is never started again.
    assert!(ends(decide(&facts(), Ok(StepState::Unknown), now())).2.contains("lost"));
    // Neither is one that a killed server may have started.
    assert!(ends(decide(&fresh, Ok(StepState::Lost), now())).2.contains("lost"));
    assert_eq!(decide(&facts(), Err(Unavailable("x".into())), late), Decision::Wait);
    let asked = Facts { cancel_requested_at: Some(now()), ..fresh };
    assert_eq!(ends(decide(&asked, Ok(StepState::Unknown), now())).0, RunEvent::Cancelled);
    assert_eq!(decide(&asked, Ok(StepState::Starting { reason: None }), now()), Decision::Stop);
    assert_eq!(decide(&asked, Ok(StepState::Running), now()), Decision::Stop);
}
