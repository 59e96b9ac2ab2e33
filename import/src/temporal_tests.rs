//! Tests of reading schedules of Temporal.

use serde_json::{Value, json};

use super::read_temporal;
use crate::imported::{Imported, Source};

fn read(description: &Value) -> Imported {
    read_temporal(&Source { name: "nightly.json", text: &description.to_string(), zone: "Europe/Paris" })
}

fn description() -> Value {
    json!({
        "schedule": {
            "spec": {
                "structuredCalendar": [{
                    "second": [{"start": 0, "end": 0, "step": 1}],
                    "minute": [{"start": 30}, {}],
                    "hour": [{"start": 6, "end": 18, "step": 6}],
                    "dayOfMonth": [{"start": 1, "end": 31, "step": 1}],
                    "month": [{"start": 1, "end": 12, "step": 1}],
                    "dayOfWeek": [{"start": 1, "end": 5, "step": 1}],
                    "year": [], "comment": "",
                }],
                "cronString": [], "calendar": [], "interval": [], "excludeCalendar": [], "excludeStructuredCalendar": [],
                "startTime": null, "endTime": null, "jitter": "30s", "timezoneName": "Europe/Berlin", "timezoneData": null,
            },
            "action": {"startWorkflow": {"workflowId": "report", "workflowType": {"name": "Report"}, "taskQueue": {"name": "a"}}},
            "policies": {"overlapPolicy": "SCHEDULE_OVERLAP_POLICY_BUFFER_ONE", "catchupWindow": "31536000s", "pauseOnFailure": true},
            "state": {"notes": "Reports", "paused": true, "limitedActions": false, "remainingActions": "0"},
        },
        "info": {"actionCount": "3"},
    })
}

#[test]
fn a_description_becomes_a_job() {
    let found = read(&description());
    let [job] = found.jobs.as_slice() else { panic!("{found:?}") };
    assert_eq!((job.name.as_str(), job.description.as_str()), ("report", "Reports"));
    assert_eq!((job.schedules[0].as_str(), job.zone.as_str()), ("0,30 6,12,18 * * 1-5", "Europe/Berlin"));
    for (key, value) in [
        ("cronjob.concurrency_policy", "\"Queue\""),
        ("cronjob.jitter_seconds", "30"),
        ("cronjob.suspend", "true"),
        ("cronjob.missed_runs", "\"all\""),
    ] {
        assert_eq!(job.settings[key], value, "{key}");
    }
    for part in ["keeps one", "after a failure", "the workflow Report"] {
        assert!(job.notes.iter().any(|note| note.contains(part)), "{part}: {:?}", job.notes);
    }
    assert!(!job.says_what_to_run());

    let mut intervals = description();
    let spec = &mut intervals["schedule"]["spec"];
    spec["structuredCalendar"] = json!([]);
    spec["interval"] = json!([{"interval": "86400s", "phase": "3600s"}, {"interval": "3600s"}]);
    intervals["schedule"]["policies"] = json!({"overlapPolicy": "AllowAll", "catchupWindow": "60s"});
    intervals["schedule"]["state"] = json!({});
    let found = read(&intervals);
    let job = &found.jobs[0];
    assert_eq!((job.schedules.join(" | ").as_str(), job.zone.as_str()), ("0 1 * * * | 0 * * * *", "Etc/UTC"));
    assert_eq!(job.settings["cronjob.concurrency_policy"], "\"Allow\"");
    assert_eq!(job.settings["cronjob.missed_runs"], "\"none\"");
    assert!(!job.settings.contains_key("cronjob.suspend"));
}

#[test]
fn what_has_no_equivalent_is_refused() {
    let calendar = "/schedule/spec/structuredCalendar/0";
    let cases: &[(String, Value, &str)] = &[
        ("/schedule/spec/excludeStructuredCalendar".into(), json!([{}]), "exclude it"),
        ("/schedule/spec/startTime".into(), json!("2027-01-01T00:00:00Z"), "take the startTime out"),
        ("/schedule/spec/endTime".into(), json!("2027-01-01T00:00:00Z"), "a schedule that ends"),
        ("/schedule/spec/timezoneData".into(), json!("AAAA"), "of its own"),
        ("/schedule/spec/timezoneName".into(), json!("Mars/Olympus"), "Mars/Olympus"),
        ("/schedule/spec/jitter".into(), json!("0.5s"), "no whole seconds"),
        ("/schedule/spec/interval".into(), json!([{"interval": "3600s"}]), "a job has one time zone"),
        ("/schedule/spec/interval".into(), json!([{"interval": "90s"}]), "resolution of one minute"),
        ("/schedule/spec/structuredCalendar".into(), json!([]), "it has no times"),
        (format!("{calendar}/second"), json!([{"start": 15}]), "resolution of one minute"),
        (format!("{calendar}/year"), json!([{"start": 2027}]), "no years"),
        (format!("{calendar}/minute"), json!([]), "it never runs"),
        (format!("{calendar}/dayOfMonth"), json!([{"start": 32}]), "32 is not a day"),
        // 02:30 comes twice in October on a day of any name.
        (format!("{calendar}/dayOfWeek"), json!([{"end": 6}]), ""),
        ("/schedule/policies/overlapPolicy".into(), json!("Sometimes"), "overlapPolicy"),
        ("/schedule/state/limitedActions".into(), json!(true), "after some runs"),
    ];
    for (path, value, why) in cases {
        let mut changed = description();
        *changed.pointer_mut(path).unwrap() = value.clone();
        let found = read(&changed);
        if why.is_empty() {
            // 06:30 and later are no such times.
            assert_eq!(found.jobs.len(), 1, "{found:?}");
            continue;
        }
        assert!(found.jobs.is_empty() && found.refused[0].why.contains(why), "{why}: {found:?}");
    }
    let mut night = description();
    night["schedule"]["spec"]["structuredCalendar"][0]["hour"] = json!([{"start": 2}]);
    night["schedule"]["spec"]["structuredCalendar"][0]["dayOfWeek"] = json!([{"end": 6}]);
    assert!(read(&night).refused[0].why.contains("come twice"));
    assert!(read(&json!({"scheduleId": "a", "info": {}})).refused[0].why.contains("temporal schedule describe"));
}
