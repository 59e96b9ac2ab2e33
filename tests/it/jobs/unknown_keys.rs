//! Misspelt keys in the bodies of requests.

use serde_json::json;

use crate::harness::TestApp;

#[tokio::test]
async fn an_extension_refuses_unknown_keys() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "* * * * *")).await;
    let path = format!("/job/{job}/run");
    let text = it.client.post(&path, json!({"argumets": ["-c", "echo new"]})).await.detail(400);
    assert_eq!(text, "argumets: is not a known key; did you mean arguments?");
    assert_eq!(it.client.post(&path, json!({"colour": 1})).await.detail(400), "colour: is not a known key");
    assert!(it.runs(&job).await.is_empty());
    it.client.post(&path, json!({"arguments": ["-c", "echo new"], "environment": {"ANY": "1"}})).await.expect(202);
    // So do the other extensions.
    for (operation, body, refusal) in [
        ("pause", json!({"untill": "2100-01-01T00:00:00Z"}), "untill: is not a known key; did you mean until?"),
        ("skip", json!({"at": "2100-01-01T00:00:00Z", "colour": 1}), "colour: is not a known key"),
        (
            "backfill",
            json!({"from": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z", "limt": 5}),
            "limt: is not a known key; did you mean limit?",
        ),
    ] {
        assert_eq!(it.client.post(&format!("/job/{job}/{operation}"), body).await.detail(400), refusal);
    }
    // Who may not run the job is told only that.
    it.client.with(Some("Token nobody")).post(&path, json!({"argumets": []})).await.expect(401);
}

#[tokio::test]
async fn an_official_operation_ignores_unknown_keys_and_names_them() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut body = it.cron("job", "* * * * *");
    let path = format!("/environment/{}/job", it.environment);
    assert_eq!(it.client.warning("POST", &path, &body).await, (201, None));
    body["name"] = json!("other");
    body["max_restarts"] = json!(3);
    body["schedule"]["cronjob"]["argumets"] = json!([]);
    let (status, warning) = it.client.warning("POST", &path, &body).await;
    let warning = warning.unwrap();
    assert_eq!(status, 201);
    assert!(warning.starts_with("299 - \"unknown keys were ignored: "), "{warning}");
    for named in ["max_restarts (did you mean max_nb_restart?)", "schedule.cronjob.argumets (did you mean arguments?)"]
    {
        assert!(warning.contains(named), "{warning}");
    }
    let job = it.create(it.cron("third", "* * * * *")).await;
    let settings = json!({"cronjob.concurency_policy": "Forbid", "job.history_succeeded_count": 2});
    let (status, warning) = it.client.warning("PUT", &format!("/job/{job}/advancedSettings"), &settings).await;
    assert_eq!(status, 201);
    assert!(warning.unwrap().contains("cronjob.concurency_policy (did you mean cronjob.concurrency_policy?)"));
    // A body whose schema has no name.
    let path = format!("/environment/{}/cancelDeployment", it.environment);
    it.client.post(&format!("/environment/{}/deploy", it.environment), json!({})).await.expect(202);
    let (status, warning) = it.client.warning("POST", &path, &json!({"force_cancle": true})).await;
    assert_eq!(status, 202);
    assert!(warning.unwrap().contains("force_cancle (did you mean force_cancel?)"));
}
