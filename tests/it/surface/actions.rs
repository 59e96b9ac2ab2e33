//! Actions on several services, cancellations, queues, histories and logs.

use serde_json::{Value, json};

use crate::harness::{Furnished, TestApp, id};

async fn environment_status(it: &Furnished) -> Value {
    it.client.get(&format!("/environment/{}/status", it.environment)).await.expect(200)
}

#[tokio::test]
async fn several_services_take_part_in_one_deployment() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (one, two) = (it.create(it.cron("one", "@daily")).await, it.create(it.lifecycle("two")).await);
    let base = format!("/environment/{}/service", it.environment);
    let jobs = json!({"jobs": [{"id": one, "image_tag": "2.0"}, {"id": two}]});
    let status = it.client.post(&format!("{base}/deploy"), jobs).await.expect(202);
    assert_eq!(status["state"], "DEPLOYMENT_QUEUED");
    app.settle().await;
    app.runner.exit_all(0);
    app.settle().await;
    assert_eq!((it.state(&one).await, it.state(&two).await), ("DEPLOYED".into(), "DEPLOYED".into()));
    let job = it.client.get(&format!("/job/{one}")).await.expect(200);
    assert_eq!(job["source"]["image"]["tag"], "2.0", "the deployed version is the configured one");
    let history = it.client.get(&format!("/environment/{}/deploymentHistory", it.environment)).await.expect(200);
    assert_eq!(history["results"].as_array().unwrap().len(), 1);
    assert_eq!(history["results"][0]["jobs"].as_array().unwrap().len(), 2);
    it.client.post(&format!("{base}/stop"), json!({"job_ids": [one]})).await.expect(200);
    app.settle().await;
    assert_eq!(it.state(&one).await, "STOPPED");
    // Stopped jobs are left out; it is a conflict if none remain.
    it.client.post(&format!("{base}/stop"), json!({"job_ids": [one]})).await.expect(409);
    it.client.post(&format!("{base}/stop"), json!({"job_ids": [one, two]})).await.expect(200);
    app.settle().await;
    app.runner.exit_all(0);
    app.settle().await;
    assert_eq!(it.state(&two).await, "STOPPED");
    it.client.post(&format!("{base}/uninstall"), json!({"job_ids": [two]})).await.expect(200);
    app.settle().await;
    let started = app.runner.started();
    assert_eq!(started.last().unwrap().arguments, ["-c", "delete"], "its on_delete command runs");
    app.runner.exit_all(0);
    app.settle().await;
    assert_eq!(it.state(&two).await, "DELETED");
    it.client.get(&format!("/job/{two}")).await.expect(200);
    it.client.post(&format!("{base}/delete"), json!({"job_ids": [one, two]})).await.expect(200);
    for _ in 0..2 {
        app.settle().await;
        app.runner.exit_all(0);
    }
    app.settle().await;
    it.client.get(&format!("/job/{one}")).await.expect(404);
    it.client.get(&format!("/job/{two}")).await.expect(404);
}

#[tokio::test]
async fn what_several_services_refuse() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("one", "@daily")).await;
    let base = format!("/environment/{}/service", it.environment);
    let post = async |path: &str, body: Value| it.client.post(&format!("{base}/{path}"), body).await.detail(400);
    assert!(post("stop", json!({"application_ids": [job]})).await.starts_with("application_ids"));
    assert!(post("deploy", json!({"jobs": [{"image_tag": "1"}]})).await.starts_with("jobs[0].id"));
    assert!(post("deploy", json!({"databases": [job]})).await.starts_with("databases"));
    let both = json!({"jobs": [{"id": job, "image_tag": "1", "git_commit_id": "abc"}]});
    assert!(post("deploy", both).await.starts_with("jobs[0].git_commit_id"));
    let bad = json!({"jobs": [{"id": job, "image_tag": "not a tag"}]});
    assert!(post("deploy", bad).await.starts_with("jobs[0].image_tag"));
    assert!(post("restart-service", json!({"application_ids": [job]})).await.starts_with("application_ids"));
    assert!(post("restart-service", json!({})).await.contains("nothing to restart"));
    let other = json!({"name": "other"});
    let other = id(&it.client.post(&format!("/project/{}/environment", it.project), other).await.expect(201));
    let detail =
        it.client.post(&format!("/environment/{other}/service/stop"), json!({"job_ids": [job]})).await.detail(400);
    assert!(detail.contains("is not a job of this environment"), "{detail}");
    assert_eq!(it.state(&job).await, "READY", "nothing of it was begun");
}

/// The command line sends an empty object when all services are stopped.
#[tokio::test]
async fn actions_on_no_services_have_nothing_to_do() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("one", "@daily")).await;
    let base = format!("/environment/{}/service", it.environment);
    for body in [json!({}), json!({"jobs": []}), json!({"jobs": null})] {
        let status = it.client.post(&format!("{base}/deploy"), body).await.expect(202);
        assert_eq!(status["state"], "READY");
    }
    for action in ["stop", "uninstall", "delete"] {
        for body in [json!({}), json!({"job_ids": []})] {
            it.client.post(&format!("{base}/{action}"), body).await.expect(200);
        }
    }
    let path = format!("/environment/{}/cleanFailedJobs", it.environment);
    let cleaned = it.client.post(&path, json!({"job_ids": []})).await.expect(200);
    assert_eq!(cleaned["clean_job_ids"], json!([]));
    let history = it.client.get(&format!("/environment/{}/deploymentHistory", it.environment)).await.expect(200);
    assert_eq!(history["results"], json!([]), "nothing was requested");
    it.client.get(&format!("/job/{job}")).await.expect(200);
}

#[tokio::test]
async fn queued_deployments_are_listed_and_cancelled() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (slow, quick) = (it.create(it.lifecycle("slow")).await, it.create(it.cron("quick", "@daily")).await);
    it.client.post(&format!("/job/{slow}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    let waiting = it.client.post(&format!("/job/{quick}/deploy"), json!({})).await.expect(202);
    let request = waiting["deployment_request_id"].as_str().unwrap().to_owned();
    let queue = it.client.get(&format!("/environment/{}/deploymentQueue", it.environment)).await.expect(200);
    let row = &queue["results"][0];
    assert_eq!(
        (&row["identifier"]["deployment_request_id"], &row["trigger_action"]),
        (&json!(request), &json!("DEPLOY"))
    );
    assert_eq!(row["stages"][0]["services"][0]["identifier"]["name"], "quick");
    let of_job = it.client.get(&format!("/service/{quick}/deploymentQueue")).await.expect(200);
    assert_eq!(of_job["results"][0]["status_details"]["status"], "QUEUED");
    it.client.post(&format!("/deploymentQueue/{request}/cancelDeployment"), json!({})).await.expect(202);
    assert_eq!(it.state(&quick).await, "CANCELED");
    it.client.post(&format!("/deploymentQueue/{request}/cancelDeployment"), json!({})).await.expect(409);
    app.runner.exit_all(0);
    app.settle().await;
    assert_eq!((it.state(&slow).await, it.state(&quick).await), ("DEPLOYED".into(), "CANCELED".into()));
    let queue = it.client.get(&format!("/environment/{}/deploymentQueue", it.environment)).await.expect(200);
    assert_eq!(queue, json!({"results": []}));
}

#[tokio::test]
async fn a_cancelled_deployment_begins_nothing_more() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.lifecycle("first")).await;
    let later = it.create(it.lifecycle("later")).await;
    let stages = it.client.get(&format!("/environment/{}/deploymentStage", it.environment)).await.expect(200);
    let last = id(&stages["results"][3]);
    it.client.put(&format!("/deploymentStage/{last}/service/{later}"), json!({})).await.expect(200);
    let cancel = format!("/environment/{}/cancelDeployment", it.environment);
    it.client.post(&cancel, json!({})).await.expect(409);
    it.client.post(&format!("/environment/{}/deploy", it.environment), json!({})).await.expect(202);
    app.settle().await;
    // Without force the run continues to its end, and the next stage does not begin.
    it.client.post(&cancel, json!({"force_cancel": false})).await.expect(202);
    app.settle().await;
    assert_eq!((it.state(&job).await, it.state(&later).await), ("EXECUTING".into(), "CANCELING".into()));
    let status = environment_status(&it).await;
    assert_eq!((&status["state"], &status["last_deployment_state"]), (&json!("CANCELING"), &json!("CANCELING")));
    let log = it.client.get(&format!("/environment/{}/logs", it.environment)).await.expect(200);
    let steps: Vec<&str> =
        log.as_array().unwrap().iter().filter_map(|row| row["details"]["stage"]["step"].as_str()).collect();
    assert!(steps.contains(&"Cancel"), "{steps:?}");
    it.client.post(&cancel, json!({})).await.expect(409);
    app.runner.exit_all(0);
    app.settle().await;
    assert_eq!((it.state(&job).await, it.state(&later).await), ("DEPLOYED".into(), "CANCELED".into()));
    assert_eq!(environment_status(&it).await["last_deployment_state"], "CANCELED");
    // With force the run is stopped.
    it.client.post(&format!("/environment/{}/redeploy", it.environment), json!({})).await.expect(202);
    app.settle().await;
    it.client.post(&cancel, json!({"force_cancel": true})).await.expect(202);
    assert_eq!(it.state(&job).await, "CANCELING");
    let detail = it.client.get(&format!("/job/{job}/status")).await.expect(200);
    assert_eq!(detail["status_details"]["status"], "CANCELING");
    app.settle().await;
    app.runner.exit_all(143);
    app.settle().await;
    assert_eq!((it.state(&job).await, it.state(&later).await), ("CANCELED".into(), "CANCELED".into()));
    assert_eq!(it.runs(&job).await[0]["state"], "CANCELLED");
    assert_eq!(environment_status(&it).await["state"], "CANCELED");
}

#[tokio::test]
async fn a_tag_is_deployed_to_those_who_want_it() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut request = it.cron("wants", "@daily");
    request["auto_deploy"] = json!(true);
    let wanting = it.create(request.clone()).await;
    request["name"] = json!("never deployed");
    let never = it.create(request).await;
    let manual = it.create(it.cron("manual", "@daily")).await;
    for job in [&wanting, &manual] {
        it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    }
    app.settle().await;
    let path = format!("/organization/{}/job/deploy", it.organization);
    let body = json!({"image_name": "library/busybox", "tag": "9"});
    let status = it.client.post(&path, body.clone()).await.expect(202);
    assert_eq!(status["state"], "DEPLOYMENT_QUEUED");
    app.settle().await;
    let tag = async |job: &str| {
        let job = it.client.get(&format!("/job/{job}")).await.expect(200);
        job["source"]["image"]["tag"].as_str().unwrap().to_owned()
    };
    assert_eq!((tag(&wanting).await.as_str(), tag(&manual).await.as_str()), ("9", "1.36.1"));
    assert_eq!(it.state(&never).await, "READY");
    // No job remains that would be deployed.
    let status = it.client.post(&path, body).await.expect(202);
    assert_eq!((&status["state"], &status["deployment_request_id"]), (&json!("READY"), &Value::Null));
    assert!(it.client.post(&path, json!({"tag": "9"})).await.detail(400).starts_with("image_name"));
}

#[tokio::test]
async fn histories_and_logs_tell_what_happened() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.deployed(&app, it.lifecycle("events")).await;
    app.clock.forward(7);
    app.runner.exit_all(1);
    app.settle().await;
    // The history shows the deployed configuration, not later edits.
    it.client
        .put(
            &format!("/job/{job}"),
            json!({"source": {"image": {"image_name": "other", "tag": "2", "registry_id": it.registry}}}),
        )
        .await
        .expect(200);
    let v1 = it.client.get(&format!("/job/{job}/deploymentHistory")).await.expect(200);
    let entry = &v1["results"][0];
    assert_eq!((&entry["status"], &entry["tag"]), (&json!("DEPLOYMENT_ERROR"), &json!("1.36.1")));
    assert_eq!((&entry["schedule"]["event"], &entry["arguments"]), (&json!("ON_START"), &json!(["-c", "start"])));
    assert_eq!((&v1["page"], &v1["page_size"]), (&json!(1), &json!(20)));
    let v2 = it.client.get(&format!("/job/{job}/deploymentHistoryV2?pageSize=5")).await.expect(200);
    let entry = &v2["results"][0];
    assert_eq!((&entry["total_duration"], &entry["details"]["job_type"]), (&json!("PT7S"), &json!("LIFECYCLE")));
    assert_eq!(entry["auditing_data"]["triggered_by"], "test");
    let execution = entry["identifier"]["execution_id"].as_str().unwrap();
    for size in ["0", "101", "x"] {
        it.client.get(&format!("/job/{job}/deploymentHistoryV2?pageSize={size}")).await.expect(400);
    }
    let logs = it.client.get(&format!("/environment/{}/logs?version={execution}", it.environment)).await.expect(200);
    let newest = it.client.get(&format!("/environment/{}/logs", it.environment)).await.expect(200);
    assert_eq!(logs, newest);
    let steps: Vec<&str> =
        logs.as_array().unwrap().iter().map(|line| line["details"]["stage"]["step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["Start", "Deploy", "Deploy", "Deploy", "DeployedError", "DeployedError"]);
    let failed = &logs[4];
    assert_eq!((&failed["type"], &failed["details"]["transmitter"]["name"]), (&json!("error"), &json!("events")));
    assert_eq!(failed["message"]["safe_message"], "exit code 1");
    // The command line shows the steps that took time, under the names of their stages.
    let explained = &logs[3];
    assert_eq!(
        (&explained["details"], &explained["message"]["safe_message"]),
        (&logs[2]["details"], &json!("exit code 1"))
    );
    for line in logs.as_array().unwrap() {
        assert_eq!(line["details"]["stage"]["name"], "1.DEFAULT JOB", "{line}");
    }
    let all = it.client.get(&format!("/environment/{}/deploymentHistory", it.environment)).await.expect(200);
    let plain = id(&all["results"][0]);
    let by_id = it.client.get(&format!("/environment/{}/logs?version={plain}", it.environment)).await.expect(200);
    assert_eq!(by_id, logs, "the id of the history's first format names it too");
    let unknown = it.client.get(&format!("/environment/{}/logs?version=x-1", it.environment)).await.expect(200);
    assert_eq!(unknown, json!([]));
    let older = it.client.get(&format!("/environment/{}/log", it.environment)).await.expect(200);
    assert_eq!(older["results"][0]["state"], "DEPLOYMENT_ERROR");
    // A failed state can be cleared once.
    let cleaned = it.client.post(&format!("/job/{job}/cleanFailedJob"), json!({})).await.expect(200);
    assert_eq!(cleaned["clean_kubernetes_jobs"].as_array().unwrap().len(), 1);
    let clean = format!("/environment/{}/cleanFailedJobs", it.environment);
    let cleaned = it.client.post(&clean, json!({"job_ids": [job]})).await;
    assert_eq!(cleaned.expect(200), json!({"clean_job_ids": [], "clean_kubernetes_jobs": []}));
}

#[tokio::test]
async fn numbers_and_overviews() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "@daily")).await;
    let project = format!("/project/{}/environment", it.project);
    let stats = it.client.get(&format!("{project}/stats")).await.expect(200);
    assert_eq!(stats["results"], json!([{"id": it.environment, "service_total_number": 1}]));
    let overview = it.client.get(&format!("{project}/overview")).await.expect(200);
    let row = &overview["results"][0];
    assert_eq!((&row["services_overview"]["service_count"], &row["cluster"]["name"]), (&json!(1), &json!("local")));
    assert_eq!(it.client.get(&format!("{project}/status")).await.expect(200)["results"][0]["state"], "READY");
    let organization = format!("/organization/{}", it.organization);
    let stats = it.client.get(&format!("{organization}/project/stats")).await.expect(200);
    assert_eq!(stats["results"][0]["environment_total_number"], 1);
    let services =
        it.client.get(&format!("{organization}/services?environment_id={}", it.environment)).await.expect(200);
    assert_eq!((&services["results"][0]["id"], &services["results"][0]["job_type"]), (&json!(job), &json!("CRON")));
    it.client.get(&format!("{organization}/services?project_id=x")).await.expect(400);
    let list = it.client.get(&format!("/environment/{}/services", it.environment)).await.expect(200);
    assert_eq!(list["results"][0], it.client.get(&format!("/job/{job}")).await.expect(200));
    for kind in ["application", "container", "database", "helm", "terraform"] {
        let path = format!("/environment/{}/{kind}", it.environment);
        assert_eq!(it.client.get(&path).await.expect(200), json!({"results": []}));
    }
}

#[tokio::test]
async fn an_automatic_deployment_leaves_out_what_is_being_deleted() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (gone, other) = (it.with_environment("gone").await, it.with_environment("other").await);
    let wanting = async |of: &Furnished, name: &str| {
        let mut job = of.cron(name, "@daily");
        job["auto_deploy"] = json!(true);
        of.deployed(&app, job).await
    };
    let (kept, leaving) = (wanting(&it, "kept").await, wanting(&it, "leaving").await);
    let (lost, far) = (wanting(&gone, "lost").await, wanting(&other, "far").await);
    it.client.delete(&format!("/job/{leaving}")).await.expect(204);
    it.client.delete(&format!("/environment/{}", gone.environment)).await.expect(204);
    let path = format!("/organization/{}/job/deploy", it.organization);
    let status = it.client.post(&path, json!({"image_name": "library/busybox", "tag": "9"})).await.expect(202);
    assert_eq!(status["state"], "DEPLOYMENT_QUEUED");
    for (job, tag) in [(&kept, "9"), (&far, "9"), (&leaving, "1.36.1"), (&lost, "1.36.1")] {
        let shown = it.client.get(&format!("/job/{job}")).await.expect(200);
        assert_eq!(shown["source"]["image"]["tag"], tag, "{shown}");
    }
    app.settle().await;
    app.settle().await;
    assert_eq!((it.state(&kept).await, it.state(&far).await), ("DEPLOYED".into(), "DEPLOYED".into()));
    it.client.get(&format!("/job/{leaving}")).await.expect(404);
    it.client.get(&format!("/environment/{}", gone.environment)).await.expect(404);
}
