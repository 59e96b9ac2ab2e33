//! Environments, their actions and their states.

use poem::http::Method;
use serde_json::{Value, json};

use crate::harness::{TestApp, id};

#[tokio::test]
async fn create_get_edit_list() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = format!("/project/{}/environment", it.project);
    let clusters = it.client.get(&format!("/organization/{}/cluster", it.organization)).await.expect(200);
    let cluster = &clusters["results"][0];
    assert_eq!(
        (&cluster["name"], &cluster["is_default"], &cluster["status"]),
        (&json!("local"), &json!(true), &json!("DEPLOYED"))
    );
    let body = json!({"name": "Production", "mode": "PRODUCTION", "cluster": cluster["id"]});
    let made = it.client.post(&path, body).await.expect(201);
    assert_eq!(
        (&made["mode"], &made["cluster_name"], &made["cluster_id"]),
        (&json!("PRODUCTION"), &json!("local"), &cluster["id"])
    );
    assert_eq!(made["cloud_provider"], json!({"provider": "ON_PREMISE", "cluster": "local"}));
    let own = format!("/environment/{}", id(&made));
    let edited = it.client.put(&own, json!({"mode": "STAGING"})).await.expect(200);
    assert_eq!((&edited["name"], &edited["mode"]), (&json!("Production"), &json!("STAGING")));
    assert_eq!(it.client.get(&own).await.expect(200), edited);
    assert_eq!(it.client.get(&path).await.expect(200)["results"].as_array().unwrap().len(), 2);
    it.client.post(&path, json!({"name": " production"})).await.expect(409);
    it.client.put(&own, json!({"name": "STAGING"})).await.expect(409);
    for (body, field) in [
        (json!({}), "name"),
        (json!({"name": ""}), "name"),
        (json!({"name": "x", "mode": "PREVIEW"}), "mode"),
        (json!({"name": "x", "cluster": it.project}), "cluster"),
        (json!({"name": "x", "cluster": "y"}), "cluster"),
    ] {
        let detail = it.client.post(&path, body).await.detail(400);
        assert!(detail.starts_with(&format!("{field}:")), "{detail}");
    }
    it.client.get("/environment/00000000-0000-7000-8000-000000000000").await.expect(404);
    it.client.post("/project/00000000-0000-7000-8000-000000000000/environment", json!({"name": "x"})).await.expect(404);
}

#[tokio::test]
async fn states_of_an_environment() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = format!("/environment/{}", it.environment);
    let status = it.client.get(&format!("{path}/status")).await.expect(200);
    assert_eq!(
        (&status["state"], &status["last_deployment_state"], &status["deployment_status"]),
        (&json!("READY"), &json!("READY"), &json!("NEVER_DEPLOYED"))
    );
    assert_eq!((&status["origin"], &status["last_deployment_id"]), (&Value::Null, &Value::Null));
    let (events, cron) = (it.create(it.lifecycle("events")).await, it.create(it.cron("minutely", "* * * * *")).await);
    let answer = it.client.call(Method::POST, &format!("{path}/deploy"), None).await.expect(202);
    // As in the official API description: the shape of a job status, for the environment.
    assert_eq!((&answer["id"], &answer["state"]), (&json!(it.environment), &json!("DEPLOYMENT_QUEUED")));
    app.settle().await;
    let all = it.client.get(&format!("{path}/statuses")).await.expect(200);
    let state = |job: &str| all["jobs"].as_array().unwrap().iter().find(|s| s["id"] == job).unwrap()["state"].clone();
    // A CRON job has its schedule as soon as its deployment begins.
    assert_eq!((state(&events), state(&cron)), (json!("EXECUTING"), json!("DEPLOYED")));
    // Never EXECUTING: the official Terraform provider fails on that state of an environment.
    assert_eq!(
        (&all["environment"]["state"], &all["environment"]["last_deployment_state"]),
        (&json!("DEPLOYING"), &json!("DEPLOYING"))
    );
    app.clock.forward(5);
    app.runner.exit_all(0);
    app.settle().await;
    let status = it.client.get(&format!("{path}/status")).await.expect(200);
    assert_eq!((&status["state"], &status["deployment_status"]), (&json!("DEPLOYED"), &json!("UP_TO_DATE")));
    assert_eq!((&status["total_deployment_duration_in_seconds"], &status["origin"]), (&json!(5), &json!("API")));
    assert_eq!(status["triggered_by"], "test");
    let stop = it.client.call(Method::POST, &format!("{path}/stop"), None).await.expect(202);
    assert_eq!(stop["last_deployment_state"], "STOP_QUEUED");
    app.settle().await;
    app.runner.exit_all(0);
    app.settle().await;
    let status = it.client.get(&format!("{path}/status")).await.expect(200);
    assert_eq!((&status["state"], &status["last_deployment_state"]), (&json!("STOPPED"), &json!("STOPPED")));
}

#[tokio::test]
async fn an_empty_environment_deploys_and_is_deleted_at_once() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = format!("/environment/{}", it.environment);
    it.client.call(Method::POST, &format!("{path}/deploy"), None).await.expect(202);
    app.settle().await;
    assert_eq!(it.client.get(&format!("{path}/status")).await.expect(200)["last_deployment_state"], "DEPLOYED");
    it.client.delete(&path).await.expect(204);
    app.settle().await;
    it.client.get(&path).await.expect(404);
    let fresh =
        it.client.post(&format!("/project/{}/environment", it.project), json!({"name": "fresh"})).await.expect(201);
    it.client.delete(&format!("/environment/{}", id(&fresh))).await.expect(204);
    it.client.get(&format!("/environment/{}", id(&fresh))).await.expect(404);
}

#[tokio::test]
async fn deleting_runs_on_delete_and_keeps_everything_else_out() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = format!("/environment/{}", it.environment);
    let events = it.create(it.lifecycle("events")).await;
    it.create(it.cron("never deployed", "@daily")).await;
    it.client.post(&format!("/job/{events}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    app.runner.exit_all(0);
    app.settle().await;
    it.client.delete(&format!("/project/{}", it.project)).await.detail(409);
    it.client.delete(&path).await.expect(204);
    app.settle().await;
    assert_eq!(app.runner.started().last().unwrap().arguments, ["-c", "delete"]);
    for (method, path) in [
        (Method::POST, format!("{path}/deploy")),
        (Method::POST, format!("{path}/stop")),
        (Method::DELETE, path.clone()),
        (Method::POST, format!("/job/{events}/stop")),
        (Method::DELETE, format!("/job/{events}")),
    ] {
        let detail = it.client.call(method, &path, None).await.detail(409);
        assert!(detail.contains("being deleted"), "{path}: {detail}");
    }
    let detail = it.client.post(&format!("{path}/job"), it.cron("late", "@daily")).await.detail(409);
    assert!(detail.contains("being deleted"), "{detail}");
    app.runner.exit_all(0);
    app.settle().await;
    it.client.get(&path).await.expect(404);
    it.client.get(&format!("/job/{events}")).await.expect(404);
    it.client.delete(&format!("/project/{}", it.project)).await.expect(204);
    it.client.get(&format!("/project/{}", it.project)).await.expect(404);
}

/// A response with many jobs is written in pieces, but all states in it are of one moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn states_of_many_jobs_are_of_one_moment() {
    use entity::id::JobId;
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = JobId(it.create(it.cron("job", "@daily")).await.parse().unwrap());
    let template = windlass::store::job::by_id(&app.app.db, job).await.unwrap().unwrap();
    let row = |name: String, seconds: i64| entity::job::Model {
        id: JobId::create(),
        created_at: template.created_at + chrono::TimeDelta::seconds(seconds),
        name_key: name.clone(),
        name,
        ..template.clone()
    };
    for number in 1..1001 {
        windlass::store::job::create(&app.app.db, row(format!("job {number}"), 0)).await.unwrap();
    }
    // Two more at a time: one on the first page, and one on the last.
    let pairs = 20;
    let db = app.app.db.clone();
    let rows: Vec<_> =
        (1..=pairs).map(|pair| (row(format!("first {pair}"), -pair), row(format!("last {pair}"), pair))).collect();
    let writer = tokio::spawn(async move {
        for (first, last) in rows {
            let write = windlass::store::write(&db, async |tx| {
                windlass::store::job::create(tx, first).await?;
                windlass::store::job::create(tx, last).await
            });
            write.await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    let path = format!("/environment/{}", it.environment);
    let mut done = false;
    while !done {
        done = writer.is_finished();
        let all = it.client.get(&format!("{path}/statuses")).await.expect(200);
        assert_eq!(all["jobs"].as_array().unwrap().len() % 2, 1);
        let staged = it.client.get(&format!("{path}/statusesWithStages")).await.expect(200);
        let jobs = staged["stages"].as_array().unwrap().iter().map(|stage| stage["jobs"].as_array().unwrap().len());
        assert_eq!(jobs.sum::<usize>() % 2, 1);
        let listed = it.client.get(&format!("{path}/job/status")).await.expect(200);
        assert_eq!(listed["results"].as_array().unwrap().len() % 2, 1);
    }
    writer.await.unwrap();
    let all = it.client.get(&format!("{path}/statuses")).await.expect(200);
    let ids: std::collections::BTreeSet<&str> =
        all["jobs"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 1001 + 2 * usize::try_from(pairs).unwrap(), "each once");
}
