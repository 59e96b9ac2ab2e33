//! Tests of the map of settings.

use serde_json::json;

use super::super::view::Settings;

use super::*;

#[test]
fn defaults_are_valid_and_are_not_stored() {
    assert_eq!(defaults().len(), SETTINGS.len());
    assert_eq!(reduce(&defaults()).unwrap(), BTreeMap::new());
}

#[test]
fn values_round_trip_without_unknown_keys() {
    let given = json!({
        "build.timeout_max_sec": "60",
        "cronjob.concurrency_policy": "Allow",
        "job.delete_ttl_seconds_after_finished": 5,
        "security.service_account_name": null,
        "job.success_exit_codes": "3, 4",
        "network.ingress": 1,
    });
    let stored = reduce(given.as_object().unwrap()).unwrap();
    let all = complete(&stored);
    assert_eq!(all["build.timeout_max_sec"], 60);
    assert_eq!(all["cronjob.concurrency_policy"], "Allow");
    assert_eq!(all["job.delete_ttl_seconds_after_finished"], 5);
    assert_eq!((all.len(), stored.len()), (SETTINGS.len(), 4));
    assert_eq!(Settings(&stored).exit_codes("job.success_exit_codes"), [3, 4]);
    assert_eq!(Settings(&stored).number("job.retry_backoff_seconds"), Some(10));
    assert_eq!(reduce(&all).unwrap(), stored, "reading and writing back changes nothing");
}

#[test]
fn errors_name_the_key() {
    for (key, value) in [
        ("build.timeout_max_sec", json!(-1)),
        ("build.timeout_max_sec", json!(1.5)),
        ("build.disable_buildkit_cache", json!("yes")),
        ("cronjob.concurrency_policy", json!("Forbidden")),
        ("security.service_account_name", json!("a\u{0}")),
        ("job.success_exit_codes", json!([256])),
        ("job.success_exit_codes", json!("1,x")),
        ("cronjob.dst_gap", json!("never")),
        ("cronjob.exclude_calendars", json!("holidays")),
        ("cronjob.only_calendars", json!([" holidays"])),
        ("process.home", json!("relative")),
        ("process.working_folder", json!(1)),
        ("deployment.affinity.node.required", json!({"a": 1})),
    ] {
        let refused = reduce(json!({key: value}).as_object().unwrap()).unwrap_err();
        assert_eq!(refused.key, key);
    }
}
