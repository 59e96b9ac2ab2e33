//! Tests of the decisions about due times.

use chrono::TimeDelta;
use entity::id::JobId;
use entity::skipped_time::SkipReason::{Missed, Overlap, Paused, TooLate};
use entity::{schedule_pause, schedule_skip};
use serde_json::{Value, json};

use super::super::fixtures::{at, spec};
use super::{DueTimes, Holds, MAX_SEPARATE_ROWS, Policy, TimeDecision, Timing};

const RUN: TimeDecision = TimeDecision::Run { in_turn: false, replaces: false };
const IN_TURN: TimeDecision = TimeDecision::Run { in_turn: true, replaces: false };
const REPLACES: TimeDecision = TimeDecision::Run { in_turn: true, replaces: true };

/// The decisions about four times (10:00 to 10:03) that are found at `now`.
fn decisions(settings: Value, now: &str, open: usize) -> Vec<TimeDecision> {
    let spec = spec("* * * * *", "UTC", settings);
    let timing = Timing::of(JobId(uuid::Uuid::nil()), &spec).unwrap().unwrap();
    let due = timing.due(&Policy::of(&spec), &Holds::default(), at("2026-05-01T10:00:00Z"), at(now), open);
    assert_eq!((due.older, due.times.len()), (None, 4));
    due.times.into_iter().map(|(_, decision)| decision).collect()
}

#[test]
fn what_becomes_of_times_that_were_missed() {
    let soon = "2026-05-01T10:03:00.5Z";
    let missed = TimeDecision::Skip(Missed);
    assert_eq!(decisions(json!({}), soon, 0), [missed, missed, missed, RUN]);
    assert_eq!(decisions(json!({"cronjob.missed_runs": "none"}), soon, 0), [missed, missed, missed, RUN]);
    let all = |limit: i32| json!({"cronjob.missed_runs": "all", "cronjob.concurrency_policy": "Allow", "cronjob.missed_runs_limit": limit});
    assert_eq!(decisions(all(100), soon, 0), [RUN; 4]);
    assert_eq!(decisions(all(2), soon, 7), [missed, missed, RUN, RUN]);
    let deadline = json!({"cronjob.starting_deadline_seconds": 70, "cronjob.missed_runs": "all", "cronjob.concurrency_policy": "Allow"});
    assert_eq!(decisions(deadline, soon, 0), [TimeDecision::Skip(TooLate), TimeDecision::Skip(TooLate), RUN, RUN]);
    assert_eq!(decisions(json!({"cronjob.suspend": true}), soon, 0), [TimeDecision::Skip(Paused); 4]);
}

/// With `none` a missed time is not caught up, even if it is the only one.
#[test]
fn none_means_none() {
    let spec = spec("0 10 * * *", "UTC", json!({"cronjob.missed_runs": "none"}));
    let timing = Timing::of(JobId(uuid::Uuid::nil()), &spec).unwrap().unwrap();
    let planned = at("2026-05-01T10:00:00Z");
    let decision = |late: i64| {
        timing.due(&Policy::of(&spec), &Holds::default(), planned, planned + TimeDelta::seconds(late), 0).times[0].1
    };
    assert_eq!((decision(0), decision(60), decision(61)), (RUN, RUN, TimeDecision::Skip(Missed)));
}

#[test]
fn what_becomes_of_times_while_runs_are_open() {
    let now = "2026-05-01T10:03:10Z";
    let (overlap, missed) = (TimeDecision::Skip(Overlap), TimeDecision::Skip(Missed));
    let with = |policy: &str| json!({"cronjob.missed_runs": "all", "cronjob.concurrency_policy": policy});
    assert_eq!(decisions(with("Forbid"), now, 0), [RUN, IN_TURN, IN_TURN, IN_TURN]);
    // The open run may have ended while no server was there.
    assert_eq!(decisions(with("Forbid"), now, 1), [IN_TURN; 4]);
    let latest = json!({});
    assert_eq!(decisions(latest, now, 1), [missed, missed, missed, IN_TURN]);
    assert_eq!(decisions(with("Allow"), now, 3), [RUN; 4]);
    assert_eq!(decisions(with("Queue"), now, 1), [IN_TURN; 4]);
    assert_eq!(decisions(with("Queue"), now, 98), [IN_TURN, IN_TURN, overlap, overlap]);
    assert_eq!(decisions(with("Replace"), now, 1), [missed, missed, missed, REPLACES]);
    assert_eq!(decisions(with("Replace"), now, 0), [missed, missed, missed, IN_TURN]);
}

/// A time that is held back neither runs nor counts as newer than one that runs.
#[test]
fn times_that_are_held_back() {
    let spec = spec("* * * * *", "UTC", json!({}));
    let timing = Timing::of(JobId(uuid::Uuid::nil()), &spec).unwrap().unwrap();
    let job_id = JobId(uuid::Uuid::nil());
    let (planned, now) = (at("2026-05-01T10:00:00Z"), at("2026-05-01T10:03:10Z"));
    let pause = |from: &str, until: Option<&str>| schedule_pause::Model {
        job_id,
        paused_at: at(from),
        until: until.map(at),
        requested_by: "a".into(),
    };
    let skip = schedule_skip::Model { job_id, scheduled_for: now, requested_at: planned, requested_by: "b".into() };
    let skip = |time: &str| schedule_skip::Model { scheduled_for: at(time), ..skip.clone() };
    let (paused, missed) = (TimeDecision::Skip(Paused), TimeDecision::Skip(Missed));
    for (pause, skips, expected) in [
        (Some(pause("2026-05-01T10:01:00Z", None)), vec![], [RUN, paused, paused, paused]),
        (Some(pause("2026-05-01T10:01:30Z", Some("2026-05-01T10:03:00Z"))), vec![], [missed, missed, paused, RUN]),
        (None, vec![skip("2026-05-01T10:03:00Z")], [missed, missed, RUN, paused]),
        (None, vec![skip("2026-05-01T10:03:10Z"), skip("2026-05-01T10:00:00Z")], [paused, missed, missed, RUN]),
    ] {
        let holds = Holds { pause, skips, ..Holds::default() };
        let due = timing.due(&Policy::of(&spec), &holds, planned, now, 0);
        assert_eq!(due.times.into_iter().map(|(_, decision)| decision).collect::<Vec<_>>(), expected, "{holds:?}");
    }
    let holds = Holds { pause: Some(pause("2006-01-01T00:00:00Z", None)), ..Holds::default() };
    let long = timing.due(&Policy::of(&spec), &holds, at("2006-05-01T10:00:00Z"), now, 0);
    assert_eq!(long.older.map(|(_, _, reason)| reason), Some(Paused));
}

/// Nothing runs beside a run that is open at the time.
#[test]
fn forbid_keeps_a_time_out_that_comes_while_a_run_is_open() {
    let spec = spec("0 10 * * *", "UTC", json!({"cronjob.missed_runs": "all"}));
    let timing = Timing::of(JobId(uuid::Uuid::nil()), &spec).unwrap().unwrap();
    let planned = at("2026-05-01T10:00:00Z");
    let decision = |late: i64| {
        timing.due(&Policy::of(&spec), &Holds::default(), planned, planned + TimeDelta::seconds(late), 1).times[0].1
    };
    assert_eq!(
        (decision(0), decision(60), decision(61)),
        (TimeDecision::Skip(Overlap), TimeDecision::Skip(Overlap), IN_TURN)
    );
}

/// After years of downtime the newest times get a row each, the others share one, and the work is bounded.
#[test]
fn a_long_outage_is_bounded_work() {
    let spec = spec("* * * * *", "Europe/Paris", json!({}));
    let timing = Timing::of(JobId(uuid::Uuid::nil()), &spec).unwrap().unwrap();
    let (planned, now) = (at("2006-05-01T10:00:00Z"), at("2026-05-01T10:00:30Z"));
    let DueTimes { older, times, next } = timing.due(&Policy::of(&spec), &Holds::default(), planned, now, 0);
    assert_eq!(older, Some((planned, at("2026-05-01T08:20:00Z"), Missed)));
    assert_eq!(
        (times.len(), times[0].0, times[99]),
        (MAX_SEPARATE_ROWS, at("2026-05-01T08:21:00Z"), (at("2026-05-01T10:00:00Z"), RUN))
    );
    assert_eq!(next, Some(at("2026-05-01T10:01:00Z")));
}
