//! PUT /job/{jobId}.

use serde_json::{Value, json};

use crate::harness::TestApp;

#[tokio::test]
async fn absent_keys_are_kept_and_null_clears() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut job = it.cron("nightly", "0 3 * * *");
    job["schedule"]["cronjob"]["timezone"] = json!("Europe/Paris");
    for (key, value) in [
        ("description", json!("text")),
        ("cpu", json!(100)),
        ("memory", json!(64)),
        ("port", json!(80)),
        ("max_nb_restart", json!(3)),
        ("max_duration_seconds", json!(60)),
        ("icon_uri", json!("app://own")),
        ("ephemeral_storage_in_gib", json!(2)),
        ("cpu_architecture", json!("ARM64")),
        ("auto_deploy", json!(true)),
        ("healthchecks", json!({"liveness_probe": {"type": {"tcp": {"port": 80}}}})),
    ] {
        job[key] = value;
    }
    let id = it.create(job).await;
    let path = format!("/job/{id}");
    let before = it.client.get(&path).await.expect(200);
    app.clock.forward(60);
    let mut same = it.client.put(&path, json!({})).await.expect(200);
    assert_eq!(same["updated_at"], "2026-11-22T10:01:30.000000Z");
    same["updated_at"] = before["updated_at"].clone();
    assert_eq!(same, before);
    let cleared = json!({
        "description": null, "cpu": null, "memory": null, "port": null, "max_nb_restart": null, "auto_deploy": null,
        "max_duration_seconds": null, "icon_uri": null, "ephemeral_storage_in_gib": null, "cpu_architecture": null,
        "healthchecks": null,
    });
    let after = it.client.put(&path, cleared).await.expect(200);
    let fields = [
        "description",
        "cpu",
        "memory",
        "port",
        "max_nb_restart",
        "auto_deploy",
        "max_duration_seconds",
        "icon_uri",
        "ephemeral_storage_in_gib",
        "cpu_architecture",
        "healthchecks",
    ];
    let values: Vec<&Value> = fields.iter().map(|field| &after[*field]).collect();
    let expected = json!(["", 500, 512, null, 0, false, 0, "app://qovery-console/cron-job", null, null, {}]);
    assert_eq!(values, expected.as_array().unwrap().iter().collect::<Vec<_>>());
}

/// The console sends back the whole response; the CLI and the Terraform provider omit the time zone.
#[tokio::test]
async fn whole_answers_and_missing_time_zones_survive() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut job = it.cron("nightly", "0 3 * * *");
    job["schedule"]["cronjob"]["timezone"] = json!("Europe/Paris");
    let path = format!("/job/{}", it.create(job).await);
    let mut whole = it.client.get(&path).await.expect(200);
    whole["max_duration_seconds"] = json!("300");
    whole["port"] = json!("");
    let after = it.client.put(&path, whole).await.expect(200);
    assert_eq!(after["max_duration_seconds"], 300);
    let without = json!({"schedule": {"cronjob": {"scheduled_at": "0 4 * * *"}}});
    let after = it.client.put(&path, without).await.expect(200);
    assert_eq!(after["schedule"]["cronjob"], json!({"scheduled_at": "0 4 * * *", "timezone": "Europe/Paris"}));
}

#[tokio::test]
async fn schedules_and_sources_are_replaced_as_a_whole() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = format!("/job/{}", it.create(it.lifecycle("events")).await);
    let after = it.client.put(&path, json!({"schedule": {"on_start": {}}})).await.expect(200);
    assert_eq!(after["schedule"], json!({"on_start": {}, "lifecycle_type": "GENERIC"}));
    let docker = json!({"source": {"docker": {"dockerfile_raw": "FROM scratch"}}});
    let after = it.client.put(&path, docker).await.expect(200);
    assert_eq!(after["source"]["docker"]["dockerfile_raw"], "FROM scratch");
    assert!(after["source"].get("image").is_none());
}

#[tokio::test]
async fn refusals_leave_the_job_as_it_was() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    it.create(it.cron("taken", "@daily")).await;
    let path = format!("/job/{}", it.create(it.cron("nightly", "@daily")).await);
    let before = it.client.get(&path).await.expect(200);
    let detail = it.client.put(&path, json!({"schedule": {"on_start": {}}})).await.detail(400);
    assert!(detail.starts_with("schedule: the type of a job cannot change"), "{detail}");
    it.client.put(&path, json!({"name": "TAKEN"})).await.expect(409);
    it.client.put(&path, json!({"cpu": 100, "port": 99_999})).await.expect(400);
    it.client.put(&path, json!({"name": ""})).await.expect(400);
    assert_eq!(it.client.get(&path).await.expect(200), before);
    // A job may change the case of its own name.
    it.client.put(&path, json!({"name": "NIGHTLY"})).await.expect(200);
    it.client.put("/job/00000000-0000-7000-8000-000000000000", json!({})).await.expect(404);
}
