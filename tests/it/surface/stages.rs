//! Deployment stages: their order, their jobs, and the deployments that follow them.

use serde_json::{Value, json};

use crate::harness::{Furnished, TestApp, id};

async fn stages(it: &Furnished) -> Vec<Value> {
    let list = it.client.get(&format!("/environment/{}/deploymentStage", it.environment)).await.expect(200);
    list["results"].as_array().unwrap().clone()
}

fn names(list: &[Value]) -> Vec<&str> {
    list.iter().map(|stage| stage["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_four_stages_and_their_order() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let first = stages(&it).await;
    assert_eq!(names(&first), ["0.DEFAULT DATABASE", "1.DEFAULT JOB", "2.DEFAULT CONTAINER", "3.DEFAULT APPLICATION"]);
    assert_eq!(first.iter().map(|stage| stage["deployment_order"].as_i64().unwrap()).collect::<Vec<_>>(), [0, 1, 2, 3]);
    let path = format!("/environment/{}/deploymentStage", it.environment);
    let made = it.client.post(&path, json!({"name": "migrations", "description": null})).await.expect(200);
    assert_eq!((&made["description"], &made["deployment_order"]), (&json!(""), &json!(4)));
    it.client.post(&path, json!({"name": "MIGRATIONS"})).await.expect(409);
    let moved = it.client.put(&format!("/deploymentStage/{}/moveBefore/{}", id(&made), id(&first[1])), json!({})).await;
    let moved = moved.expect(200);
    assert_eq!(names(moved["results"].as_array().unwrap())[..3], ["0.DEFAULT DATABASE", "migrations", "1.DEFAULT JOB"]);
    let last = id(&first[3]);
    it.client.put(&format!("/deploymentStage/{}/moveAfter/{last}", id(&first[0])), json!({})).await.expect(200);
    let now = stages(&it).await;
    assert_eq!(names(&now).last(), Some(&"0.DEFAULT DATABASE"));
    assert_eq!(
        now.iter().map(|stage| stage["deployment_order"].as_i64().unwrap()).collect::<Vec<_>>(),
        [0, 1, 2, 3, 4]
    );
    let edited = it.client.put(&format!("/deploymentStage/{}", id(&made)), json!({"name": "schema"})).await.expect(200);
    assert_eq!((&edited["name"], &edited["id"]), (&json!("schema"), &made["id"]));
}

#[tokio::test]
async fn jobs_have_a_place() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "@daily")).await;
    let place = it.client.get(&format!("/service/{job}/deploymentStage")).await.expect(200);
    assert_eq!(place["name"], "1.DEFAULT JOB");
    assert_eq!(place["services"][0]["service_id"], json!(job));
    let detail = it.client.delete(&format!("/deploymentStage/{}", id(&place))).await.detail(400);
    assert!(detail.contains("must empty of service"), "{detail}");
    let other = id(&stages(&it).await[3]);
    it.client.put(&format!("/deploymentStage/{other}/service/{job}"), json!({"is_skipped": true})).await.expect(200);
    let place = it.client.get(&format!("/service/{job}/deploymentStage")).await.expect(200);
    assert_eq!((id(&place), &place["services"][0]["is_skipped"]), (other.clone(), &json!(true)));
    // A request without a body includes the job again.
    it.client.call(poem::http::Method::PUT, &format!("/deploymentStage/{other}/service/{job}"), None).await.expect(200);
    let place = it.client.get(&format!("/service/{job}/deploymentStage")).await.expect(200);
    assert_eq!(place["services"][0]["is_skipped"], false);
    // If the stage for jobs was renamed, new jobs are added to the last stage.
    let jobs = id(&stages(&it).await[1]);
    it.client.put(&format!("/deploymentStage/{jobs}"), json!({"name": "mine"})).await.expect(200);
    let late = it.create(it.cron("late", "@daily")).await;
    assert_eq!(id(&it.client.get(&format!("/service/{late}/deploymentStage")).await.expect(200)), other);
    it.client.delete(&format!("/deploymentStage/{jobs}")).await.expect(204);
}

/// Stages run in order; after a failure the later ones do not start.
#[tokio::test]
async fn deployments_go_stage_by_stage() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (first, second) = (it.create(it.lifecycle("first")).await, it.create(it.lifecycle("second")).await);
    let skipped = it.create(it.lifecycle("skipped")).await;
    let all = stages(&it).await;
    let attach = async |stage: usize, job: &str, body: Value| {
        let path = format!("/deploymentStage/{}/service/{job}", id(&all[stage]));
        it.client.put(&path, body).await.expect(200);
    };
    attach(0, &first, json!({})).await;
    attach(2, &second, json!({})).await;
    attach(0, &skipped, json!({"is_skipped": true})).await;
    let deploy = format!("/environment/{}/deploy", it.environment);
    it.client.post(&deploy, json!({})).await.expect(202);
    app.settle().await;
    assert_eq!(app.runner.started().len(), 1, "only the first stage has begun");
    let whole = it.client.get(&format!("/environment/{}/statusesWithStages", it.environment)).await.expect(200);
    let status = |stage: usize| whole["stages"][stage]["stage"]["status"].clone();
    assert_eq!((status(0), status(1), status(2)), (json!("ONGOING"), Value::Null, json!("QUEUED")));
    assert_eq!(whole["stages"][0]["jobs"].as_array().unwrap().len(), 2);
    app.runner.exit_all(0);
    app.settle().await;
    assert_eq!(app.runner.started().len(), 2);
    app.runner.exit_all(0);
    app.settle().await;
    assert_eq!((it.state(&first).await, it.state(&second).await), ("DEPLOYED".into(), "DEPLOYED".into()));
    assert_eq!(it.state(&skipped).await, "READY");
    it.client.post(&deploy, json!({})).await.expect(202);
    app.settle().await;
    app.runner.exit_all(3);
    app.settle().await;
    assert_eq!(app.runner.started().len(), 3, "the second stage does not begin");
    assert_eq!((it.state(&first).await, it.state(&second).await), ("DEPLOYMENT_ERROR".into(), "CANCELED".into()));
    let status = it.client.get(&format!("/environment/{}/status", it.environment)).await.expect(200);
    assert_eq!(status["last_deployment_state"], "DEPLOYMENT_ERROR");
    let history = it.client.get(&format!("/environment/{}/deploymentHistoryV2", it.environment)).await.expect(200);
    let newest = &history["results"][0];
    assert_eq!((&newest["action_status"], &newest["stages"][0]["status"]), (&json!("ERROR"), &json!("ERROR")));
    assert_eq!(newest["stages"][1]["status"], "CANCELED");
    // A deletion includes skipped jobs.
    it.client.delete(&format!("/environment/{}", it.environment)).await.expect(204);
    for _ in 0..4 {
        app.settle().await;
        app.runner.exit_all(0);
    }
    app.settle().await;
    it.client.get(&format!("/environment/{}", it.environment)).await.expect(404);
}
