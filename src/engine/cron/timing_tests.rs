//! Tests of the times of a job.

use chrono::TimeDelta;
use entity::id::JobId;
use serde_json::{Value, json};

use super::super::fixtures::{at, spec, timing};
use super::Timing;

/// `newest` returns the times that repeated calls of `next` return.
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
fn jitter_is_fixed_for_each_job() {
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
fn rules_for_clock_changes() {
    let day = |settings: Value, expression: &str, from: &str| {
        let timing = timing(expression, "Europe/Paris", settings);
        let from = at(from);
        std::iter::successors(timing.next(from), |time| timing.next(*time))
            .take_while(|time| *time <= from + TimeDelta::hours(6))
            .map(|time| time.format("%H:%M").to_string())
            .collect::<Vec<_>>()
    };
    // 02:00 to 03:00 is skipped: 01:00 UTC is 03:00.
    let spring = "2026-03-29T00:00:00Z";
    assert_eq!(day(json!({}), "30 2 * * *", spring), ["01:00"]);
    assert_eq!(day(json!({"cronjob.dst_gap": "skip"}), "30 2 * * *", spring), Vec::<String>::new());
    assert_eq!(day(json!({"cronjob.dst_gap": "run_after"}), "15 */2 * * *", spring), ["01:00", "02:15", "04:15"]);
    assert_eq!(day(json!({"cronjob.dst_gap": "shift"}), "30 2 * * *", spring), ["01:30"]);
    assert_eq!(day(json!({}), "15 */2 * * *", spring), ["02:15", "04:15"]);
    // 02:00 to 03:00 occurs twice: at 00:00 and at 01:00 UTC.
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
    // From a time in the first pass.
    let last = timing("30 2 * * *", "Europe/Paris", json!({"cronjob.dst_overlap": "last"}));
    assert_eq!(last.next(at("2026-10-25T00:45:00Z")), Some(at("2026-10-25T01:30:00Z")));
}
