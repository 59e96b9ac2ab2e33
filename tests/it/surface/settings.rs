//! Advanced settings, restrictions, deployment rules, groups, git tokens, clusters and custom roles.

use poem::http::Method;
use serde_json::{Value, json};

use crate::harness::{TestApp, id};

#[tokio::test]
async fn advanced_settings_are_whole_maps() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "@daily")).await;
    let path = format!("/job/{job}/advancedSettings");
    let defaults = it.client.get("/defaultJobAdvancedSettings").await.expect(200);
    assert_eq!(it.client.get(&path).await.expect(200), defaults);
    assert_eq!(defaults["cronjob.concurrency_policy"], "Forbid");
    let mut map = defaults.clone();
    map["build.timeout_max_sec"] = json!(60);
    map["unknown.key"] = json!(1);
    let answer = it.client.put(&path, map.clone()).await.expect(201);
    assert_eq!(answer["build.timeout_max_sec"], 60);
    assert!(answer.get("unknown.key").is_none());
    // The response of GET is accepted as it is, including nulls.
    let read = it.client.get(&path).await.expect(200);
    assert_eq!(it.client.put(&path, read.clone()).await.expect(201), read);
    assert_eq!(it.client.put(&path, json!({})).await.expect(201), defaults, "what is absent takes its default");
    let detail = it.client.put(&path, json!({"cronjob.concurrency_policy": "Sometimes"})).await.detail(400);
    assert!(detail.starts_with("cronjob.concurrency_policy"), "{detail}");
    // The settings are part of the deployed configuration.
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    it.client.put(&path, json!({"security.read_only_root_filesystem": true})).await.expect(201);
    let status = it.client.get(&format!("/job/{job}/status")).await.expect(200);
    assert_eq!(status["service_deployment_status"], "OUT_OF_DATE");
    it.client.put(&format!("/job/{job}"), json!({"name": "other"})).await.expect(200);
    let kept = it.client.get(&path).await.expect(200);
    assert_eq!(kept["security.read_only_root_filesystem"], true, "an edit of the job keeps them");
}

#[tokio::test]
async fn restrictions_are_unique() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "@daily")).await;
    let path = format!("/job/{job}/deploymentRestriction");
    let body = |value: &str| json!({"mode": "MATCH", "type": "PATH", "value": value});
    let one = it.client.post(&path, body("src/")).await.expect(201);
    it.client.post(&path, body("src/")).await.expect(409);
    let two = id(&it.client.post(&path, body("docs/")).await.expect(201));
    it.client.put(&format!("{path}/{two}"), body("src/")).await.expect(409);
    // The example of the official provider, and other patterns.
    for value in ["src/jobs/**", "**/*.sql", "a*b", "src/?.rs"] {
        it.client.post(&path, body(value)).await.expect(201);
    }
    for value in ["/src", "", "../src", "src/./jobs", "a\nb"] {
        assert!(it.client.post(&path, body(value)).await.detail(400).starts_with("value"));
    }
    let edited = json!({"mode": "EXCLUDE", "type": "PATH", "value": "my-prefix*"});
    let edited = it.client.put(&format!("{path}/{two}"), edited).await.expect(200);
    assert_eq!((&edited["mode"], id(&edited)), (&json!("EXCLUDE"), two));
    it.client.delete(&format!("{path}/{}", id(&one))).await.expect(204);
    let list = it.client.get(&path).await.expect(200);
    assert_eq!(list["results"].as_array().unwrap().len(), 5);
}

/// The rule of an environment deploys and stops it on schedule.
#[tokio::test]
async fn a_deployment_rule_is_followed() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "@daily")).await;
    let path = format!("/environment/{}/deploymentRule", it.environment);
    let rule = it.client.get(&path).await.expect(200);
    assert_eq!((&rule["auto_stop"], &rule["timezone"]), (&json!(false), &json!("Etc/UTC")));
    // The clock starts on a Sunday at 10:00:30 UTC.
    let body = json!({
        "auto_stop": true, "timezone": "Europe/Paris", "weekdays": ["SUNDAY"],
        "start_time": "1970-01-01T12:00:00Z", "stop_time": "1970-01-01T13:30:00Z",
    });
    let put = format!("{path}/{}", id(&rule));
    it.client.put(&put, body.clone()).await.expect(200);
    app.settle().await;
    assert_eq!(it.state(&job).await, "READY");
    app.clock.set("2026-11-22T11:00:00Z");
    app.settle().await;
    assert_eq!(it.state(&job).await, "DEPLOYED");
    app.clock.set("2026-11-22T12:30:00Z");
    app.settle().await;
    assert_eq!(it.state(&job).await, "STOPPED");
    app.clock.set("2026-11-29T11:00:00Z");
    app.settle().await;
    assert_eq!(it.state(&job).await, "DEPLOYED");
    let mut idle = body.clone();
    idle["auto_stop"] = json!(false);
    it.client.put(&put, idle).await.expect(200);
    app.clock.set("2026-12-06T12:30:00Z");
    app.settle().await;
    assert_eq!(it.state(&job).await, "DEPLOYED");
    let mut wrong = body;
    wrong["timezone"] = json!("Mars/Olympus");
    assert!(it.client.put(&put, wrong).await.detail(400).starts_with("timezone"));
}

#[tokio::test]
async fn groups_are_shown_with_their_jobs() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let base = format!("/organization/{}", it.organization);
    let annotations =
        json!({"name": "a", "annotations": [{"key": "k", "value": "v"}], "scopes": ["PODS", "CRON_JOBS"]});
    let annotations = it.client.post(&format!("{base}/annotationsGroups"), annotations).await.expect(201);
    let labels = json!({"name": "l", "labels": [{"key": "k", "value": "v", "propagate_to_cloud_provider": true}]});
    let labels = it.client.post(&format!("{base}/labelsGroups"), labels).await.expect(201);
    let same = json!({"name": "A", "annotations": [{"key": "k", "value": "v"}], "scopes": []});
    it.client.post(&format!("{base}/annotationsGroups"), same).await.expect(409);
    let twice = json!({"name": "x", "labels": [
        {"key": "k", "value": "1", "propagate_to_cloud_provider": true},
        {"key": "k", "value": "2", "propagate_to_cloud_provider": true},
    ]});
    assert!(it.client.post(&format!("{base}/labelsGroups"), twice).await.detail(400).starts_with("labels[1].key"));
    let mut body = it.cron("job", "@daily");
    // The web console sends back whole groups.
    body["annotations_groups"] = json!([annotations]);
    body["labels_groups"] = json!([{"id": labels["id"]}]);
    let job = it.create(body).await;
    let read = it.client.get(&format!("/job/{job}")).await.expect(200);
    assert_eq!(read["annotations_groups"], json!([annotations]));
    assert_eq!(read["labels_groups"][0]["labels"][0]["propagate_to_cloud_provider"], true);
    let items = it.client.get(&format!("{base}/labelsGroups/{}/associatedItems", id(&labels))).await.expect(200);
    assert_eq!((&items["results"][0]["item_id"], &items["results"][0]["item_type"]), (&json!(job), &json!("CRON")));
    let list = it.client.get(&format!("{base}/annotationsGroups")).await.expect(200);
    assert_eq!(list["results"][0]["associated_items_count"], 1);
    let in_use = it.client.delete(&format!("{base}/annotationsGroups/{}", id(&annotations))).await.detail(409);
    assert!(in_use.contains("jobs use this group"), "{in_use}");
    // The two kinds of groups do not mix.
    it.client.get(&format!("{base}/labelsGroups/{}", id(&annotations))).await.expect(404);
    // An absent list keeps the groups, an empty one clears them.
    it.client.put(&format!("/job/{job}"), json!({"cpu": 250})).await.expect(200);
    assert_eq!(it.client.get(&format!("/job/{job}")).await.expect(200)["labels_groups"].as_array().unwrap().len(), 1);
    it.client.put(&format!("/job/{job}"), json!({"annotations_groups": [], "labels_groups": null})).await.expect(200);
    for path in [format!("annotationsGroups/{}", id(&annotations)), format!("labelsGroups/{}", id(&labels))] {
        it.client.delete(&format!("{base}/{path}")).await.expect(204);
    }
}

#[tokio::test]
async fn git_tokens_are_sealed_and_guarded() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = format!("/organization/{}/gitToken", it.organization);
    let made = it.client.post(&path, json!({"name": "g", "type": "GITHUB", "token": "very-hidden"})).await.expect(201);
    assert_eq!((&made["git_api_url"], &made["type"]), (&json!("https://api.github.com"), &json!("GITHUB")));
    assert!(!made.to_string().contains("hidden"));
    let bitbucket = json!({"name": "b", "type": "BITBUCKET", "token": "x"});
    assert!(it.client.post(&path, bitbucket).await.detail(400).starts_with("workspace"));
    let mut job = it.cron("job", "@daily");
    job["source"] = json!({"docker": {"dockerfile_path": "Dockerfile", "git_repository": {
        "url": "https://github.com/acme/app.git", "provider": "GITHUB", "git_token_id": made["id"],
    }}});
    let job = it.create(job).await;
    let used = it.client.get(&format!("{path}/{}/associatedServices", id(&made))).await.expect(200);
    assert_eq!(used["results"][0]["service_id"], json!(job));
    assert!(it.client.delete(&format!("{path}/{}", id(&made))).await.detail(409).contains("jobs use"));
    assert_eq!(it.client.get(&path).await.expect(200)["results"][0]["associated_services_count"], 1);
    it.client.delete(&format!("/job/{job}")).await.expect(204);
    it.client.delete(&format!("{path}/{}", id(&made))).await.expect(204);
}

#[tokio::test]
async fn clusters_are_registered_with_a_sealed_kubeconfig() {
    use sea_orm::EntityTrait as _;
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = format!("/organization/{}/cluster", it.organization);
    let body = json!({"name": "far", "region": "eu", "cloud_provider": "ON_PREMISE", "kubernetes": "SELF_MANAGED", "features": []});
    let cluster = it.client.post(&path, body.clone()).await.expect(201);
    assert_eq!((&cluster["status"], &cluster["deployment_status"]), (&json!("READY"), &json!("NEVER_DEPLOYED")));
    it.client.post(&path, body).await.expect(409);
    for (key, value) in [("cloud_provider", "AWS"), ("kubernetes", "MANAGED")] {
        let mut body = json!({"name": "x", "region": "eu", "cloud_provider": "ON_PREMISE"});
        body[key] = json!(value);
        assert!(it.client.post(&path, body).await.detail(400).starts_with(key));
    }
    let far = id(&cluster);
    let kubeconfig = format!("{path}/{far}/kubeconfig");
    it.client.get(&kubeconfig).await.expect(404);
    for text in ["{", "a: 1"] {
        it.client.call(Method::PUT, &kubeconfig, Some(text.into())).await.expect(400);
    }
    let text = crate::world::KUBECONFIG;
    it.client.call(Method::PUT, &kubeconfig, Some(text.into())).await.expect(204);
    assert_eq!(it.client.get(&kubeconfig).await.text, text);
    let object = r#"{"clusters": [{"name": "hidden-cluster", "cluster": {"server": "https://127.0.0.1:1"}}],
        "current-context": "x", "contexts": [{"name": "x", "context": {"cluster": "hidden-cluster", "user": "u"}}],
        "users": [{"name": "u", "user": {"token": "t"}}]}"#;
    for (body, expected) in [(object.to_owned(), object), (json!(text).to_string(), text)] {
        it.client.call(Method::PUT, &kubeconfig, Some(body)).await.expect(204);
        assert_eq!(it.client.get(&kubeconfig).await.text, expected);
    }
    let rows = entity::cluster::Entity::find().all(&app.app.db).await.unwrap();
    let sealed = rows.iter().find_map(|row| row.kubeconfig.clone()).unwrap();
    assert!(!sealed.windows(6).any(|part| part == b"hidden"));
    let ready = it.client.get(&format!("{path}/{far}/isReady")).await.expect(200);
    assert_eq!(ready, json!({"is_ready": false}));
    let list = it.client.get(&path).await.expect(200);
    let local = id(&list["results"][0]);
    assert_eq!(it.client.get(&format!("{path}/{local}/isReady")).await.expect(200), json!({"is_ready": true}));
    it.client.delete(&format!("{path}/{local}")).await.expect(409);
    // The cluster cannot be deleted while an environment uses it; its runs fail with a reason.
    let environment = json!({"name": "on far", "cluster": far});
    let environment =
        id(&it.client.post(&format!("/project/{}/environment", it.project), environment).await.expect(201));
    assert!(it.client.delete(&format!("{path}/{far}")).await.detail(409).contains("environments"));
    let job = it.client.post(&format!("/environment/{environment}/job"), it.lifecycle("far job")).await.expect(201);
    it.client.post(&format!("/job/{}/deploy", id(&job)), json!({})).await.expect(202);
    app.settle().await;
    app.clock.forward(301);
    app.settle().await;
    let run = &it.runs(&id(&job)).await[0];
    assert_eq!(run["state"], "FAILED");
    assert!(run["reason"].as_str().unwrap().contains("the server is connecting to the cluster"), "{run}");
    let statuses = it.client.get(&format!("{path}/status")).await.expect(200);
    assert_eq!(statuses["results"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn custom_roles_have_a_whole_matrix() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = format!("/organization/{}/customRole", it.organization);
    let role = it.client.post(&path, json!({"name": "team", "description": "d"})).await.expect(201);
    assert_eq!(role["cluster_permissions"][0]["permission"], "VIEWER");
    let in_project = &role["project_permissions"][0];
    assert_eq!((&in_project["project_id"], &in_project["is_admin"]), (&json!(it.project), &json!(false)));
    let modes: Vec<&Value> = in_project["permissions"].as_array().unwrap().iter().collect();
    assert_eq!(modes.len(), 4);
    assert!(modes.iter().all(|line| line["permission"] == "NO_ACCESS"));
    for name in ["Owner", "admin", "DEVOPS", "billing", "viewer"] {
        assert!(it.client.post(&path, json!({"name": name})).await.detail(400).starts_with("name"));
    }
    it.client.post(&path, json!({"name": "TEAM"})).await.expect(409);
    let unknown = json!({"name": "team", "cluster_permissions": [{"cluster_id": it.project, "permission": "ADMIN"}],
        "project_permissions": []});
    let detail = it.client.put(&format!("{path}/{}", id(&role)), unknown).await.detail(400);
    assert!(detail.starts_with("cluster_permissions[0].cluster_id"), "{detail}");
    // The response is accepted as a request.
    assert_eq!(it.client.put(&format!("{path}/{}", id(&role)), role.clone()).await.expect(200), role);
    let available = it.client.get(&format!("/organization/{}/availableRole", it.organization)).await.expect(200);
    let names: Vec<&str> =
        available["results"].as_array().unwrap().iter().map(|role| role["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["admin", "devops", "billing", "viewer", "team"]);
    it.client.delete(&format!("{path}/{}", id(&role))).await.expect(204);
}

/// The first project rule that matches the name of a new environment sets its mode, cluster and times.
#[tokio::test]
async fn a_project_rule_shapes_new_environments() {
    use crate::world::project_rule;
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let clusters = it.client.get(&format!("/organization/{}/cluster", it.organization)).await.expect(200);
    let local = id(&clusters["results"][0]);
    let path = format!("/project/{}/deploymentRule", it.project);
    let first = it.client.post(&path, project_rule(&local, "first")).await.expect(201);
    it.client.post(&path, project_rule(&local, "FIRST")).await.expect(409);
    let mut body = project_rule(&local, "second");
    body["mode"] = json!("PREVIEW");
    body["auto_delete"] = json!(true);
    let second = it.client.post(&path, body).await.expect(201);
    assert_eq!((&first["priority_index"], &second["priority_index"]), (&json!(0), &json!(1)));
    let environments = format!("/project/{}/environment", it.project);
    let create = async |name: &str| it.client.post(&environments, json!({"name": name})).await.expect(201);
    let one = create("feat-1").await;
    assert_eq!(one["mode"], "STAGING");
    let rule = it.client.get(&format!("/environment/{}/deploymentRule", id(&one))).await.expect(200);
    assert_eq!((&rule["auto_stop"], &rule["weekdays"]), (&json!(true), &json!(["SUNDAY"])));
    assert_eq!(create("fix-1").await["mode"], "DEVELOPMENT");
    let order = json!({"project_deployment_rule_ids_in_order": [second["id"], first["id"]]});
    it.client.put(&format!("{path}/order"), order).await.expect(204);
    let list = it.client.get(&path).await.expect(200);
    assert_eq!(list["results"][0]["id"], second["id"]);
    let twice = json!({"project_deployment_rule_ids_in_order": [first["id"], first["id"]]});
    assert!(it.client.put(&format!("{path}/order"), twice).await.detail(400).contains("[1]"));
    let two = create("feat-2").await;
    assert_eq!(two["mode"], "PREVIEW");
    let mut wrong = project_rule(&it.project, "x");
    assert!(it.client.post(&path, wrong.clone()).await.detail(400).starts_with("cluster_id"));
    wrong["timezone"] = json!("Mars");
    it.client.post(&path, wrong).await.expect(400);
    // At the stop time one is stopped and the other deleted.
    app.clock.set("2026-11-22T12:00:00Z");
    app.settle().await;
    app.settle().await;
    let status = it.client.get(&format!("/environment/{}/status", id(&one))).await.expect(200);
    assert_eq!(status["last_deployment_state"], "STOPPED");
    it.client.get(&format!("/environment/{}", id(&two))).await.expect(404);
    // The rules use the cluster, too.
    let far = json!({"name": "far", "region": "r", "cloud_provider": "ON_PREMISE"});
    let far = id(&it.client.post(&format!("/organization/{}/cluster", it.organization), far).await.expect(201));
    it.client.post(&path, project_rule(&far, "third")).await.expect(201);
    it.client.delete(&format!("/organization/{}/cluster/{far}", it.organization)).await.expect(409);
}
