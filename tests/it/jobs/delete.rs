//! DELETE /job/{jobId}.

use serde_json::json;

use crate::harness::{Furnished, TestApp, id};

#[tokio::test]
async fn what_was_never_deployed_is_gone_at_once() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.lifecycle("events")).await;
    it.client.delete(&format!("/job/{job}")).await.expect(204);
    it.client.get(&format!("/job/{job}")).await.expect(404);
    it.client.delete(&format!("/job/{job}")).await.expect(404);
    assert!(app.runner.started().is_empty());
}

#[tokio::test]
async fn a_deployed_job_runs_its_on_delete_command_first() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.deployed(&app, it.lifecycle("events")).await;
    app.runner.exit_all(0);
    app.settle().await;
    it.client.delete(&format!("/job/{job}")).await.expect(204);
    assert_eq!(it.state(&job).await, "DELETE_QUEUED");
    let detail = it.client.delete(&format!("/job/{job}")).await.detail(409);
    assert_eq!(detail, "the job events is being deleted");
    app.settle().await;
    assert_eq!(it.state(&job).await, "DELETING");
    assert_eq!(app.runner.started().last().unwrap().arguments, ["-c", "delete"]);
    app.runner.exit_all(1);
    app.settle().await;
    assert_eq!(it.state(&job).await, "DELETE_ERROR");
    it.client.delete(&format!("/job/{job}")).await.expect(204);
    app.settle().await;
    app.runner.exit_all(0);
    app.settle().await;
    it.client.get(&format!("/job/{job}")).await.expect(404);
    it.client.get(&format!("/job/{job}/status")).await.expect(404);
    assert!(app.runner.steps().is_empty(), "containers are left");
}

#[tokio::test]
async fn skip_reconcile_deletes_only_rows() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.deployed(&app, it.lifecycle("events")).await;
    // The run of the deployment is ended first.
    it.client.delete(&format!("/job/{job}?skipReconcile=true")).await.expect(204);
    it.client.get(&format!("/job/{job}")).await.expect(200);
    app.settle().await;
    it.client.get(&format!("/job/{job}")).await.expect(404);
    assert_eq!((app.runner.stopped().len(), app.runner.steps().len()), (1, 0));
    assert_eq!(app.runner.started().len(), 1, "nothing else was started");
    // Without an open run the rows go at once.
    let job = it.deployed(&app, it.lifecycle("events")).await;
    app.runner.exit_all(0);
    app.settle().await;
    it.client.delete(&format!("/job/{job}?skipReconcile=true")).await.expect(204);
    it.client.get(&format!("/job/{job}")).await.expect(404);
    app.settle().await;
    assert_eq!(app.runner.started().len(), 2, "nothing else was started");
}

#[tokio::test]
async fn a_running_cron_job_is_stopped_before_it_goes() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.deployed(&app, it.cron("minutely", "* * * * *")).await;
    app.clock.set("2026-11-22T10:01:00Z");
    app.settle().await;
    assert_eq!(app.runner.steps().len(), 1);
    it.client.delete(&format!("/job/{job}")).await.expect(204);
    app.settle().await;
    app.settle().await;
    assert_eq!((app.runner.stopped().len(), app.runner.steps().len()), (1, 0));
    it.client.get(&format!("/job/{job}")).await.expect(404);
}

/// A job with a manual run that is running.
async fn running(app: &TestApp, it: &Furnished) -> (String, String) {
    let job = it.create(it.lifecycle("events")).await;
    let run = it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
    app.settle().await;
    assert_eq!(app.runner.steps().len(), 1);
    (job, id(&run))
}

/// Whatever deletes a job, its open runs are ended first; nothing is left on the engine, and no command of the job runs, because it
/// was never deployed.
#[tokio::test]
async fn open_runs_are_ended_before_a_row_goes() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    for by in ["job", "service", "job, rows only", "environment", "environment, rows only"] {
        let it = it.with_environment(by).await;
        let (job, run) = running(&app, &it).await;
        let started = app.runner.started().len();
        let (job_path, environment_path) = (format!("/job/{job}"), format!("/environment/{}", it.environment));
        match by {
            "job" => drop(it.client.delete(&job_path).await.expect(204)),
            "job, rows only" => drop(it.client.delete(&format!("{job_path}?skipReconcile=true")).await.expect(204)),
            "service" => {
                let jobs = json!({"job_ids": [job]});
                it.client.post(&format!("{environment_path}/service/delete"), jobs).await.expect(200);
            }
            "environment" => drop(it.client.delete(&environment_path).await.expect(204)),
            _ => drop(it.client.delete(&format!("{environment_path}?skipReconcile=true")).await.expect(204)),
        }
        assert_eq!(it.client.get(&format!("/run/{run}")).await.expect(200)["state"], "RUNNING", "{by}");
        assert_eq!(it.state(&job).await, "DELETE_QUEUED", "{by}");
        let refused = it.client.post(&format!("{job_path}/run"), json!({})).await.detail(409);
        assert!(refused.contains("is being deleted"), "{by}: {refused}");
        app.settle().await;
        it.client.get(&job_path).await.expect(404);
        assert_eq!(app.runner.steps(), Vec::<String>::new(), "{by}: a step is left");
        assert_eq!(app.runner.started().len(), started, "{by}: a command was run");
        let gone = if by.starts_with("environment") { 404 } else { 200 };
        it.client.get(&environment_path).await.expect(gone);
    }
}

/// The row waits as long as the run takes to end.
#[tokio::test]
async fn a_row_stays_while_a_run_does_not_end() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (job, run) = running(&app, &it).await;
    app.runner.set_down(true);
    it.client.delete(&format!("/job/{job}")).await.expect(204);
    app.settle().await;
    assert_eq!(it.state(&job).await, "DELETING");
    let row = it.client.get(&format!("/run/{run}")).await.expect(200);
    assert_eq!((&row["state"], row["cancel_requested_at"].is_string()), (&json!("RUNNING"), true));
    app.runner.set_down(false);
    app.settle().await;
    it.client.get(&format!("/job/{job}")).await.expect(404);
    assert!(app.runner.steps().is_empty());
}

/// A job that was removed by an earlier stage of a deletion is not run again before its row goes.
#[tokio::test]
async fn a_job_is_not_run_between_its_removal_and_its_deletion() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (first, second) = (it.create(it.cron("first", "@yearly")).await, it.create(it.lifecycle("second")).await);
    let stages = it.client.get(&format!("/environment/{}/deploymentStage", it.environment)).await.expect(200);
    let last = id(&stages["results"][3]);
    it.client.put(&format!("/deploymentStage/{last}/service/{second}"), json!({})).await.expect(200);
    for job in [&first, &second] {
        it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    }
    app.settle().await;
    app.runner.exit_all(0);
    app.settle().await;
    let jobs = json!({"job_ids": [first, second]});
    it.client.post(&format!("/environment/{}/service/delete", it.environment), jobs).await.expect(200);
    app.settle().await;
    assert_eq!((it.state(&first).await, it.state(&second).await), ("DELETED".into(), "DELETING".into()));
    let refused = it.client.post(&format!("/job/{first}/run"), json!({})).await.detail(409);
    assert_eq!(refused, "the job first is being deleted");
    app.runner.exit_all(0);
    app.settle().await;
    it.client.get(&format!("/job/{first}")).await.expect(404);
    it.client.get(&format!("/job/{second}")).await.expect(404);
}

/// Official clients wait until the last deployment of the environment was a deletion.
#[tokio::test]
async fn a_deletion_at_once_is_the_last_deployment() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.lifecycle("events")).await;
    let statuses = async || {
        let path = format!("/environment/{}/statuses", it.environment);
        it.client.get(&path).await.expect(200)["environment"]["last_deployment_state"].clone()
    };
    assert_eq!(statuses().await, "READY");
    it.client.delete(&format!("/job/{job}")).await.expect(204);
    it.client.get(&format!("/job/{job}")).await.expect(404);
    assert_eq!(statuses().await, "DELETED");
    // While another job is deployed, that deployment is the last one.
    let (slow, other) = (it.create(it.lifecycle("slow")).await, it.create(it.lifecycle("other")).await);
    it.client.post(&format!("/job/{slow}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    let jobs = json!({"job_ids": [other]});
    it.client.post(&format!("/environment/{}/service/delete", it.environment), jobs).await.expect(200);
    it.client.get(&format!("/job/{other}")).await.expect(404);
    assert_eq!(statuses().await, "DEPLOYING");
    // An environment with nothing in it that was ever deployed is deleted at once, whatever was deleted before.
    app.runner.exit_all(0);
    app.settle().await;
    it.client.delete(&format!("/job/{slow}?skipReconcile=true")).await.expect(204);
    it.client.delete(&format!("/environment/{}", it.environment)).await.expect(204);
    it.client.get(&format!("/environment/{}", it.environment)).await.expect(404);
}

/// If the image of a job was never built, there is nothing to run when it is stopped or removed.
#[tokio::test]
async fn what_was_never_built_is_removed_without_a_run() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut job = it.lifecycle("built");
    job["source"] = json!({"docker": {"dockerfile_raw": "FROM scratch"}});
    let job = it.deployed(&app, job).await;
    app.runner.exit_all(1);
    app.settle().await;
    assert_eq!(it.state(&job).await, "BUILD_ERROR");
    for (action, state) in [("stop", "STOPPED"), ("uninstall", "DELETED")] {
        it.client.post(&format!("/job/{job}/{action}"), json!({})).await.expect(202);
        app.settle().await;
        assert_eq!(it.state(&job).await, state);
    }
    it.client.delete(&format!("/job/{job}")).await.expect(204);
    app.settle().await;
    it.client.get(&format!("/job/{job}")).await.expect(404);
    assert_eq!(app.runner.started().len(), 1, "only the build was started");
}

/// The deletion of an environment runs nothing of jobs that were never deployed.
#[tokio::test]
async fn the_deletion_of_an_environment_knows_what_was_deployed() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (deployed, never) = (it.create(it.lifecycle("deployed")).await, it.create(it.lifecycle("never")).await);
    it.client.post(&format!("/job/{deployed}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    app.runner.exit_all(0);
    app.settle().await;
    it.client.delete(&format!("/environment/{}", it.environment)).await.expect(204);
    app.settle().await;
    let started = app.runner.started();
    assert_eq!(started.len(), 2);
    assert!(started[1].labels.contains(&("windlass.job".into(), deployed.clone())), "{never} was run");
    app.runner.exit_all(0);
    app.settle().await;
    it.client.get(&format!("/environment/{}", it.environment)).await.expect(404);
}

/// The command of a removal is the last one: it undoes what the other runs do until their end.
#[tokio::test]
async fn the_command_of_a_removal_waits_for_the_runs_that_it_ends() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    for (action, event, busy, done) in
        [("stop", "STOP", "STOPPING", "STOPPED"), ("uninstall", "DELETE", "DELETING", "DELETED")]
    {
        let job = it.deployed(&app, it.lifecycle(action)).await;
        app.runner.exit_all(0);
        app.settle().await;
        it.client.post(&format!("/job/{job}/run"), json!({"event": "START"})).await.expect(202);
        app.settle().await;
        it.client.post(&format!("/job/{job}/{action}"), json!({})).await.expect(202);
        windlass::engine::tick::plan(&app.app, app.clock.now()).await;
        let runs = it.runs(&job).await;
        assert_eq!(runs.len(), 2, "{action}: the command waits: {runs:?}");
        assert_eq!((&runs[0]["state"], runs[0]["cancel_requested_at"].is_string()), (&json!("RUNNING"), true));
        assert_eq!(it.state(&job).await, busy);
        app.settle().await;
        app.settle().await;
        let runs = it.runs(&job).await;
        assert_eq!((&runs[0]["event"], &runs[0]["state"]), (&json!(event), &json!("RUNNING")), "{action}");
        assert_eq!(runs[1]["state"], "CANCELLED", "{action}");
        app.runner.exit_all(0);
        app.settle().await;
        assert_eq!(it.state(&job).await, done);
    }
}

/// A removal that is cancelled while it waits for other runs has removed nothing.
#[tokio::test]
async fn a_removal_that_waits_can_be_cancelled() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.deployed(&app, it.lifecycle("events")).await;
    app.runner.exit_all(0);
    app.settle().await;
    it.client.post(&format!("/job/{job}/run"), json!({"event": "START"})).await.expect(202);
    app.settle().await;
    let started = app.runner.started().len();
    app.runner.set_down(true);
    it.client.post(&format!("/job/{job}/stop"), json!({})).await.expect(202);
    app.settle().await;
    assert_eq!(it.state(&job).await, "STOPPING");
    it.client.post(&format!("/environment/{}/cancelDeployment", it.environment), json!({})).await.expect(202);
    app.runner.set_down(false);
    app.settle().await;
    app.settle().await;
    let status = it.client.get(&format!("/job/{job}/status")).await.expect(200);
    assert_eq!((&status["state"], &status["service_deployment_status"]), (&json!("CANCELED"), &json!("UP_TO_DATE")));
    assert_eq!(app.runner.started().len(), started, "no command was run");
}

/// The command of a removal and its variables are of one moment: both as deployed or, if nothing is deployed any more, both as they are.
#[tokio::test]
async fn a_removal_gets_the_variables_of_its_command() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    for (first, command) in [("stop", "stop"), ("uninstall", "delete"), ("", "delete")] {
        let job = it.create(it.lifecycle(&format!("events{first}"))).await;
        let path = format!("/job/{job}");
        let variable = json!({"key": "DB", "value": "old"});
        let variable = id(&it.client.post(&format!("{path}/environmentVariable"), variable).await.expect(201));
        it.client.post(&format!("{path}/deploy"), json!({})).await.expect(202);
        app.settle().await;
        app.runner.exit_all(0);
        app.settle().await;
        app.clock.forward(1);
        let mut edited = it.lifecycle(&format!("events{first}"));
        for event in ["stop", "delete"] {
            edited["schedule"][format!("on_{event}")]["arguments"][1] = json!(format!("new {event}"));
        }
        it.client.put(&path, edited).await.expect(200);
        it.client.put(&format!("/variable/{variable}"), json!({"key": "DB", "value": "new"})).await.expect(200);
        let last = || {
            let step = app.runner.started().pop().unwrap();
            let db = step.environment.iter().find(|(key, _)| key == "DB").unwrap().1.expose().clone();
            (step.arguments[1].clone(), db)
        };
        match first {
            "" => drop(it.client.delete(&path).await.expect(204)),
            _ => drop(it.client.post(&format!("{path}/{first}"), json!({})).await.expect(202)),
        }
        app.settle().await;
        assert_eq!(last(), (command.to_owned(), "old".to_owned()), "{first}");
        // A failed deletion can be corrected and repeated.
        app.runner.exit_all(1);
        app.settle().await;
        it.client.delete(&path).await.expect(204);
        app.settle().await;
        assert_eq!(last(), ("new delete".to_owned(), "new".to_owned()), "after {first}");
        app.runner.exit_all(0);
        app.settle().await;
        it.client.get(&path).await.expect(404);
    }
}
