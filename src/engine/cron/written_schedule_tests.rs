//! Tests of which schedules a CronJob cannot express.

use entity::cluster::ClusterKind;
use serde_json::{Value, json};

use super::super::fixtures::{at, spec, timing};
use super::super::keeper::{Keeper, keeper};
use super::beyond_cron_job;

#[test]
fn a_cron_job_has_only_the_plain_language() {
    let and = json!({"cronjob.day_match": "and"});
    for (text, settings, beyond) in [
        ("0 3 * * *", json!({}), None),
        ("0 3 * * *", and.clone(), None),
        ("0 3 * * 5", and.clone(), None),
        ("0 3 13 * 5", json!({"cronjob.day_match": "or"}), None),
        ("0 3 13 * 5", and.clone(), Some("cronjob.day_match and")),
        ("0 3 L * *", json!({}), Some("L, W, #, H and ranges that wrap in a schedule")),
        ("0 22-2 * * *", json!({}), Some("L, W, #, H and ranges that wrap in a schedule")),
        ("0 3 * * * | 0 4 * * *", json!({}), Some("several expressions joined by |")),
    ] {
        let spec = spec(text, "UTC", settings);
        assert_eq!(beyond_cron_job(&spec), beyond, "{text}");
        let kept = keeper(ClusterKind::Kubernetes, &spec);
        match beyond {
            Some(form) => {
                let why = format!("a Kubernetes CronJob does not support {form}");
                assert_eq!(kept, Some(Keeper::Server(Some(why))), "{text}");
            }
            None if text == "0 3 * * *" => assert_eq!(kept, Some(Keeper::Kubernetes)),
            None => {}
        }
        assert_eq!(keeper(ClusterKind::Local, &spec), Some(Keeper::Server(None)));
    }
}

#[test]
fn the_times_of_a_job_are_those_of_its_schedule() {
    let next = |text: &str, settings: Value| timing(text, "UTC", settings).next(at("2026-11-27T00:00:00Z"));
    assert_eq!(next("0 3 L * *", json!({})), Some(at("2026-11-30T03:00:00Z")));
    assert_eq!(next("0 3 * * 1#2 | 0 9 5 12 *", json!({})), Some(at("2026-12-05T09:00:00Z")));
    assert_eq!(next("0 0 13 * 5", json!({"cronjob.day_match": "and"})), Some(at("2027-08-13T00:00:00Z")));
    assert_eq!(next("0 0 13 * 5", json!({"cronjob.day_match": "or"})), Some(at("2026-12-04T00:00:00Z")));
    // The id of the job selects the values of H, so they stay the same.
    let hashed = timing("H H * * *", "UTC", json!({}));
    let first = hashed.next(at("2026-11-27T00:00:00Z")).unwrap();
    assert_eq!(hashed.next(first), Some(first + chrono::TimeDelta::days(1)));
    assert_eq!(hashed, timing("H H * * *", "UTC", json!({})));
}
