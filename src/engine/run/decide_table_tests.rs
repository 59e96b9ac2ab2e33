//! Every decision: each state of a run, with each intent, for each report of a runner.

use chrono::{DateTime, TimeDelta, Utc};

use super::super::super::facts::{Facts, Intent};
use super::super::super::transition::{RunEvent, next_state};
use super::super::{Decision, decide};
use super::{facts, now};
use crate::runner::{StepState, Unavailable};
use entity::run::RunState;

type Observed = Result<StepState, Unavailable>;

/// How far the current attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No runner was asked to start it.
    Claimed,
    /// A runner may have started it.
    HandedOver,
    /// It was seen running.
    Started,
}

/// How far the server is with stopping the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopping {
    NotYet,
    Asked,
    /// Asked so long ago that the run is given up.
    Ignored,
}

const PHASES: [Phase; 3] = [Phase::Claimed, Phase::HandedOver, Phase::Started];
const INTENTS: [Intent; 3] = [Intent::GoOn, Intent::Cancel, Intent::EndAtLimit];
const STOPPINGS: [Stopping; 3] = [Stopping::NotYet, Stopping::Asked, Stopping::Ignored];
const BOTH: [bool; 2] = [false, true];

fn late() -> DateTime<Utc> {
    now() + TimeDelta::hours(1)
}

/// Everything else that a decision depends on.
#[derive(Clone, Copy, Debug)]
struct Rest {
    start_expired: bool,
    unseen: bool,
    attempts_left: bool,
    repeatable: bool,
    interrupted: bool,
}

fn rests() -> impl Iterator<Item = Rest> {
    (0..32_u8).map(|bits| Rest {
        start_expired: bits & 1 > 0,
        unseen: bits & 2 > 0,
        attempts_left: bits & 4 > 0,
        repeatable: bits & 8 > 0,
        interrupted: bits & 16 > 0,
    })
}

/// The facts about a run an hour after it was claimed.
fn with(phase: Phase, intent: Intent, stopping: Stopping, rest: Rest) -> Facts {
    let ago = |seconds| late() - TimeDelta::seconds(seconds);
    Facts {
        attempt_started: phase == Phase::Started,
        handed_over: phase != Phase::Claimed,
        started_at: Some(ago(3000)),
        max_duration_seconds: if intent == Intent::EndAtLimit { 60 } else { 0 },
        cancel_requested_at: (intent == Intent::Cancel).then(|| ago(2000)),
        stopping_at: (stopping != Stopping::NotYet).then(|| ago(1000)),
        stop_asked_at: match stopping {
            Stopping::NotYet => None,
            Stopping::Asked => Some(ago(1)),
            Stopping::Ignored => Some(ago(1000)),
        },
        start_asked_at: ago(if rest.start_expired { 300 } else { 299 }),
        seen_at: ago(if rest.unseen { 900 } else { 899 }),
        max_nb_restart: i32::from(rest.attempts_left),
        success_exit_codes: vec![3],
        repeatable: rest.repeatable,
        interrupted: rest.interrupted,
        ..facts()
    }
}

fn observations() -> [(&'static str, Observed); 10] {
    let exited = |exit_code| Ok(StepState::Exited { exit_code, reason: None });
    [
        ("exit 0", exited(0)),
        ("exit 3", exited(3)),
        ("exit 1", exited(1)),
        ("failed", Ok(StepState::Failed { exit_code: None, reason: "evicted".into() })),
        ("cannot start", Ok(StepState::CannotStart { reason: "no image".into() })),
        ("starting", Ok(StepState::Starting { reason: None })),
        ("running", Ok(StepState::Running)),
        ("unknown", Ok(StepState::Unknown)),
        ("lost", Ok(StepState::Lost)),
        ("no answer", Err(Unavailable("no engine".into()))),
    ]
}

/// A case, its name, and what is decided.
struct Case {
    phase: Phase,
    intent: Intent,
    stopping: Stopping,
    rest: Rest,
    observed: Observed,
    decision: Decision,
    name: String,
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (phase, intent, stopping) in combinations() {
        for rest in rests() {
            let facts = with(phase, intent, stopping, rest);
            assert_eq!(facts.intent(late()), intent);
            for (report, observed) in observations() {
                let decision = decide(&facts, observed.clone(), late());
                let name = format!("{phase:?}, {intent:?}, {stopping:?}, {rest:?}, {report}: {decision:?}");
                cases.push(Case { phase, intent, stopping, rest, observed, decision, name });
            }
        }
    }
    cases
}

/// Each phase with each intent; a run that nobody wants to stop is not being stopped.
fn combinations() -> Vec<(Phase, Intent, Stopping)> {
    let all = PHASES.into_iter().flat_map(|phase| INTENTS.map(|intent| (phase, intent)));
    let all = all.flat_map(|(phase, intent)| STOPPINGS.map(|stopping| (phase, intent, stopping)));
    all.filter(|(_, intent, stopping)| *intent != Intent::GoOn || *stopping == Stopping::NotYet).collect()
}

fn ends(decision: &Decision) -> Option<(RunEvent, &str)> {
    match decision {
        Decision::End { event, reason, .. } => Some((*event, reason.as_deref().unwrap_or_default())),
        _ => None,
    }
}

#[test]
fn what_is_decided_is_possible_and_has_a_reason() {
    for Case { decision, name, .. } in cases() {
        let event = match &decision {
            Decision::Retry { reason, .. } => {
                assert!(!reason.is_empty(), "{name}");
                RunEvent::Retried
            }
            Decision::End { event, reason, .. } => {
                let needs_reason = *event != RunEvent::Succeeded;
                assert!(!needs_reason || reason.as_ref().is_some_and(|reason| !reason.is_empty()), "{name}");
                *event
            }
            _ => continue,
        };
        assert!(next_state(RunState::Running, event).is_some(), "{name}");
    }
}

/// Once a run is to be stopped, it is neither started nor repeated; once the server has begun to stop it, it ends as the server
/// decided.
#[test]
fn a_run_ends_as_the_server_decided() {
    for Case { intent, stopping, observed, decision, name, .. } in cases() {
        if intent == Intent::GoOn {
            assert!(decision != Decision::Stop, "{name}");
            assert!(ends(&decision).is_none_or(|(event, _)| event != RunEvent::Cancelled), "{name}");
            continue;
        }
        assert!(!matches!(decision, Decision::Start | Decision::Retry { .. } | Decision::Unreachable(_)), "{name}");
        let Some((event, reason)) = ends(&decision) else { continue };
        let is_there = matches!(observed, Ok(StepState::Running | StepState::Starting { .. }));
        let given_up = is_there && reason.contains("did not end");
        let succeeded = event == RunEvent::Succeeded && stopping == Stopping::NotYet;
        let wanted = match intent {
            Intent::Cancel => event == RunEvent::Cancelled && reason.starts_with("the run was cancelled"),
            _ => event == RunEvent::Failed && reason.starts_with("the run exceeded its time limit of 60 seconds"),
        };
        assert!(given_up || succeeded || wanted, "{name}");
    }
}

/// Only what succeeded has succeeded.
#[test]
fn success_needs_an_exit_code() {
    for Case { intent, stopping, rest, observed, decision, name, .. } in cases() {
        let success = matches!(observed, Ok(StepState::Exited { exit_code: 0 | 3, .. }));
        let stopped = rest.interrupted || (intent != Intent::GoOn && stopping != Stopping::NotYet);
        let expected = success && !stopped;
        assert_eq!(ends(&decision).is_some_and(|(event, _)| event == RunEvent::Succeeded), expected, "{name}");
    }
}

/// What may be running is never started a second time, and is not ended unless it ignores the request to stop.
#[test]
fn what_may_be_running_is_left_alone() {
    for Case { phase, intent, stopping, rest, observed, decision, name } in cases() {
        match observed {
            Ok(StepState::Running) => {
                let expected = match (intent, stopping) {
                    (Intent::GoOn, _) => decision == Decision::Wait,
                    (_, Stopping::Ignored) => ends(&decision).is_some(),
                    _ => decision == Decision::Stop,
                };
                assert!(expected, "{name}");
            }
            Err(_) if phase != Phase::Claimed => {
                let expected = match (intent, rest.unseen) {
                    (_, false) => decision == Decision::Wait,
                    (Intent::GoOn, true) => matches!(decision, Decision::Unreachable(_)),
                    (_, true) => ends(&decision).is_some_and(|(_, reason)| reason.contains("may still be running")),
                };
                assert!(expected, "{name}");
            }
            _ => {}
        }
        if decision == Decision::Start {
            let unstarted =
                observed.as_ref().is_ok_and(|state| *state == StepState::Unknown) && phase != Phase::Started;
            assert!(unstarted || rest.repeatable, "{name}");
        }
        let lost = ends(&decision).is_some_and(|(event, _)| event == RunEvent::Lost);
        assert!(!lost || matches!(observed, Ok(StepState::Lost | StepState::Unknown)), "{name}");
    }
}

/// A failed attempt is repeated while attempts are left, whether it exited or could not be started.
#[test]
fn attempts_are_repeated() {
    for Case { phase, intent, rest, observed, decision, name, .. } in cases() {
        let failed = match observed {
            Ok(StepState::Exited { exit_code: 1, .. } | StepState::CannotStart { .. }) => true,
            // Its server shuts down: what it has done may be incomplete.
            Ok(StepState::Exited { .. }) => rest.interrupted,
            Ok(StepState::Starting { .. }) => rest.start_expired,
            Ok(StepState::Unknown) => rest.start_expired && phase != Phase::Started,
            Err(_) => rest.start_expired && phase == Phase::Claimed,
            _ => false,
        };
        let failed = failed && intent == Intent::GoOn;
        assert_eq!(matches!(decision, Decision::Retry { .. }), failed && rest.attempts_left, "{name}");
        if failed && !rest.attempts_left {
            assert!(ends(&decision).is_some_and(|(event, _)| event == RunEvent::Failed), "{name}");
        }
    }
}

/// Nothing waits forever for a start or for a stop.
#[test]
fn waiting_ends() {
    for Case { phase, stopping, rest, observed, decision, name, .. } in cases() {
        let waits = matches!(decision, Decision::Wait | Decision::Start | Decision::Stop);
        let expected = match observed {
            // A run without a limit may run for as long as it likes.
            Ok(StepState::Running) => stopping != Stopping::Ignored,
            Ok(StepState::Starting { .. }) => !rest.start_expired || decision == Decision::Stop,
            Ok(StepState::Unknown | StepState::Lost) => true,
            Err(_) => !rest.unseen || (phase == Phase::Claimed && !rest.start_expired),
            Ok(_) => false,
        };
        assert!(!waits || expected, "{name}");
        assert!(decision != Decision::Stop || stopping != Stopping::Ignored, "{name}");
    }
}

/// The decisions as a table, for a run whose last attempt it is.
#[test]
fn decisions() {
    let rest =
        Rest { start_expired: false, unseen: false, attempts_left: false, repeatable: false, interrupted: false };
    let mut lines = vec![observations().map(|(report, _)| report).join(", ")];
    for (phase, intent, stopping) in combinations() {
        let facts = with(phase, intent, stopping, rest);
        let word = |(_, observed): (&str, Observed)| match decide(&facts, observed, late()) {
            Decision::End { event, .. } => format!("{event:?}"),
            other => format!("{other:?}"),
        };
        lines.push(format!("{phase:?} {intent:?} {stopping:?}: {}", observations().map(word).join(" ")));
    }
    let stopped = |end: &str| format!("{end} {end} {end} {end} {end} Stop Stop {end} {end}");
    let unstopped = |end: &str| format!("Succeeded Succeeded {end} {end} {end} Stop Stop {end} {end}");
    let ignored = |end: &str| format!("{end} {end} {end} {end} {end} Failed Failed {end} {end}");
    let mut expected =
        vec!["exit 0, exit 3, exit 1, failed, cannot start, starting, running, unknown, lost, no answer".to_owned()];
    for (phase, unknown) in [("Claimed", "Start"), ("HandedOver", "Start"), ("Started", "Lost")] {
        let go_on = format!("Succeeded Succeeded Failed Failed Failed Wait Wait {unknown} Lost Wait");
        expected.push(format!("{phase} GoOn NotYet: {go_on}"));
        for (intent, end) in [("Cancel", "Cancelled"), ("EndAtLimit", "Failed")] {
            let silent = if phase == "Claimed" { end } else { "Wait" };
            expected.push(format!("{phase} {intent} NotYet: {} {silent}", unstopped(end)));
            expected.push(format!("{phase} {intent} Asked: {} {silent}", stopped(end)));
            expected.push(format!("{phase} {intent} Ignored: {} {silent}", ignored(end)));
        }
    }
    assert_eq!(lines, expected);
}

/// A run whose image is a build, or that applies a schedule, is started again when it was lost.
#[test]
fn what_can_be_repeated_is_started_again() {
    for Case { phase, intent, rest, observed, decision, name, .. } in cases() {
        let gone = match observed {
            Ok(StepState::Lost) => true,
            Ok(StepState::Unknown) => phase == Phase::Started || !rest.start_expired,
            _ => false,
        };
        if rest.repeatable && gone && intent == Intent::GoOn {
            assert_eq!(decision, Decision::Start, "{name}");
        }
    }
    for repeatable in BOTH {
        let rest = Rest { start_expired: false, unseen: false, attempts_left: true, repeatable, interrupted: false };
        let facts = with(Phase::Started, Intent::GoOn, Stopping::NotYet, rest);
        let decision = decide(&facts, Ok(StepState::Lost), late());
        assert_eq!(decision == Decision::Start, repeatable);
    }
}
