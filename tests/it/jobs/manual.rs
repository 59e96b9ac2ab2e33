//! POST /job/{jobId}/run and POST /run/{runId}/cancel.

use poem::http::Method;
use serde_json::{Value, json};

use crate::harness::{TestApp, id};

#[tokio::test]
async fn a_run_by_hand_with_what_is_different() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "0 0 1 1 *")).await;
    let variable = json!({"key": "COLOUR", "value": "red"});
    it.client.post(&format!("/job/{job}/environmentVariable"), variable).await.expect(201);
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    let difference = json!({"arguments": ["-c", "echo $COLOUR"], "environment": {"COLOUR": "blue", "EXTRA": "1"},
        "image_tag": "1.37", "timeout_seconds": 30});
    let run = it.client.post(&format!("/job/{job}/run"), difference).await.expect(202);
    for (field, value) in [
        ("state", json!("QUEUED")),
        ("trigger", json!("MANUAL")),
        ("event", json!("CRON")),
        ("arguments", json!(["-c", "echo $COLOUR"])),
        ("entrypoint", json!("/bin/sh")),
        ("image", json!("library/busybox:1.37")),
        ("scheduled_for", Value::Null),
    ] {
        assert_eq!(run[field], value, "{field}");
    }
    app.settle().await;
    let step = app.runner.started().remove(0);
    let of =
        |name: &str| step.environment.iter().find(|(key, _)| key == name).map(|(_, value)| value.expose().as_str());
    assert_eq!((of("COLOUR"), of("EXTRA")), (Some("blue"), Some("1")));
    assert_eq!(step.image.unwrap().reference, "docker.io/library/busybox:1.37");
    // The job, its schedule and its state do not change.
    assert_eq!(it.state(&job).await, "DEPLOYED");
    let next = it.client.get(&format!("/job/{job}/nextRun?count=1")).await.expect(200);
    assert_eq!((&next["active"], &next["results"][0]["at"]), (&json!(true), &json!("2027-01-01T00:00:00.000000Z")));
    app.clock.forward(30);
    app.settle().await;
    let run = it.client.get(&format!("/run/{}", id(&run))).await.expect(200);
    assert_eq!(run["reason"], "the run exceeded its time limit of 30 seconds");
    // The next run follows the definition of the job.
    it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
    assert_eq!(it.runs(&job).await[0]["arguments"], json!(["-c", "echo hi"]));
}

#[tokio::test]
async fn a_repeated_request_is_answered_with_the_first_run() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (job, other) = (it.create(it.cron("job", "@daily")).await, it.create(it.cron("other", "@daily")).await);
    let ask = async |job: &str, key: &str| {
        id(&it
            .client
            .call_with(Method::POST, &format!("/job/{job}/run"), Some("{}"), &[("Idempotency-Key", key)])
            .await
            .expect(202))
    };
    let first = ask(&job, "nightly 1").await;
    app.settle().await;
    app.runner.exit_all(0);
    app.settle().await;
    assert_eq!(ask(&job, "nightly 1").await, first);
    assert_ne!(ask(&job, "nightly 2").await, first);
    assert_ne!(ask(&other, "nightly 1").await, first);
    assert_eq!((it.runs(&job).await.len(), it.runs(&other).await.len()), (2, 1));
    let long = "x".repeat(256);
    let answer =
        it.client.call_with(Method::POST, &format!("/job/{job}/run"), Some("{}"), &[("Idempotency-Key", &long)]).await;
    assert!(answer.detail(400).contains("Idempotency-Key"));
}

/// The values of `secret_environment` are masked, those of `environment` are not.
#[tokio::test]
async fn a_run_gets_secrets_of_its_own() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "@daily")).await;
    let values = json!({"environment": {"PLAIN": "open-sesame"}, "secret_environment": {"TOKEN": "hunter2hunter2"}});
    let run = it.client.post(&format!("/job/{job}/run"), values).await.expect(202);
    assert!(!run.to_string().contains("hunter2") && !run.to_string().contains("sesame"), "{run}");
    app.settle().await;
    let step = app.runner.started().remove(0);
    let of = |name: &str| step.environment.iter().find(|(key, _)| key == name).map(|(_, value)| value.expose().clone());
    assert_eq!((of("PLAIN").as_deref(), of("TOKEN").as_deref()), (Some("open-sesame"), Some("hunter2hunter2")));
    app.runner.write(&step.name, &["open-sesame hunter2hunter2"]);
    app.settle().await;
    let log = it.client.get(&format!("/run/{}/log", id(&run))).await.text;
    assert_eq!(log, "open-sesame ********\n");
}

#[tokio::test]
async fn wrong_differences_are_refused_by_name() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.lifecycle("job")).await;
    for (body, field) in [
        (json!({"event": "CRON"}), "event"),
        (json!({"event": "NOON"}), "event"),
        (json!({"image_tag": "a b"}), "image_tag"),
        (json!({"timeout_seconds": -1}), "timeout_seconds"),
        (json!({"environment": {"A-B": "1"}}), "environment"),
        (json!({"environment": {"A": [1]}}), "environment"),
        (json!({"secret_environment": {"A-B": "1"}}), "secret_environment"),
        (json!({"environment": {"A": "1"}, "secret_environment": {"A": "2"}}), "secret_environment.A"),
        (json!({"arguments": "x"}), "arguments"),
    ] {
        let detail = it.client.post(&format!("/job/{job}/run"), body.clone()).await.detail(400);
        assert!(detail.contains(field), "{body}: {detail}");
    }
    assert_eq!(it.runs(&job).await.len(), 0);
    it.client.post(&format!("/job/{job}/run"), json!({"event": "STOP"})).await.expect(202);
    assert_eq!(it.runs(&job).await[0]["event"], "STOP");
    let mut built = it.cron("built", "@daily");
    built["source"] = json!({"docker": {"dockerfile_raw": "FROM scratch"}});
    let built = it.create(built).await;
    assert!(it.client.post(&format!("/job/{built}/run"), json!({})).await.detail(409).contains("never built"));
}

#[tokio::test]
async fn runs_are_cancelled_one_by_one() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "@daily")).await;
    let mut runs = Vec::new();
    for _ in 0..2 {
        runs.push(id(&it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202)));
    }
    app.settle().await;
    let run = it.client.post(&format!("/run/{}/cancel", runs[0]), json!({})).await.expect(202);
    assert_eq!((&run["state"], run["cancel_requested_at"].is_string()), (&json!("RUNNING"), true));
    it.client.post(&format!("/run/{}/cancel", runs[0]), json!({})).await.expect(202);
    app.settle().await;
    let state = async |run: &str| it.client.get(&format!("/run/{run}")).await.expect(200)["state"].clone();
    assert_eq!((state(&runs[0]).await, state(&runs[1]).await), (json!("CANCELLED"), json!("RUNNING")));
    assert_eq!(app.runner.stopped().len(), 1);
    it.client.post(&format!("/run/{}/cancel", runs[0]), json!({})).await.expect(409);
    // A queued run is cancelled without being started.
    let waiting = id(&it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202));
    it.client.post(&format!("/run/{waiting}/cancel"), json!({})).await.expect(202);
    app.settle().await;
    assert_eq!((state(&waiting).await, app.runner.started().len()), (json!("CANCELLED"), 2));
}

/// A run that waits too long for a free slot fails with a reason.
#[tokio::test]
async fn nothing_waits_for_good() {
    let app = TestApp::configured(|config| config.max_runs = 1).await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "@daily")).await;
    it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
    app.settle().await;
    it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
    app.clock.forward(86_401);
    app.settle().await;
    let run = it.runs(&job).await.remove(0);
    assert_eq!(
        (&run["state"], &run["reason"]),
        (&json!("FAILED"), &json!("timed out after 86400 s waiting for a free slot"))
    );
}

/// A run is repeated with its specification and its additional variables, whatever has changed since.
#[tokio::test]
async fn a_run_again_like_an_earlier_one() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "0 0 1 1 *")).await;
    let difference = json!({"arguments": ["-c", "echo $COLOUR"], "environment": {"COLOUR": "blue"}, "image_tag": "1.37",
        "timeout_seconds": 30});
    let first = it.client.post(&format!("/job/{job}/run"), difference).await.expect(202);
    app.settle().await;
    app.runner.exit_all(0);
    app.settle().await;
    let edit = it.client.get(&format!("/job/{job}")).await.expect(200);
    let edit = json!({"name": edit["name"], "healthchecks": {}, "max_nb_restart": 5, "source": edit["source"],
        "schedule": {"cronjob": {"scheduled_at": "@daily", "arguments": ["other"]}}});
    it.client.put(&format!("/job/{job}"), edit).await.expect(200);
    let path = format!("/run/{}/rerun", id(&first));
    let again = it.client.call(Method::POST, &path, None).await.expect(202);
    assert_ne!(id(&again), id(&first));
    for field in ["event", "arguments", "entrypoint", "image", "job_id"] {
        assert_eq!(again[field], first[field], "{field}");
    }
    assert_eq!(
        (&again["state"], &again["trigger"], &again["attempt"]),
        (&json!("QUEUED"), &json!("MANUAL"), &json!(1))
    );
    app.settle().await;
    let step = app.runner.started().pop().unwrap();
    let colour = step.environment.iter().find(|(key, _)| key == "COLOUR").map(|(_, value)| value.expose().clone());
    assert_eq!((colour.as_deref(), step.arguments), (Some("blue"), vec!["-c".to_owned(), "echo $COLOUR".into()]));
    app.clock.forward(30);
    app.settle().await;
    let again = it.client.get(&format!("/run/{}", id(&again))).await.expect(200);
    assert_eq!(again["reason"], "the run exceeded its time limit of 30 seconds");
    // A repeated request is answered with the run of the first one.
    let keyed = async || {
        let headers = [("Idempotency-Key", "again")];
        id(&it.client.call_with(Method::POST, &path, None, &headers).await.expect(202))
    };
    assert_eq!(keyed().await, keyed().await);
    assert_eq!(it.runs(&job).await.len(), 3);
}

#[tokio::test]
async fn only_executions_of_a_job_are_run_again() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut job = it.lifecycle("built");
    job["source"] = json!({"docker": {"dockerfile_raw": "FROM scratch"}});
    let job = it.deployed(&app, job).await;
    let build = id(&it.runs(&job).await[0]);
    let again = async |run: &str| it.client.call(Method::POST, &format!("/run/{run}/rerun"), None).await;
    assert!(again(&build).await.detail(409).contains("deploy the job to repeat it"));
    again("00000000-0000-7000-8000-000000000000").await.expect(404);
    let deleted = it.create(it.cron("deleted", "@daily")).await;
    let run = id(&it.client.post(&format!("/job/{deleted}/run"), json!({})).await.expect(202));
    app.settle().await;
    it.client.delete(&format!("/job/{deleted}")).await.expect(204);
    assert_eq!(again(&run).await.detail(409), "the job deleted is being deleted");
}
