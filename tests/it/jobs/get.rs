//! GET /job/{jobId} and GET /environment/{environmentId}/job.

use serde_json::json;

use crate::harness::{TestApp, id};

#[tokio::test]
async fn one_job() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("nightly", "0 3 * * *")).await;
    let found = it.client.get(&format!("/job/{job}")).await.expect(200);
    assert_eq!((id(&found), &found["environment"]["id"]), (job, &json!(it.environment)));
    assert_eq!(found["created_at"], "2026-11-22T10:00:30.000000Z");
    it.client.get("/job/00000000-0000-7000-8000-000000000000").await.expect(404);
    let detail = it.client.get("/job/nightly").await.detail(400);
    assert!(detail.contains("UUID"), "{detail}");
}

#[tokio::test]
async fn all_jobs_of_an_environment_across_pages() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = format!("/environment/{}/job", it.environment);
    assert_eq!(it.client.get(&path).await.expect(200), json!({"results": []}));
    let first = it.create(it.cron("job", "@daily")).await;
    let template =
        windlass::store::job::by_id(&app.app.db, entity::id::JobId(first.parse().unwrap())).await.unwrap().unwrap();
    for number in 0..1100 {
        let name = format!("job {number}");
        // Some have the same creation time.
        let created_at = template.created_at + chrono::TimeDelta::seconds(1 + number / 3);
        let row = entity::job::Model {
            id: entity::id::JobId::create(),
            created_at,
            name_key: name.clone(),
            name,
            ..template.clone()
        };
        windlass::store::job::create(&app.app.db, row).await.unwrap();
    }
    let found = it.client.get(&path).await.expect(200);
    let ids: Vec<&str> = found["results"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 1101);
    let times: Vec<_> =
        found["results"].as_array().unwrap().iter().map(|job| job["created_at"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "in order of creation");
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 1101, "each once");
    assert_eq!(ids[0], first);
}

#[tokio::test]
async fn only_jobs_to_update() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let deployed = it.create(it.cron("a", "@daily")).await;
    let changed = it.create(it.cron("b", "@daily")).await;
    app.clock.forward(1);
    let never = it.create(it.cron("c", "@daily")).await;
    for job in [&deployed, &changed] {
        it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
        app.settle().await;
    }
    it.client.put(&format!("/job/{changed}"), json!({"cpu": 100})).await.expect(200);
    it.client.put(&format!("/job/{deployed}"), json!({"description": "only for people"})).await.expect(200);
    let found = it.client.get(&format!("/environment/{}/job?toUpdate=true", it.environment)).await.expect(200);
    let ids: Vec<String> = found["results"].as_array().unwrap().iter().map(id).collect();
    assert_eq!(ids, [changed, never]);
}

/// The caller is cached, so that a request needs one statement only.
#[tokio::test]
async fn one_job_costs_one_statement() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = format!("/job/{}", it.create(it.cron("nightly", "0 3 * * *")).await);
    it.client.get(&path).await.expect(200);
    for _ in 0..5 {
        let before = app.statements();
        it.client.get(&path).await.expect(200);
        assert!(app.statements() - before <= 1);
    }
}
