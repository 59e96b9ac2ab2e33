//! Which pings are expected and missing.

use chrono::{DateTime, Utc};
use entity::id::JobId;
use entity::job_spec::{JobSpec, Rhythm, Schedule};
use entity::schedule_pause;
use entity::skipped_time::SkipReason;

use super::{Expectation, Holds};
use crate::engine::job_check::check_spec;

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn spec(rhythm: Rhythm) -> JobSpec {
    check_spec(String::new(), Schedule::Check { rhythm, grace_seconds: 600 }, 0)
}

fn nightly() -> Expectation {
    let rhythm = Rhythm::Cron { scheduled_at: "0 3 * * *".into(), timezone: "Etc/UTC".into() };
    Expectation::of(JobId::create(), &spec(rhythm)).unwrap().unwrap()
}

fn hourly() -> Expectation {
    Expectation::of(JobId::create(), &spec(Rhythm::Period { seconds: 3600 })).unwrap().unwrap()
}

#[test]
fn a_ping_counts_for_the_time_that_is_expected() {
    let expected = Some(at("2026-03-02T03:00:00Z"));
    for (now, counts, next) in [
        ("2026-03-02T01:00:00Z", false, "2026-03-02T03:00:00Z"),
        // The clock of the other machine is ahead.
        ("2026-03-02T02:59:40Z", true, "2026-03-03T03:00:00Z"),
        ("2026-03-02T03:09:59Z", true, "2026-03-03T03:00:00Z"),
        ("2026-03-04T05:00:00Z", true, "2026-03-05T03:00:00Z"),
    ] {
        let now = at(now);
        assert_eq!(Expectation::counts_for(expected, now), expected.filter(|_| counts), "{now}");
        assert_eq!(nightly().after_ping(expected, now), Some(at(next)), "{now}");
    }
    assert_eq!(hourly().after_ping(expected, at("2026-03-02T01:00:00Z")), Some(at("2026-03-02T02:00:00Z")));
    assert_eq!(hourly().first(at("2026-03-02T01:00:00Z")), Some(at("2026-03-02T02:00:00Z")));
}

#[test]
fn a_time_is_missing_when_its_grace_is_over() {
    let expected = at("2026-03-02T03:00:00Z");
    let none = nightly().missing(expected, &Holds::default(), at("2026-03-02T03:09:59Z"));
    assert!(none.rows.is_empty());
    assert_eq!(none.next, Some(expected));
    let one = nightly().missing(expected, &Holds::default(), at("2026-03-02T03:10:00Z"));
    assert_eq!(
        one.rows.iter().map(|row| (row.scheduled_for, row.through, row.reason)).collect::<Vec<_>>(),
        [(expected, expected, SkipReason::NoPing)]
    );
    assert_eq!(one.next, Some(at("2026-03-03T03:00:00Z")));
    let more = hourly().missing(expected, &Holds::default(), at("2026-03-02T05:30:00Z"));
    assert_eq!(more.rows.len(), 3);
    assert_eq!(more.next, Some(at("2026-03-02T06:00:00Z")));
}

#[test]
fn after_a_long_time_older_ones_share_a_row() {
    let expected = at("2025-01-01T03:00:00Z");
    for check in [nightly(), hourly()] {
        let missing = check.missing(expected, &Holds::default(), at("2026-01-01T12:30:00Z"));
        assert_eq!(missing.rows.len(), 101);
        assert_eq!(missing.rows[0].scheduled_for, expected);
        assert!(missing.rows[0].through > expected);
        assert!(missing.rows.windows(2).all(|pair| pair[0].through < pair[1].scheduled_for));
        assert!(missing.next.unwrap() > at("2026-01-01T12:20:00Z"));
    }
}

#[test]
fn a_paused_check_expects_nothing() {
    let paused_at = at("2026-03-02T00:00:00Z");
    let pause =
        schedule_pause::Model { job_id: JobId::create(), paused_at, until: None, requested_by: "somebody".into() };
    let holds = Holds { pause: Some(pause), ..Holds::default() };
    let missing = nightly().missing(at("2026-03-02T03:00:00Z"), &holds, at("2026-03-03T04:00:00Z"));
    assert_eq!(missing.rows.iter().map(|row| row.reason).collect::<Vec<_>>(), [SkipReason::Paused; 2]);
}
