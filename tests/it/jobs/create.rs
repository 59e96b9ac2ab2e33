//! POST /environment/{environmentId}/job.

use serde_json::{Value, json};

use crate::harness::TestApp;

#[tokio::test]
async fn defaults_are_filled_in() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = format!("/environment/{}/job", it.environment);
    let job = it.client.post(&path, it.cron("Nightly", "0 3 * * *")).await.expect(201);
    let expected = json!({
        "name": "Nightly", "description": "", "cpu": 500, "memory": 512, "gpu": 0,
        "max_nb_restart": 0, "max_duration_seconds": 0, "auto_preview": false, "auto_deploy": false, "port": null,
        "healthchecks": {}, "annotations_groups": [], "labels_groups": [], "service_type": "JOB", "job_type": "CRON",
        "icon_uri": "app://qovery-console/cron-job", "maximum_gpu": 0,
        "schedule": {"cronjob": {
            "scheduled_at": "0 3 * * *", "timezone": "Etc/UTC", "entrypoint": "/bin/sh", "arguments": ["-c", "echo hi"],
        }},
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&job[key], value, "{key}");
    }
    // Only the key that is set: the official Go client rejects `"docker": null` next to an image.
    assert_eq!(job["source"].as_object().unwrap().keys().collect::<Vec<_>>(), ["image"]);
    assert_eq!(job["source"]["image"]["registry_id"], it.registry.as_str());
    assert_eq!(job["source"]["image"]["registry"]["kind"], "DOCKER_HUB");
    let events = it.client.post(&path, it.lifecycle("Events")).await.expect(201);
    assert_eq!(events["job_type"], "LIFECYCLE");
    assert_eq!(events["schedule"]["lifecycle_type"], "GENERIC");
    assert_eq!(events["icon_uri"], "app://qovery-console/lifecycle-job");
    assert!(events["schedule"].get("cronjob").is_none());
}

/// Clients send nulls, unknown keys and numbers as text.
#[tokio::test]
async fn what_official_clients_send_is_taken() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut job = it.cron("dirty", "@daily");
    job["port"] = json!("");
    job["cpu"] = json!("250");
    job["max_duration_seconds"] = json!("300");
    job["max_nb_restart"] = json!(" 2 ");
    job["auto_deploy"] = Value::Null;
    job["source"]["docker"] = Value::Null;
    job["healthchecks"] = json!({"readiness_probe": null, "liveness_probe": null});
    job["annotations_groups"] = json!([]);
    job["maximum_cpu"] = json!("read only");
    job["source"]["image"]["registry"] = json!({"id": 5});
    let job = it.client.post(&format!("/environment/{}/job", it.environment), job).await.expect(201);
    assert_eq!((&job["port"], &job["cpu"], &job["max_duration_seconds"]), (&Value::Null, &json!(250), &json!(300)));
    assert_eq!((&job["max_nb_restart"], &job["auto_deploy"]), (&json!(2), &json!(false)));
    assert_eq!(job["schedule"]["cronjob"]["scheduled_at"], "@daily");
}

#[tokio::test]
async fn probes_come_back_with_all_their_keys() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut job = it.cron("probed", "@daily");
    job["healthchecks"] = json!({
        "readiness_probe": {"type": {"http": {"port": 8080}, "tcp": null}, "initial_delay_seconds": 3},
        "liveness_probe": {"type": {"exec": {"command": ["true"]}}},
    });
    let created = it.client.post(&format!("/environment/{}/job", it.environment), job.clone()).await.expect(201);
    let probe = &created["healthchecks"]["readiness_probe"];
    assert_eq!(probe["type"]["http"], json!({"port": 8080, "path": "/", "scheme": "HTTP"}));
    assert_eq!((&probe["type"]["grpc"], &probe["initial_delay_seconds"]), (&Value::Null, &json!(3)));
    assert_eq!(probe["failure_threshold"], 9);
    job["name"] = json!("two types");
    job["healthchecks"]["readiness_probe"]["type"]["tcp"] = json!({"port": 1});
    let detail = it.client.post(&format!("/environment/{}/job", it.environment), job).await.detail(400);
    assert!(detail.starts_with("healthchecks.readiness_probe.type:"), "{detail}");
}

#[tokio::test]
async fn a_docker_source_comes_back_byte_by_byte() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut job = it.cron("built", "@daily");
    job["source"] = json!({"image": null, "docker": {
        "git_repository": {"url": "https://github.com/acme/shop.git", "provider": "GITHUB", "root_path": "/", "branch": "main"},
        "dockerfile_path": "./Dockerfile",
    }});
    let created = it.client.post(&format!("/environment/{}/job", it.environment), job).await.expect(201);
    assert_eq!(created["source"].as_object().unwrap().keys().collect::<Vec<_>>(), ["docker"]);
    let docker = &created["source"]["docker"];
    assert_eq!(docker["git_repository"]["url"], "https://github.com/acme/shop.git");
    assert_eq!(
        (&docker["git_repository"]["owner"], &docker["git_repository"]["name"]),
        (&json!("acme"), &json!("shop"))
    );
    assert_eq!((&docker["dockerfile_path"], &docker["dockerfile_raw"]), (&json!("./Dockerfile"), &Value::Null));
}

/// Every error names its field, and nothing is stored.
#[tokio::test]
async fn refusals_name_the_field() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let other = app.organization("other").await;
    let stranger = app.token(other, entity::member::Role::Admin).await;
    let foreign = json!({"name": "x", "kind": "DOCKER_HUB", "config": {}});
    let foreign = stranger.post(&format!("/organization/{other}/containerRegistry"), foreign).await.expect(201);
    let cases: Vec<(&str, Value, &str)> = vec![
        ("/name", Value::Null, "name"),
        ("/name", json!("  "), "name"),
        ("/name", json!("x".repeat(256)), "name"),
        ("/name", json!("a\nb"), "name"),
        ("/cpu", json!(9), "cpu"),
        ("/cpu", json!(1_000_000_000), "cpu"),
        ("/cpu", json!("many"), "cpu"),
        ("/cpu", json!(1.5), "cpu"),
        ("/cpu", json!(99_999_999_999_i64), "cpu"),
        ("/memory", json!(0), "memory"),
        ("/gpu", json!(1), "gpu"),
        ("/port", json!(70_000), "port"),
        ("/port", json!(-1), "port"),
        ("/max_nb_restart", json!(-1), "max_nb_restart"),
        ("/max_duration_seconds", json!(-1), "max_duration_seconds"),
        ("/auto_preview", json!("yes"), "auto_preview"),
        ("/description", json!("x".repeat(70_000)), "description"),
        ("/source", Value::Null, "source"),
        ("/source", json!({}), "source"),
        ("/source/docker", json!({"dockerfile_raw": "FROM x"}), "source"),
        ("/source/image/tag", json!("a b"), "source.image.tag"),
        ("/source/image/tag", Value::Null, "source.image.tag"),
        ("/source/image/image_name", json!("Upper"), "source.image.image_name"),
        ("/source/image/image_name", json!([5]), "source.image.image_name"),
        ("/source/image/registry_id", json!("no"), "source.image.registry_id"),
        ("/source/image/registry_id", foreign["id"].clone(), "source.image.registry_id"),
        ("/schedule", Value::Null, "schedule"),
        ("/schedule", json!({}), "schedule"),
        ("/schedule/on_start", json!({}), "schedule"),
        ("/schedule/lifecycle_type", json!("GENERIC"), "schedule.lifecycle_type"),
        ("/schedule/cronjob/scheduled_at", json!("* * * *"), "schedule.cronjob.scheduled_at"),
        ("/schedule/cronjob/scheduled_at", json!(5), "schedule.cronjob.scheduled_at"),
        ("/schedule/cronjob", json!({}), "schedule.cronjob.scheduled_at"),
        ("/schedule/cronjob/timezone", json!("Mars/Olympus"), "schedule.cronjob.timezone"),
        ("/schedule/cronjob/arguments", json!(["a", "b\0"]), "schedule.cronjob.arguments[1]"),
        ("/annotations_groups", json!([{"id": it.registry}]), "annotations_groups[0].id"),
        ("/labels_groups", json!([{"id": "x"}]), "labels_groups[0].id"),
    ];
    for (place, value, field) in cases {
        let mut job = it.cron("refused", "@daily");
        let (parent, key) = place.rsplit_once('/').unwrap();
        job.pointer_mut(parent).unwrap()[key] = value.clone();
        let detail = it.client.post(&format!("/environment/{}/job", it.environment), job).await.detail(400);
        assert!(detail.starts_with(&format!("{field}:")), "{place} = {value}: {detail}");
        assert!(!detail.contains("exist"), "the Terraform provider takes this for a 404: {detail}");
    }
    let left = it.client.get(&format!("/environment/{}/job", it.environment)).await.expect(200);
    assert_eq!(left["results"], json!([]));
}

#[tokio::test]
async fn names_are_unique_ignoring_case() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    it.create(it.cron("Nightly", "@daily")).await;
    let path = format!("/environment/{}/job", it.environment);
    let detail = it.client.post(&path, it.cron(" nIGHTLY ", "@daily")).await.detail(409);
    assert_eq!(detail, "Job name within the environment is already taken");
    let second =
        it.client.post(&format!("/project/{}/environment", it.project), json!({"name": "two"})).await.expect(201);
    it.client
        .post(&format!("/environment/{}/job", crate::harness::id(&second)), it.cron("nightly", "@daily"))
        .await
        .expect(201);
}

#[tokio::test]
async fn bodies_are_bounded_and_have_to_be_json() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = format!("/environment/{}/job", it.environment);
    let huge = format!("{{\"name\": \"{}\"}}", "x".repeat(4_200_000));
    it.client.call(poem::http::Method::POST, &path, Some(huge)).await.expect(413);
    for broken in ["{", "[]", "5", "{\"name\": \"a\"} x", "\u{0}"] {
        it.client.call(poem::http::Method::POST, &path, Some(broken.into())).await.expect(400);
    }
}

/// An image may be pinned by its digest, in its name or instead of a tag, and is shown as it was written.
#[tokio::test]
async fn images_by_digest() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (digest, other) = (format!("sha256:{}", "0a".repeat(32)), format!("sha256:{}", "1b".repeat(32)));
    let image = |name: &str, tag: &str| {
        let mut job = it.lifecycle(&format!("j{}", uuid::Uuid::now_v7()));
        job["source"]["image"]["image_name"] = json!(name);
        job["source"]["image"]["tag"] = json!(tag);
        job
    };
    let pinned = format!("tools/report@{digest}");
    for (name, tag, shown, pulled) in [
        (pinned.as_str(), "", digest.as_str(), pinned.as_str()),
        (&pinned, &digest, &digest, &pinned),
        (&pinned, "1.2", "1.2", &pinned),
        ("tools/report", &digest, &digest, &pinned),
        ("tools/report", "1.2", "1.2", "tools/report:1.2"),
    ] {
        let job = it.create(image(name, tag)).await;
        let found = it.client.get(&format!("/job/{job}")).await.expect(200);
        let source = &found["source"]["image"];
        assert_eq!((&source["image_name"], &source["tag"]), (&json!(name), &json!(shown)));
        it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
        app.settle().await;
        let reference = app.runner.started().pop().unwrap().image.unwrap().reference;
        assert_eq!(reference.split_once('/').unwrap().1, pulled, "{reference}");
        assert_eq!(it.runs(&job).await[0]["image"], pulled);
        app.runner.exit_all(0);
        app.settle().await;
        let version = it.client.post(&format!("/job/{job}/deploy"), json!({"image_tag": "2"})).await;
        if name.contains('@') {
            assert!(version.detail(400).starts_with("image_tag"));
            let run = it.client.post(&format!("/job/{job}/run"), json!({"image_tag": "2"})).await;
            assert!(run.detail(400).starts_with("image_tag"));
        } else {
            version.expect(202);
            app.settle().await;
            assert_eq!(it.runs(&job).await[0]["image"], "tools/report:2");
            app.runner.exit_all(0);
            app.settle().await;
        }
    }
    for (name, tag, field) in [
        (pinned.as_str(), other.as_str(), "source.image.tag"),
        ("tools/report", "", "source.image.tag"),
        ("tools/report", "sha256:0a", "source.image.tag"),
        ("tools/report@sha256:0A", "1", "source.image.image_name"),
        ("tools/report@1", "1", "source.image.image_name"),
    ] {
        let path = format!("/environment/{}/job", it.environment);
        let detail = it.client.post(&path, image(name, tag)).await.detail(400);
        assert!(detail.starts_with(field), "{detail}");
    }
}

/// The name of an image that was built for another organization is of no use, whatever the registry.
#[tokio::test]
async fn built_images_of_others() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let hub = json!({"name": "hub", "kind": "DOCKER_HUB", "config": {}});
    let path = format!("/organization/{}/containerRegistry", it.organization);
    let registry = crate::harness::id(&it.client.post(&path, hub).await.expect(201));
    for name in ["windlass-build/0123456789abcdef0123456789abcdef/8c3dc81c", "windlass-build/8c3dc81c"] {
        let mut job = it.lifecycle(&format!("j{}", uuid::Uuid::now_v7()));
        job["source"]["image"] = json!({"image_name": name, "tag": "raw-0", "registry_id": registry});
        let job = it.deployed(&app, job).await;
        let run = it.runs(&job).await.remove(0);
        assert_eq!(run["state"], "FAILED");
        assert!(run["reason"].as_str().unwrap().contains("not built for this organization"), "{run}");
    }
    assert_eq!(app.runner.started().len(), 0);
}

/// What is needed is loaded once: the environment, its cluster and the registry, before the transaction; and in it the lock, whether
/// the environment is being deleted, and one statement for each row that is stored.
#[tokio::test]
async fn a_new_job_costs_eight_statements() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    it.create(it.cron("first", "@daily")).await;
    let before = app.statements();
    let path = format!("/environment/{}/job", it.environment);
    let created = it.client.post(&path, it.cron("second", "@daily")).await.expect(201);
    assert_eq!(app.statements() - before, 8);
    let events = it.client.get(&format!("/organization/{}/events", it.organization)).await.expect(200);
    let newest = &events["events"][0];
    assert_eq!((&newest["target_id"], &newest["event_type"]), (&created["id"], &json!("CREATE")));
    assert_eq!(newest["project_name"], "shop");
}

/// The response is made of what was stored, without reading it again.
#[tokio::test]
async fn the_answer_is_what_is_stored() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = format!("/environment/{}/job", it.environment);
    let group = |name: &str| json!({"name": name, "annotations": [{"key": "a", "value": name}], "scopes": ["PODS"]});
    let groups = format!("/organization/{}/annotationsGroups", it.organization);
    let one = it.client.post(&groups, group("one")).await.expect(201);
    let two = it.client.post(&groups, group("two")).await.expect(201);
    let mut job = it.cron("grouped", "@daily");
    job["annotations_groups"] = json!([{"id": two["id"]}, {"id": one["id"]}]);
    for body in [job, it.lifecycle("events")] {
        let created = it.client.post(&path, body).await.expect(201);
        let job = created["id"].as_str().unwrap();
        assert_eq!(it.client.get(&format!("/job/{job}")).await.expect(200), created);
        it.client.get(&format!("/service/{job}/deploymentStage")).await.expect(200);
    }
}
