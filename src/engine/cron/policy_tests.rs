//! Tests of what becomes of times.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::JobId;
use entity::job_spec::{Command, JobSpec, Schedule, Source};
use entity::skipped_time::SkipReason::{Missed, Overlap, Paused, TooLate};
use serde_json::{Value, json};

use super::{Concurrency, Due, Fate, MissedRuns, Policy, TOLD_APART, Timing};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn spec(expression: &str, zone: &str, settings: Value) -> JobSpec {
    let settings: BTreeMap<String, Value> = serde_json::from_value(settings).unwrap();
    JobSpec {
        description: String::new(),
        cpu_milli: 100,
        memory_mib: 64,
        gpu: 0,
        ephemeral_storage_gib: None,
        cpu_architecture: None,
        max_nb_restart: 0,
        max_duration_seconds: 0,
        auto_preview: false,
        auto_deploy: false,
        port: None,
        icon_uri: String::new(),
        healthchecks: entity::job_spec::Healthchecks::default(),
        source: Source::Docker {
            git_repository: None,
            dockerfile_path: None,
            dockerfile_raw: None,
            docker_target_build_stage: None,
        },
        schedule: Schedule::Cron {
            scheduled_at: expression.into(),
            timezone: zone.into(),
            command: Command::default(),
        },
        annotations_groups: Vec::new(),
        labels_groups: Vec::new(),
        settings,
    }
}

fn timing(expression: &str, zone: &str, settings: Value) -> Timing {
    Timing::of(JobId(uuid::Uuid::nil()), &spec(expression, zone, settings)).unwrap().unwrap()
}

const RUN: Fate = Fate::Run { in_turn: false, replaces: false };
const IN_TURN: Fate = Fate::Run { in_turn: true, replaces: false };
const REPLACES: Fate = Fate::Run { in_turn: true, replaces: true };

/// The fates of four times (10:00 to 10:03) that are found at `now`.
fn fates(settings: Value, now: &str, open: usize) -> Vec<Fate> {
    let spec = spec("* * * * *", "UTC", settings);
    let timing = Timing::of(JobId(uuid::Uuid::nil()), &spec).unwrap().unwrap();
    let due = timing.due(&Policy::of(&spec), at("2026-05-01T10:00:00Z"), at(now), open);
    assert_eq!((due.older, due.times.len()), (None, 4));
    due.times.into_iter().map(|(_, fate)| fate).collect()
}

#[test]
fn what_becomes_of_times_that_were_missed() {
    let soon = "2026-05-01T10:03:00.5Z";
    let missed = Fate::Skip(Missed);
    assert_eq!(fates(json!({}), soon, 0), [missed, missed, missed, RUN]);
    assert_eq!(fates(json!({"cronjob.missed_runs": "none"}), soon, 0), [missed, missed, missed, RUN]);
    let all = |limit: i32| json!({"cronjob.missed_runs": "all", "cronjob.concurrency_policy": "Allow", "cronjob.missed_runs_limit": limit});
    assert_eq!(fates(all(100), soon, 0), [RUN; 4]);
    assert_eq!(fates(all(2), soon, 7), [missed, missed, RUN, RUN]);
    let deadline = json!({"cronjob.starting_deadline_seconds": 70, "cronjob.missed_runs": "all", "cronjob.concurrency_policy": "Allow"});
    assert_eq!(fates(deadline, soon, 0), [Fate::Skip(TooLate), Fate::Skip(TooLate), RUN, RUN]);
    assert_eq!(fates(json!({"cronjob.suspend": true}), soon, 0), [Fate::Skip(Paused); 4]);
}

/// A time that nobody was there for is not made up for with `none`, also when it is the only one.
#[test]
fn none_means_none() {
    let spec = spec("0 10 * * *", "UTC", json!({"cronjob.missed_runs": "none"}));
    let timing = Timing::of(JobId(uuid::Uuid::nil()), &spec).unwrap().unwrap();
    let planned = at("2026-05-01T10:00:00Z");
    let fate = |late: i64| timing.due(&Policy::of(&spec), planned, planned + TimeDelta::seconds(late), 0).times[0].1;
    assert_eq!((fate(0), fate(60), fate(61)), (RUN, RUN, Fate::Skip(Missed)));
}

#[test]
fn what_becomes_of_times_while_runs_are_open() {
    let now = "2026-05-01T10:03:10Z";
    let overlap = Fate::Skip(Overlap);
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
    let Due { older, times, next } = timing.due(&Policy::of(&spec), planned, now, 0);
    assert_eq!(older, Some((planned, at("2026-05-01T08:20:00Z"), Missed)));
    assert_eq!(
        (times.len(), times[0].0, times[99]),
        (TOLD_APART, at("2026-05-01T08:21:00Z"), (at("2026-05-01T10:00:00Z"), RUN))
    );
    assert_eq!(next, Some(at("2026-05-01T10:01:00Z")));
}

/// Going from `next` to `next` meets the same times as `newest`.
#[test]
fn newest_is_what_walking_finds() {
    let (from, until) = (at("2026-03-01T00:00:00Z"), at("2026-04-02T11:07:00Z"));
    for (expression, zone) in [
        ("*/7 * * * *", "UTC"),
        ("30 2 * * *", "Europe/Paris"),
        ("0 0 1 * *", "UTC"),
        ("5 4 * * 1", "America/New_York"),
    ] {
        let timing = timing(expression, zone, json!({"cronjob.jitter_seconds": 500}));
        let walked: Vec<_> =
            std::iter::successors(timing.next(from - TimeDelta::microseconds(1)), |time| timing.next(*time))
                .take_while(|time| *time <= until)
                .collect();
        for count in [1, 5, 1000] {
            assert_eq!(timing.newest(from, until, count), walked[walked.len().saturating_sub(count)..], "{expression}");
        }
        assert!(timing.newest(from, from - TimeDelta::seconds(1), 3).is_empty());
    }
    for (text, newest) in [("0 0 29 2 *", "2096-02-29T00:00:00Z"), ("* * * * *", "2102-12-31T23:59:00Z")] {
        let found = timing(text, "UTC", json!({})).newest(at("2000-01-01T00:00:00Z"), at("2102-12-31T23:59:59Z"), 1);
        assert_eq!(found, [at(newest)], "{text}");
    }
}

#[test]
fn jitter_is_the_jobs_own_and_stays() {
    let of = |job: u128, widest: i32| {
        let id = JobId(uuid::Uuid::from_u128(job));
        Timing::of(id, &spec("0 * * * *", "UTC", json!({"cronjob.jitter_seconds": widest}))).unwrap().unwrap()
    };
    let all: std::collections::BTreeSet<_> = (0..500).map(|job| of(job, 59).jitter).collect();
    assert!(all.len() > 50 && all.iter().all(|jitter| (0..60).contains(&jitter.num_seconds())), "{all:?}");
    let one = of(7, 3000);
    assert_eq!(one, of(7, 3000));
    let after = at("2026-05-01T10:00:00Z") + one.jitter;
    assert_eq!(one.next(after), Some(at("2026-05-01T11:00:00Z") + one.jitter));
    assert_eq!(one.next(after - TimeDelta::seconds(1)), Some(after));
    assert_eq!(of(7, 0).jitter, TimeDelta::zero());
}

#[test]
fn turns_of_the_clocks_by_choice() {
    let day = |settings: Value, expression: &str, from: &str| {
        let timing = timing(expression, "Europe/Paris", settings);
        let from = at(from);
        std::iter::successors(timing.next(from), |time| timing.next(*time))
            .take_while(|time| *time <= from + TimeDelta::hours(6))
            .map(|time| time.format("%H:%M").to_string())
            .collect::<Vec<_>>()
    };
    // 02:00 to 03:00 is left out: 01:00 UTC is 03:00.
    let spring = "2026-03-29T00:00:00Z";
    assert_eq!(day(json!({}), "30 2 * * *", spring), ["01:00"]);
    assert_eq!(day(json!({"cronjob.dst_gap": "skip"}), "30 2 * * *", spring), Vec::<String>::new());
    assert_eq!(day(json!({"cronjob.dst_gap": "run_after"}), "15 */2 * * *", spring), ["01:00", "02:15", "04:15"]);
    assert_eq!(day(json!({}), "15 */2 * * *", spring), ["02:15", "04:15"]);
    // 02:00 to 03:00 comes twice: at 00:00 and at 01:00 UTC.
    let autumn = "2026-10-24T23:00:00Z";
    for (choice, fixed, stepped) in [
        (json!({}), vec!["00:30"], vec!["23:30", "00:00", "00:30", "01:00", "01:30", "02:00"]),
        (
            json!({"cronjob.dst_overlap": "first"}),
            vec!["00:30"],
            vec!["23:30", "00:00", "00:30", "02:00", "02:30", "03:00"],
        ),
        (
            json!({"cronjob.dst_overlap": "last"}),
            vec!["01:30"],
            vec!["23:30", "01:00", "01:30", "02:00", "02:30", "03:00"],
        ),
        (
            json!({"cronjob.dst_overlap": "both"}),
            vec!["00:30", "01:30"],
            vec!["23:30", "00:00", "00:30", "01:00", "01:30", "02:00"],
        ),
    ] {
        assert_eq!(day(choice.clone(), "30 2 * * *", autumn), fixed, "{choice}");
        let found = day(choice.clone(), "*/30 * * * *", autumn);
        assert_eq!(found[..6], stepped, "{choice}");
    }
    // From within the first pass.
    let last = timing("30 2 * * *", "Europe/Paris", json!({"cronjob.dst_overlap": "last"}));
    assert_eq!(last.next(at("2026-10-25T00:45:00Z")), Some(at("2026-10-25T01:30:00Z")));
}

#[test]
fn without_settings_it_is_as_kubernetes_does() {
    let policy = Policy::of(&spec("* * * * *", "UTC", json!({})));
    let expected = Policy {
        missed: MissedRuns::Latest,
        starting_deadline: None,
        concurrency: Concurrency::Forbid,
        suspended: false,
    };
    assert_eq!(policy, expected);
}
