//! Tests of what becomes of times.

use chrono::TimeDelta;
use entity::id::JobId;
use entity::skipped_time::SkipReason::{Missed, Overlap, Paused, TooLate};
use serde_json::{Value, json};

use super::super::fixtures::{at, spec};
use super::{DueTimes, MAX_SEPARATE_ROWS, Policy, TimeDecision, Timing};

const RUN: TimeDecision = TimeDecision::Run { in_turn: false, replaces: false };
const IN_TURN: TimeDecision = TimeDecision::Run { in_turn: true, replaces: false };
const REPLACES: TimeDecision = TimeDecision::Run { in_turn: true, replaces: true };

/// The fates of four times (10:00 to 10:03) that are found at `now`.
fn fates(settings: Value, now: &str, open: usize) -> Vec<TimeDecision> {
    let spec = spec("* * * * *", "UTC", settings);
    let timing = Timing::of(JobId(uuid::Uuid::nil()), &spec).unwrap().unwrap();
    let due = timing.due(&Policy::of(&spec), at("2026-05-01T10:00:00Z"), at(now), open);
    assert_eq!((due.older, due.times.len()), (None, 4));
    due.times.into_iter().map(|(_, fate)| fate).collect()
}

#[test]
fn what_becomes_of_times_that_were_missed() {
    let soon = "2026-05-01T10:03:00.5Z";
    let missed = TimeDecision::Skip(Missed);
    assert_eq!(fates(json!({}), soon, 0), [missed, missed, missed, RUN]);
    assert_eq!(fates(json!({"cronjob.missed_runs": "none"}), soon, 0), [missed, missed, missed, RUN]);
    let all = |limit: i32| json!({"cronjob.missed_runs": "all", "cronjob.concurrency_policy": "Allow", "cronjob.missed_runs_limit": limit});
    assert_eq!(fates(all(100), soon, 0), [RUN; 4]);
    assert_eq!(fates(all(2), soon, 7), [missed, missed, RUN, RUN]);
    let deadline = json!({"cronjob.starting_deadline_seconds": 70, "cronjob.missed_runs": "all", "cronjob.concurrency_policy": "Allow"});
    assert_eq!(fates(deadline, soon, 0), [TimeDecision::Skip(TooLate), TimeDecision::Skip(TooLate), RUN, RUN]);
    assert_eq!(fates(json!({"cronjob.suspend": true}), soon, 0), [TimeDecision::Skip(Paused); 4]);
}

/// A time that nobody was there for is not made up for with `none`, also when it is the only one.
#[test]
fn none_means_none() {
    let spec = spec("0 10 * * *", "UTC", json!({"cronjob.missed_runs": "none"}));
    let timing = Timing::of(JobId(uuid::Uuid::nil()), &spec).unwrap().unwrap();
    let planned = at("2026-05-01T10:00:00Z");
    let fate = |late: i64| timing.due(&Policy::of(&spec), planned, planned + TimeDelta::seconds(late), 0).times[0].1;
    assert_eq!((fate(0), fate(60), fate(61)), (RUN, RUN, TimeDecision::Skip(Missed)));
}

#[test]
fn what_becomes_of_times_while_runs_are_open() {
    let now = "2026-05-01T10:03:10Z";
    let overlap = TimeDecision::Skip(Overlap);
    let with = |policy: &str| json!({"cronjob.missed_runs": "all", "cronjob.concurrency_policy": policy});
    assert_eq!(fates(with("Forbid"), now, 0), [RUN, overlap, overlap, overlap]);
    assert_eq!(fates(with("Forbid"), now, 1), [overlap; 4]);
    assert_eq!(fates(with("Allow"), now, 3), [RUN; 4]);
    assert_eq!(fates(with("Queue"), now, 1), [IN_TURN; 4]);
    assert_eq!(fates(with("Queue"), now, 98), [IN_TURN, IN_TURN, overlap, overlap]);
    assert_eq!(fates(with("Replace"), now, 1), [overlap, overlap, overlap, REPLACES]);
    assert_eq!(fates(with("Replace"), now, 0), [overlap, overlap, overlap, IN_TURN]);
}

/// After years of absence the newest times have a row each, the others share one, and it takes no time.
#[test]
fn a_long_absence_is_bounded_work() {
    let spec = spec("* * * * *", "Europe/Paris", json!({}));
    let timing = Timing::of(JobId(uuid::Uuid::nil()), &spec).unwrap().unwrap();
    let (planned, now) = (at("2006-05-01T10:00:00Z"), at("2026-05-01T10:00:30Z"));
    let DueTimes { older, times, next } = timing.due(&Policy::of(&spec), planned, now, 0);
    assert_eq!(older, Some((planned, at("2026-05-01T08:20:00Z"), Missed)));
    assert_eq!(
        (times.len(), times[0].0, times[99]),
        (MAX_SEPARATE_ROWS, at("2026-05-01T08:21:00Z"), (at("2026-05-01T10:00:00Z"), RUN))
    );
    assert_eq!(next, Some(at("2026-05-01T10:01:00Z")));
}
