//! The audit log: who changed what, when, with which kind of client, from what to what.

use serde_json::json;

use crate::harness::TestApp;

#[tokio::test]
async fn changes_are_told_with_before_and_after() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "@daily")).await;
    app.clock.forward(10);
    it.client.put(&format!("/job/{job}"), json!({"cpu": 250})).await.expect(200);
    let base = format!("/organization/{}/events", it.organization);
    let list = it.client.get(&format!("{base}?targetId={job}")).await.expect(200);
    let events = list["events"].as_array().unwrap();
    assert_eq!(events.len(), 2);
    let newest = &events[0];
    assert_eq!((&newest["event_type"], &newest["target_type"]), (&json!("UPDATE"), &json!("JOB")));
    assert_eq!((&newest["target_name"], &newest["triggered_by"]), (&json!("job"), &json!("test")));
    assert_eq!((&newest["origin"], &newest["project_name"]), (&json!("API"), &json!("shop")));
    assert_eq!((&newest["environment_name"], &newest["environment_id"]), (&json!("staging"), &json!(it.environment)));
    let read = |key: &str| -> serde_json::Value { serde_json::from_str(newest[key].as_str().unwrap()).unwrap() };
    assert_eq!((&read("original_change")["cpu_milli"], &read("change")["cpu_milli"]), (&json!(500), &json!(250)));
    // Filters.
    for (query, count) in [
        ("eventType=UPDATE", 1),
        ("targetType=JOB", 2),
        ("targetType=PROJECT", 1),
        ("targetType=CONTAINER_REGISTRY&eventType=CREATE", 1),
        ("triggeredBy=somebody", 0),
        ("origin=CLI", 0),
        ("origin=GIT", 0),
        ("fromTimestamp=2026-11-22T10:00:35Z", 1),
        ("toTimestamp=1795341635", 4),
        ("serviceProjectId=", 5),
    ] {
        let list = it.client.get(&format!("{base}?pageSize=100&{query}")).await.expect(200);
        assert_eq!(list["events"].as_array().unwrap().len(), count, "{query}: {list}");
    }
    for query in ["fromTimestamp=yesterday", "continueToken=x", "pageSize=0", "eventType=NONSENSE", "targetId=x"] {
        it.client.get(&format!("{base}?{query}")).await.expect(400);
    }
    let targets = it.client.get(&format!("/organization/{}/targets?targetType=JOB", it.organization)).await.expect(200);
    assert_eq!(targets, json!({"targets": [{"id": job, "name": "job"}]}));
    let projects = format!("/organization/{}/targets?targetLevelToFetch=PROJECT", it.organization);
    let projects = it.client.get(&projects).await.expect(200);
    assert_eq!(projects["targets"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn pages_lead_on_and_back() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    for number in 0..7 {
        it.create(it.cron(&format!("job {number}"), "@daily")).await;
    }
    let names = |list: &serde_json::Value| {
        list["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["target_name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let first = it.client.get(&format!("/organization/{}/events?pageSize=3", it.organization)).await.expect(200);
    assert_eq!(names(&first), ["job 6", "job 5", "job 4"]);
    assert!(first["links"].get("previous").is_none());
    let link = |list: &serde_json::Value, word: &str| {
        let link = list["links"][word].as_str().unwrap();
        link.strip_prefix("https://windlass.example").unwrap().to_owned()
    };
    let second = it.client.get(&link(&first, "next")).await.expect(200);
    assert_eq!(names(&second), ["job 3", "job 2", "job 1"]);
    let back = it.client.get(&link(&second, "previous")).await.expect(200);
    assert_eq!(names(&back), names(&first));
    let third = it.client.get(&link(&second, "next")).await.expect(200);
    let last = it.client.get(&link(&third, "next")).await.expect(200);
    assert_eq!(names(&third)[0], "job 0");
    assert!(last["links"].get("next").is_none(), "{last}");
}

/// Deployments and their results are events too.
#[tokio::test]
async fn deployments_are_told() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.deployed(&app, it.cron("job", "@daily")).await;
    it.client.post(&format!("/job/{job}/deploy?forceEvent=CRON"), json!({})).await.expect(202);
    app.settle().await;
    app.runner.exit_all(1);
    app.settle().await;
    it.client.post(&format!("/environment/{}/stop", it.environment), json!({})).await.expect(202);
    app.settle().await;
    let list = it.client.get(&format!("/organization/{}/events?pageSize=100", it.organization)).await.expect(200);
    let mut kinds: Vec<&str> =
        list["events"].as_array().unwrap().iter().map(|event| event["event_type"].as_str().unwrap()).collect();
    kinds.reverse();
    kinds.retain(|kind| *kind != "CREATE");
    let expected = ["DEPLOY_QUEUED", "DEPLOYED", "FORCE_RUN_QUEUED", "FORCE_RUN_FAILED", "TRIGGER_STOP", "STOPPED"];
    assert_eq!(kinds, expected);
}
