//! What the `qovery` command line and the official Terraform provider read from responses, and send back.

use serde_json::{Value, json};

use crate::harness::{TestApp, id};

/// The rows of a list with this key, in order.
fn scopes(list: &Value, key: &str) -> Vec<String> {
    let rows = list["results"].as_array().unwrap().iter().filter(|row| row["key"] == key);
    rows.map(|row| row["scope"].as_str().unwrap().to_owned()).collect()
}

/// The command line edits and deletes the first variable that has the name.
#[tokio::test]
async fn the_narrowest_scope_of_a_key_comes_first() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "@daily")).await;
    // The ids of rows that are created later are greater, so that the order by id is the wrong one.
    let body = |value: &str| json!({"key": "SHARED", "value": value});
    let parent = format!("/project/{}/environmentVariable", it.project);
    let wide = id(&it.client.post(&parent, body("project")).await.expect(201));
    let path = format!("/environment/{}/environmentVariable/{wide}/override", it.environment);
    let middle = id(&it.client.post(&path, json!({"value": "environment"})).await.expect(201));
    let path = format!("/job/{job}/environmentVariable/{middle}/override");
    it.client.post(&path, json!({"value": "job"})).await.expect(201);
    for path in [format!("/job/{job}/environmentVariable"), format!("/variable?parent_id={job}&scope=JOB")] {
        let list = it.client.get(&path).await.expect(200);
        assert_eq!(scopes(&list, "SHARED"), ["JOB", "ENVIRONMENT", "PROJECT"], "{path}");
    }
    let environment = it.environment;
    for path in [
        format!("/environment/{environment}/environmentVariable"),
        format!("/variable?parent_id={environment}&scope=ENVIRONMENT"),
    ] {
        let list = it.client.get(&path).await.expect(200);
        assert_eq!(scopes(&list, "SHARED"), ["ENVIRONMENT", "PROJECT"], "{path}");
    }
    // `qovery cronjob env update`: the list, then an edit of the first row.
    let list = it.client.get(&format!("/variable?parent_id={job}&scope=JOB")).await.expect(200);
    let first = list["results"].as_array().unwrap().iter().find(|row| row["key"] == "SHARED").unwrap();
    let edit = json!({"key": "SHARED", "value": "edited"});
    it.client.put(&format!("/variable/{}", id(first)), edit).await.expect(200);
    let list = it.client.get(&parent).await.expect(200);
    let row = list["results"].as_array().unwrap().iter().find(|row| row["key"] == "SHARED").unwrap();
    assert_eq!(row["value"], "project", "the project's own is untouched");
}

/// Both official clients read the repository of a build unasked, and send back what they know of it.
#[tokio::test]
async fn a_build_always_has_a_repository() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut body = it.cron("raw", "@daily");
    body["source"] = json!({"docker": {"dockerfile_raw": "FROM busybox:1.36.1", "docker_target_build_stage": "last"}});
    let job = it.create(body).await;
    let read = it.client.get(&format!("/job/{job}")).await.expect(200);
    let docker = &read["source"]["docker"];
    let repository = &docker["git_repository"];
    assert_eq!((&repository["url"], &repository["root_path"]), (&json!(""), &json!("/")));
    for key in ["provider", "owner", "name"] {
        assert!(repository[key].is_string(), "{key}: {repository}");
    }
    // `qovery cronjob update` sends the repository back, and leaves out what it does not know.
    let sent = json!({"source": {"image": null, "docker": {
        "dockerfile_path": null, "git_repository": {"url": "", "root_path": "/", "provider": "GITHUB"},
    }}});
    let edited = it.client.put(&format!("/job/{job}"), sent).await.expect(200);
    assert_eq!(edited["source"], read["source"]);
    // The Terraform provider sends nulls for what was removed.
    let repository = json!({"url": "https://git.example.com/a/b.git", "provider": "GITHUB"});
    let sent = json!({"source": {"docker": {
        "git_repository": repository, "dockerfile_raw": null, "docker_target_build_stage": null,
    }}});
    let edited = it.client.put(&format!("/job/{job}"), sent).await.expect(200);
    assert_eq!(edited["source"]["docker"]["dockerfile_raw"], Value::Null);
    assert_eq!(edited["source"]["docker"]["docker_target_build_stage"], Value::Null);
    // Another repository is another build.
    let raw = json!({"source": {"docker": {"dockerfile_raw": "FROM busybox:1", "git_repository": repository}}});
    it.client.put(&format!("/job/{job}"), raw).await.expect(200);
    let other = json!({"source": {"docker": {"git_repository": {"url": "https://git.example.com/c.git", "provider": "GITHUB"}}}});
    let edited = it.client.put(&format!("/job/{job}"), other).await.expect(200);
    assert_eq!(edited["source"]["docker"]["dockerfile_raw"], Value::Null);
}

/// `0 0 31 2 *` is the usual way to write "only manually".
#[tokio::test]
async fn a_schedule_that_never_fires_is_taken_with_a_warning() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = format!("/environment/{}/job", it.environment);
    let (status, warning) = it.client.warning("POST", &path, &it.cron("manual", "0 0 31 2 *")).await;
    assert_eq!(status, 201);
    assert!(warning.unwrap().contains("the schedule never fires"));
    let jobs = it.client.get(&path).await.expect(200);
    let job = id(&jobs["results"][0]);
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    assert_eq!(it.state(&job).await, "DEPLOYED");
    let next = it.client.get(&format!("/job/{job}/nextRun")).await.expect(200);
    assert_eq!((&next["results"], &next["active"]), (&json!([]), &json!(false)));
    assert!(next["explanation"].as_str().unwrap().starts_with("the schedule never fires"));
    let preview = it.client.get("/schedule/preview?scheduled_at=0%200%2030%202%20*").await.expect(200);
    assert_eq!(preview["results"], json!([]));
    assert!(preview["explanation"].is_string());
    let explained = it.client.get(&format!("/job/{job}/explain")).await.expect(200);
    assert_eq!((&explained["next"], &explained["previous"]), (&Value::Null, &Value::Null));
    // Nothing runs, however long it waits; a manual start does.
    app.clock.set("2027-03-02T00:00:00Z");
    app.settle().await;
    assert!(it.runs(&job).await.is_empty());
    it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
    app.settle().await;
    assert_eq!(it.runs(&job).await.len(), 1);
    // Another schedule has times and no warning.
    let edit = json!({"schedule": {"cronjob": {"scheduled_at": "@daily"}}});
    assert_eq!(it.client.warning("PUT", &format!("/job/{job}"), &edit).await, (200, None));
    let next = it.client.get(&format!("/job/{job}/nextRun?draft=true")).await.expect(200);
    assert_eq!((next["results"].as_array().unwrap().len(), &next["explanation"]), (5, &Value::Null));
    let never = json!({"schedule": {"cronjob": {"scheduled_at": "0 0 31 4,6,9,11 *"}}});
    let (status, warning) = it.client.warning("PUT", &format!("/job/{job}"), &never).await;
    assert_eq!((status, warning.is_some()), (200, true));
}

/// The Terraform provider compares what it has sent with what it reads.
#[tokio::test]
async fn an_empty_entrypoint_is_returned_as_it_was_sent() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut body = it.cron("job", "@daily");
    body["schedule"]["cronjob"]["entrypoint"] = json!("");
    let job = it.create(body).await;
    let read = it.client.get(&format!("/job/{job}")).await.expect(200);
    assert_eq!(read["schedule"]["cronjob"]["entrypoint"], "");
    it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
    app.settle().await;
    assert_eq!(app.runner.started()[0].entrypoint, None, "the image's own one is used");
}

/// A new organization has the plan of the server's settings. An edit without a plan keeps it, and one with a plan sets it.
#[tokio::test]
async fn the_plan_of_an_organization_is_kept() {
    let app = TestApp::new().await;
    let first = windlass::bootstrap::create_first_organization(&app.app).await.unwrap().unwrap();
    assert_eq!(first.organization.plan, "ENTERPRISE", "a setting of the server");
    let it = app.furnished().await;
    let path = format!("/organization/{}", it.organization);
    let plan = async || it.client.get(&path).await.expect(200)["plan"].clone();
    it.client.put(&path, json!({"name": "acme", "plan": "BUSINESS_2025"})).await.expect(200);
    assert_eq!(plan().await, "BUSINESS_2025");
    it.client.put(&path, json!({"name": "renamed"})).await.expect(200);
    assert_eq!(plan().await, "BUSINESS_2025");
    let detail = it.client.put(&path, json!({"plan": "GOLD"})).await.detail(400);
    assert!(detail.starts_with("plan: must be one of ") && detail.contains("ENTERPRISE"), "{detail}");
}

/// The resources page of the web console waits for it.
#[tokio::test]
async fn clusters_are_on_premises() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let providers = it.client.get("/cloudProvider").await.expect(200);
    let clusters = it.client.get(&format!("/organization/{}/cluster", it.organization)).await.expect(200);
    let cluster = &clusters["results"][0];
    let provider = &providers["results"][0];
    assert_eq!((&provider["short_name"], &cluster["cloud_provider"]), (&json!("ON_PREMISE"), &json!("ON_PREMISE")));
    assert!(provider["regions"].as_array().unwrap().iter().any(|region| region["name"] == cluster["region"]));
}
