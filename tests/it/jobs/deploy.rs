//! POST /job/{jobId}/deploy and /stop, and the states that follow.

use serde_json::json;

use crate::harness::TestApp;

#[tokio::test]
async fn a_cron_job_gets_its_schedule_and_loses_it() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("minutely", "* * * * *")).await;
    let status = it.client.get(&format!("/job/{job}/status")).await.expect(200);
    assert_eq!((&status["state"], &status["service_deployment_status"]), (&json!("READY"), &json!("NEVER_DEPLOYED")));
    assert_eq!(status["status_details"], json!({"action": "UNKNOWN", "status": "NEVER", "sub_action": "NONE"}));
    let status = it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    assert_eq!((&status["state"], &status["deployment_requests_count"]), (&json!("DEPLOYMENT_QUEUED"), &json!(1)));
    assert!(status["deployment_request_id"].is_string());
    app.settle().await;
    let status = it.client.get(&format!("/job/{job}/status")).await.expect(200);
    assert_eq!((&status["state"], &status["service_deployment_status"]), (&json!("DEPLOYED"), &json!("UP_TO_DATE")));
    assert!(app.runner.started().is_empty(), "deploying a CRON job runs nothing");
    let next = it.client.get(&format!("/job/{job}/nextRun?count=2")).await.expect(200);
    assert_eq!((&next["active"], &next["results"][0]["at"]), (&json!(true), &json!("2026-11-22T10:01:00.000000Z")));
    it.client
        .put(&format!("/job/{job}"), json!({"schedule": {"cronjob": {"scheduled_at": "@daily"}}}))
        .await
        .expect(200);
    let status = it.client.get(&format!("/job/{job}/status")).await.expect(200);
    assert_eq!(status["service_deployment_status"], "OUT_OF_DATE");
    app.clock.set("2026-11-22T10:01:00Z");
    app.settle().await;
    assert_eq!(app.runner.started().len(), 1, "what is deployed runs, not what was written since");
    it.client.post(&format!("/job/{job}/stop"), json!({})).await.expect(202);
    assert_eq!(it.state(&job).await, "STOP_QUEUED");
    app.settle().await;
    app.settle().await;
    assert_eq!(it.state(&job).await, "STOPPED");
    assert_eq!(it.runs(&job).await[0]["state"], "CANCELLED");
    let detail = it.client.post(&format!("/job/{job}/stop"), json!({})).await.detail(409);
    assert!(detail.contains("already stopped"), "{detail}");
    app.clock.set("2026-11-23T10:01:00Z");
    app.settle().await;
    assert_eq!(app.runner.started().len(), 1, "a stopped job does not run");
}

#[tokio::test]
async fn a_lifecycle_job_runs_with_each_deployment() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.deployed(&app, it.lifecycle("events")).await;
    assert_eq!(it.state(&job).await, "EXECUTING");
    app.runner.exit_all(0);
    app.settle().await;
    assert_eq!(it.state(&job).await, "DEPLOYED");
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    app.runner.exit_all(7);
    app.settle().await;
    let status = it.client.get(&format!("/job/{job}/status")).await.expect(200);
    assert_eq!(
        (&status["state"], &status["service_deployment_status"]),
        (&json!("DEPLOYMENT_ERROR"), &json!("OUT_OF_DATE"))
    );
    let run = &it.runs(&job).await[0];
    assert_eq!(
        (&run["state"], &run["exit_code"], &run["reason"]),
        (&json!("FAILED"), &json!(7), &json!("exit code 7"))
    );
    it.client.post(&format!("/job/{job}/stop"), json!({})).await.expect(202);
    app.settle().await;
    assert_eq!(it.state(&job).await, "STOPPING");
    app.runner.exit_all(0);
    app.settle().await;
    assert_eq!(it.state(&job).await, "STOPPED");
    let commands: Vec<String> = app.runner.started().iter().map(|step| step.arguments[1].clone()).collect();
    assert_eq!(commands, ["start", "start", "stop"]);
}

#[tokio::test]
async fn a_forced_event_runs_once_and_leaves_the_schedule_alone() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("minutely", "* * * * *")).await;
    it.client.post(&format!("/job/{job}/deploy?forceEvent=CRON"), json!({})).await.expect(202);
    app.settle().await;
    let run = it.runs(&job).await.remove(0);
    assert_eq!(
        (&run["trigger"], &run["event"], &run["scheduled_for"]),
        (&json!("FORCE"), &json!("CRON"), &json!(null))
    );
    app.runner.exit_all(0);
    app.settle().await;
    app.clock.set("2026-11-22T11:00:00Z");
    app.settle().await;
    assert_eq!(app.runner.started().len(), 1, "the schedule of a job that was never deployed does not start");
    let events = it.create(it.lifecycle("events")).await;
    it.client.post(&format!("/job/{events}/deploy?forceEvent=DELETE"), json!({})).await.expect(202);
    app.settle().await;
    app.runner.exit_all(0);
    app.settle().await;
    assert_eq!(it.state(&events).await, "DELETED");
    it.client.get(&format!("/job/{events}")).await.expect(200);
    for (job, event) in [(&job, "START"), (&events, "CRON")] {
        let detail = it.client.post(&format!("/job/{job}/deploy?forceEvent={event}"), json!({})).await.detail(400);
        assert!(detail.starts_with("forceEvent:"), "{detail}");
    }
    it.client.post(&format!("/job/{job}/deploy?forceEvent=NOW"), json!({})).await.expect(400);
}

#[tokio::test]
async fn another_tag_becomes_the_configured_one() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.lifecycle("events")).await;
    it.client.post(&format!("/job/{job}/deploy"), json!({"image_tag": "1.37"})).await.expect(202);
    let found = it.client.get(&format!("/job/{job}")).await.expect(200);
    assert_eq!(found["source"]["image"]["tag"], "1.37");
    app.settle().await;
    let step = app.runner.started().remove(0);
    assert_eq!(step.image.unwrap().reference, "docker.io/library/busybox:1.37");
    for body in
        [json!({"image_tag": "a b"}), json!({"git_commit_id": "abc"}), json!({"image_tag": "1", "git_commit_id": "a"})]
    {
        it.client.post(&format!("/job/{job}/deploy"), body).await.expect(400);
    }
    // Some clients send no body.
    it.client.call(poem::http::Method::POST, &format!("/job/{job}/deploy"), None).await.expect(202);
}

/// The image is built first; the response names its commit, and the next deployment builds the same one.
#[tokio::test]
async fn a_job_of_a_repository_is_built_before_it_is_deployed() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut job = it.cron("built", "* * * * *");
    let source = json!({"docker": {"dockerfile_path": "deep/Dockerfile", "docker_target_build_stage": "last", "git_repository":
        {"url": "https://git.example/acme/shop.git", "provider": "GITHUB", "branch": "main", "root_path": "/app"}}});
    job["source"] = source.clone();
    let job = it.create(job).await;
    it.client.post(&format!("/job/{job}/environmentVariable"), json!({"key": "A", "value": "1"})).await.expect(201);
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    assert_eq!(it.state(&job).await, "BUILDING");
    let step = app.runner.started().pop().unwrap();
    let build = step.build.clone().unwrap();
    let name: Vec<&str> = build.image.split('/').collect();
    assert!(name[0] == "windlass-build" && name[1].len() == 32 && name[2] == job, "{name:?}");
    assert_eq!(build.root_path, "/app");
    assert_eq!((build.target_stage.as_deref(), build.cache), (Some("last"), true));
    assert!(build.arguments.iter().any(|(name, value)| name == "A" && value.expose() == "1"));
    let wanted = build.source.unwrap();
    assert_eq!((wanted.branch.as_deref(), wanted.commit, wanted.submodules), (Some("main"), None, true));
    // Nothing is scheduled before the image has been built.
    let next = it.client.get(&format!("/job/{job}/nextRun")).await.expect(200);
    assert_eq!(next["active"], false);
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let built = json!({"image": "windlass-build/x:1", "commit": {"id": commit, "at": "2026-01-02T03:04:05Z",
        "author": "Ada", "message": "Count"}});
    app.runner.leave(&step.name, &built.to_string());
    app.runner.write(&step.name, &["Step 1/2 : FROM scratch"]);
    app.runner.exit_all(0);
    app.settle().await;
    assert_eq!(it.state(&job).await, "DEPLOYED");
    let found = it.client.get(&format!("/job/{job}")).await.expect(200);
    let repository = &found["source"]["docker"]["git_repository"];
    assert_eq!(
        (&repository["deployed_commit_id"], &repository["deployed_commit_contributor"]),
        (&json!(commit), &json!("Ada"))
    );
    let logs = it.client.get(&format!("/environment/{}/logs", it.environment)).await.expect(200);
    let steps: Vec<_> =
        logs.as_array().unwrap().iter().map(|log| log["details"]["stage"]["step"].as_str().unwrap()).collect();
    assert!(steps.contains(&"Build") && steps.contains(&"Built"), "{steps:?}");
    assert!(logs.to_string().contains("Step 1/2 : FROM scratch"), "{logs}");
    let history = it.client.get(&format!("/job/{job}/deploymentHistory")).await.expect(200);
    assert_eq!(history["results"][0]["commit"]["git_commit_id"], commit);
    let history = it.client.get(&format!("/job/{job}/deploymentHistoryV2")).await.expect(200);
    assert_eq!(history["results"][0]["details"]["commit"]["author_name"], "Ada");
    let status = it.client.get(&format!("/job/{job}/status")).await.expect(200);
    assert!(status["steps"].to_string().contains("\"BUILD\""), "{status}");
    app.clock.set("2026-11-22T10:01:00Z");
    app.settle().await;
    let step = app.runner.started().pop().unwrap();
    let image = step.image.unwrap();
    assert_eq!((image.reference.as_str(), image.local), ("windlass-build/x:1", true));
    // The same commit again, then one that is requested, then the newest of another branch.
    for (body, commit) in [(json!({}), commit), (json!({"git_commit_id": "abcdef0"}), "abcdef0")] {
        it.client.post(&format!("/job/{job}/deploy"), body).await.expect(202);
        app.settle().await;
        let build = app.runner.started().pop().unwrap().build.unwrap();
        assert_eq!(build.source.unwrap().commit.as_deref(), Some(commit));
        app.runner.exit_all(1);
        app.settle().await;
        assert_eq!(it.state(&job).await, "BUILD_ERROR");
    }
    let mut changed = it.cron("built", "* * * * *");
    changed["source"] = source;
    changed["source"]["docker"]["git_repository"]["branch"] = json!("next");
    it.client.put(&format!("/job/{job}"), changed).await.expect(200);
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    assert_eq!(app.runner.started().pop().unwrap().build.unwrap().source.unwrap().commit, None);
}

/// Queued requests of one kind by one person are merged; others wait behind them.
#[tokio::test]
async fn requests_that_wait_become_one() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (one, two) = (it.create(it.lifecycle("one")).await, it.create(it.lifecycle("two")).await);
    let ask = async |job: &str, what: &str| {
        it.client.post(&format!("/job/{job}/{what}"), json!({})).await.expect(202)["execution_id"].clone()
    };
    let running = ask(&one, "deploy").await;
    app.settle().await;
    let waiting = ask(&one, "deploy").await;
    assert_ne!(waiting, running);
    assert_eq!((ask(&one, "deploy").await, ask(&two, "deploy").await), (waiting.clone(), waiting.clone()));
    let other = app.token(it.organization, entity::member::Role::Admin).await;
    let theirs = other.post(&format!("/job/{one}/deploy"), json!({})).await.expect(202)["execution_id"].clone();
    let tokens_differ = theirs != waiting;
    let stop = ask(&one, "stop").await;
    assert_ne!(stop, waiting);
    assert_eq!(ask(&one, "stop").await, stop);
    assert_ne!(ask(&one, "deploy").await, waiting, "it would be before the stop");
    // A request that forces an event is not merged.
    let forced = it.client.post(&format!("/job/{one}/deploy?forceEvent=STOP"), json!({})).await.expect(202);
    assert_ne!(forced["execution_id"], stop);
    for _ in 0..12 {
        app.settle().await;
        app.runner.exit_all(0);
    }
    app.settle().await;
    let history = it.client.get(&format!("/environment/{}/deploymentHistory", it.environment)).await.expect(200);
    let count = history["results"].as_array().unwrap().len();
    assert_eq!(count, if tokens_differ { 6 } else { 5 }, "{history}");
}

/// A build gets the variables of its deployment, not those of the one before.
#[tokio::test]
async fn a_build_gets_the_current_variables() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut job = it.cron("built", "@yearly");
    job["source"] = json!({"docker": {"dockerfile_raw": "FROM scratch"}});
    let job = it.create(job).await;
    let variable = json!({"key": "A", "value": "0"});
    let variable = it.client.post(&format!("/job/{job}/environmentVariable"), variable).await.expect(201);
    let variable = format!("/variable/{}", variable["id"].as_str().unwrap());
    for expected in ["1", "2"] {
        it.client.put(&variable, json!({"key": "A", "value": expected})).await.expect(200);
        it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
        app.settle().await;
        let step = app.runner.started().pop().unwrap();
        let arguments = step.build.clone().unwrap().arguments;
        let argument = arguments.iter().find(|(name, _)| name == "A").unwrap();
        assert_eq!(argument.1.expose(), expected);
        app.runner.leave(&step.name, &json!({"image": "windlass-build/x:1"}).to_string());
        app.runner.exit_all(0);
        app.settle().await;
        assert_eq!(it.state(&job).await, "DEPLOYED");
    }
}

/// A run that is forced of a CRON job that is not deployed leaves it as it was.
#[tokio::test]
async fn a_forced_run_deploys_nothing() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("yearly", "@yearly")).await;
    let force = async |exit_code: i32| {
        it.client.post(&format!("/job/{job}/deploy?forceEvent=CRON"), json!({})).await.expect(202);
        app.settle().await;
        assert_eq!(it.state(&job).await, "EXECUTING");
        app.runner.exit_all(exit_code);
        app.settle().await;
        let status = it.client.get(&format!("/job/{job}/status")).await.expect(200);
        let of_all = it.client.get(&format!("/environment/{}/statuses", it.environment)).await.expect(200);
        assert_eq!(of_all["jobs"][0]["state"], status["state"]);
        assert_eq!(of_all["environment"]["state"], status["state"]);
        (status["state"].clone(), status["service_deployment_status"].clone())
    };
    assert_eq!(force(0).await, (json!("READY"), json!("NEVER_DEPLOYED")));
    for (action, state) in [("deploy", "DEPLOYED"), ("stop", "STOPPED"), ("uninstall", "DELETED")] {
        it.client.post(&format!("/job/{job}/{action}"), json!({})).await.expect(202);
        app.settle().await;
        for _ in 0..2 {
            assert_eq!(force(0).await, (json!(state), json!("UP_TO_DATE")), "{action}");
        }
    }
    assert_eq!(force(1).await, (json!("DEPLOYMENT_ERROR"), json!("OUT_OF_DATE")));
}
