//! Tests of forecasts.

use chrono::TimeDelta;
use entity::run::SERVER_SLOTS;

use super::*;
use crate::engine::cron::Holds;
use crate::engine::cron::fixtures::{at, timing};
use crate::engine::run_lengths::RunLengths;

const MINUTE: u64 = 60_000;

fn job(number: u128, expression: &str, (p50, p95): (u64, u64)) -> ForecastJob {
    ForecastJob {
        id: JobId(Uuid::from_u128(number)),
        name: format!("job {number}"),
        timing: timing(expression, "Europe/Berlin", serde_json::json!({})),
        concurrency: Concurrency::Forbid,
        holds: Holds::default(),
        lengths: Some(RunLengths { p50, p95, runs: 100 }),
        limit: None,
        slots: Some(SERVER_SLOTS),
    }
}

fn of(jobs: &[ForecastJob], capacity: usize, hours: i64) -> Forecast {
    let from = at("2026-11-28T22:30:00Z");
    forecast(jobs, &[(SERVER_SLOTS, capacity)].into(), (from, from + TimeDelta::hours(hours)))
}

#[test]
fn jobs_that_are_due_together_wait_for_slots() {
    let jobs: Vec<_> = (1..=9).map(|number| job(number, "0 0 * * *", (MINUTE, 2 * MINUTE))).collect();
    let found = of(&jobs, 4, 24);
    assert_eq!((found.planned, found.is_cut, found.without_history), (9, false, 0));
    let (peaks, count) = found.peaks;
    let [peak] = peaks.as_slice() else { panic!("{peaks:?}") };
    assert_eq!((count, peak.due, peak.capacity), (1, 9, 4));
    assert_eq!(peak.at, at("2026-11-28T23:00:00Z"), "midnight in the zone of the schedule");
    // Three rounds: the last one begins after two runs.
    assert_eq!((peak.wait_p50, peak.wait_p95), (2 * MINUTE, 4 * MINUTE));
    assert!(peak.jitter_seconds.is_some_and(|seconds| seconds >= 120), "{peak:?}");
    assert_eq!(of(&jobs, 9, 24).peaks, (Vec::new(), 0));
    assert_eq!(of(&jobs, 4, 0).planned, 0);
}

/// With the jitter that a forecast advises, the same forecast has no peak.
#[test]
fn the_advised_jitter_flattens_the_peak() {
    let jobs: Vec<_> = (1..=40).map(|number| job(number * 7919, "0 0 * * *", (5000, 20_000))).collect();
    let seconds = of(&jobs, 10, 24).peaks.0[0].jitter_seconds.unwrap();
    assert!(seconds <= 600, "{seconds}");
    let spread: Vec<_> = jobs
        .into_iter()
        .map(|mut job| {
            job.timing.jitter = crate::engine::cron::jitter(job.id, seconds);
            job
        })
        .collect();
    assert_eq!(of(&spread, 10, 24).peaks, (Vec::new(), 0));
}

#[test]
fn runs_that_are_longer_than_their_interval_overlap() {
    let slow = job(1, "*/10 * * * *", (9 * MINUTE, 15 * MINUTE));
    let found = of(&[slow.clone(), job(2, "*/10 * * * *", (1, 1))], 4, 1);
    let [overlap] = found.overlaps.0.as_slice() else { panic!("{:?}", found.overlaps) };
    assert_eq!((overlap.times_p50, overlap.times_p95, overlap.name.as_str()), (0, 2, "job 1"));
    assert_eq!(overlap.first, at("2026-11-28T22:50:00Z"), "the plan begins after 22:30");
    // Runs that follow each other fall further and further behind.
    let queue = ForecastJob { concurrency: Concurrency::Queue, ..slow };
    assert_eq!(of(&[queue], 4, 1).overlaps.0[0].times_p95, 4);
}

#[test]
fn holds_limits_and_missing_history() {
    let mut close = job(1, "0 * * * *", (MINUTE, 9 * MINUTE));
    close.limit = Some(10 * MINUTE);
    let mut far = job(2, "0 * * * *", (MINUTE, 8 * MINUTE));
    far.limit = Some(10 * MINUTE);
    let mut new = job(3, "0 * * * *", (0, 0));
    new.lengths = None;
    let mut paused = job(4, "0 * * * *", (MINUTE, MINUTE));
    paused.holds.pause = Some(entity::schedule_pause::Model {
        job_id: paused.id,
        paused_at: at("2026-11-01T00:00:00Z"),
        until: Some(at("2026-11-29T20:00:00Z")),
        requested_by: "someone".into(),
    });
    let never = job(5, "0 0 31 2 *", (MINUTE, MINUTE));
    let found = of(&[close, far, new, paused, never], 4, 24);
    assert_eq!((found.planned, found.without_history), (3 * 24 + 3, 1));
    assert_eq!(found.close_to_limit.1, 1);
    assert_eq!(found.close_to_limit.0[0].name, "job 1");
}

#[test]
fn a_forecast_is_bounded() {
    let jobs: Vec<_> = (1..=300).map(|number| job(number, "* * * * *", (10, 20))).collect();
    let found = of(&jobs, 1, 24);
    assert!(found.is_cut && found.planned == MOST_TIMES && found.until < at("2026-11-29T22:30:00Z"), "{}", found.until);
    assert!(found.peaks.0.len() == 100 && found.peaks.1 > 100);
}
