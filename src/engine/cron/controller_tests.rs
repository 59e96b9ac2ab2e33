//! Tests of the schedules that Kubernetes does not run as promised.

use serde_json::{Value, json};

use super::super::fixtures::spec;
use super::fault;

fn with(expression: &str, zone: &str, settings: Value) -> Option<&'static str> {
    fault(&spec(expression, zone, settings))
}

#[test]
fn days_without_midnight() {
    for zone in ["Africa/Cairo", "Asia/Beirut", "America/Santiago", "America/Havana"] {
        let deadline = json!({"cronjob.starting_deadline_seconds": 60});
        for expression in ["0 9 * * 5", "0 12 1,15 * *", "30 3 * 9 *"] {
            assert!(
                with(expression, zone, deadline.clone()).is_some_and(|why| why.contains("midnight")),
                "{expression} {zone}"
            );
        }
        assert_eq!(with("0 9 * * *", zone, json!({})), None, "{zone}");
        assert_eq!(with("*/5 * * * *", zone, json!({})), None, "{zone}");
    }
    for zone in ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Etc/UTC", "America/Sao_Paulo"] {
        assert_eq!(with("0 9 * * 5", zone, json!({})), None, "{zone}");
    }
}

#[test]
fn clocks_that_change_by_half_an_hour() {
    for expression in ["0 9 * * *", "0 9 * * 5", "*/5 * * * *"] {
        let why = with(expression, "Australia/Lord_Howe", json!({}));
        assert!(why.is_some_and(|why| why.contains("part of an hour")), "{expression}");
    }
}

#[test]
fn times_that_are_not_evenly_spaced() {
    let late = |seconds: i32| json!({"cronjob.starting_deadline_seconds": seconds});
    for expression in ["0 9 * * 1-5", "0,30 9 * * *", "0 3 1 * *", "30 6-16/4 * * 1-5"] {
        assert!(with(expression, "Etc/UTC", json!({})).is_some_and(|why| why.contains("evenly")), "{expression}");
        assert_eq!(with(expression, "Europe/Berlin", late(60)), None, "{expression}");
    }
    // At most one time is within the deadline.
    assert_eq!(with("0,30 9 * * *", "Etc/UTC", late(1800)), None);
    assert!(with("0,30 9 * * *", "Etc/UTC", late(1801)).is_some());
    assert_eq!(with("0 9 * * 1-5", "Europe/Berlin", late(23 * 3600)), None);
    assert!(with("0 9 * * 1-5", "Europe/Berlin", late(23 * 3600 + 1)).is_some());
}

/// The controller has no next time for it; the server has none either, and stores nothing.
#[test]
fn a_schedule_that_never_fires_is_not_left_to_kubernetes() {
    let deadline = json!({"cronjob.starting_deadline_seconds": 60});
    for zone in ["Etc/UTC", "Africa/Cairo"] {
        assert_eq!(with("0 0 31 2 *", zone, deadline.clone()), Some("the schedule never fires"));
    }
}
