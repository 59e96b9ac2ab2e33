//! Bodies as clients send them: none, `null`, numbers for text; and what is told about bodies and queries that do not fit.

use poem::http::Method;
use serde_json::{Value, json};

use crate::harness::{TestApp, id};
use crate::validate::CONTRACT;
use crate::world::World;

/// The operations whose body may be absent.
fn optional() -> Vec<String> {
    let operations =
        CONTRACT["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let absent = |operation: &&Value| {
        operation.get("requestBody").is_some_and(|body| body.get("required") != Some(&Value::Bool(true)))
    };
    operations.filter(absent).map(|operation| operation["operationId"].as_str().unwrap().to_owned()).collect()
}

/// Qovery's Go client sends the four bytes `null` for every optional body that is not set.
#[tokio::test]
async fn a_null_body_is_no_body() {
    let app = TestApp::new().await;
    let names = optional();
    assert!(names.len() > 20, "{names:?}");
    let called = ["cancelEnvironmentDeployment", "AttachServiceToDeploymentStage", "deployJob"];
    for required in called {
        assert!(names.iter().any(|name| name == required), "{required} may have no body");
    }
    for name in names {
        let mut answers = Vec::new();
        let all = [(Some("{}"), true), (Some("null"), true), (Some(" null\n"), true), (Some(""), true), (None, false)];
        // One reader serves all operations, and each call needs a world of its own.
        let few = if called.contains(&name.as_str()) { all.len() } else { 2 };
        for (body, typed) in all.into_iter().take(few) {
            let world = World::new(&app).await;
            let operation = world.operations().into_iter().find(|operation| operation.id == name).unwrap();
            let headers: &[(&str, &str)] = if typed { &[("Content-Type", "application/json")] } else { &[] };
            let answer = world.it.client.call_with(operation.method.clone(), &operation.path, body, headers).await;
            answers.push((body, answer.status, answer.body["detail"].clone()));
        }
        let (_, status, _) = answers[0].clone();
        for (body, other, detail) in &answers {
            assert_eq!(*other, status, "{name} with {body:?}: {detail}");
        }
    }
}

/// The requests of `qovery cronjob cancel`, `qovery environment stage move` and `qovery cronjob redeploy`.
#[tokio::test]
async fn the_command_line_cancels_and_moves_with_null() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.lifecycle("long")).await;
    let send = async |method: Method, path: &str| it.client.call(method, path, Some("null".into())).await;
    send(Method::POST, &format!("/job/{job}/deploy")).await.expect(202);
    app.settle().await;
    let cancel = format!("/environment/{}/cancelDeployment", it.environment);
    let status = send(Method::POST, &cancel).await.expect(202);
    assert_eq!(status["state"], "CANCELING");
    app.runner.exit_all(0);
    app.settle().await;
    let stages = it.client.get(&format!("/environment/{}/deploymentStage", it.environment)).await.expect(200);
    let last = id(&stages["results"][3]);
    send(Method::PUT, &format!("/deploymentStage/{last}/service/{job}")).await.expect(200);
    let stage = it.client.get(&format!("/service/{job}/deploymentStage")).await.expect(200);
    assert_eq!(id(&stage), last);
    // A body that has to have fields is refused by them.
    let created = send(Method::POST, &format!("/environment/{}/job", it.environment)).await.detail(400);
    assert!(created.contains("name: is missing") && created.contains("schedule: is missing"), "{created}");
}

/// `qovery api` and hand-written requests send numbers and booleans where a text is expected.
#[tokio::test]
async fn numbers_and_booleans_are_taken_as_text() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "@daily")).await;
    let post = async |path: String, body: &str| it.client.call(Method::POST, &path, Some(body.to_owned())).await;
    for (key, sent, stored) in [("PORT", "8080", "8080"), ("RATE", "1.10", "1.10"), ("DEBUG", "true", "true")] {
        let body = format!(r#"{{"key": "{key}", "value": {sent}}}"#);
        let made = post(format!("/job/{job}/environmentVariable"), &body).await.expect(201);
        assert_eq!(made["value"], stored);
    }
    let body = format!(
        r#"{{"key": "ONE", "value": 1, "is_secret": false, "variable_scope": "JOB", "variable_parent_id": "{job}"}}"#
    );
    assert_eq!(post("/variable".into(), &body).await.expect(201)["value"], "1");
    post(format!("/job/{job}/deploy"), r#"{"image_tag": 1.30}"#).await.expect(202);
    let read = it.client.get(&format!("/job/{job}")).await.expect(200);
    assert_eq!(read["source"]["image"]["tag"], "1.30", "not 1.3, which is another tag");
    let body = format!(r#"{{"jobs": [{{"id": "{job}", "image_tag": 2.0}}]}}"#);
    post(format!("/environment/{}/service/deploy", it.environment), &body).await.expect(202);
    let read = it.client.get(&format!("/job/{job}")).await.expect(200);
    assert_eq!(read["source"]["image"]["tag"], "2.0");
    let run = post(format!("/job/{job}/run"), r#"{"arguments": [1, true, "x"], "environment": {"LEVEL": 3}}"#).await;
    assert_eq!(run.status, 202, "{}", run.text);
}

#[tokio::test]
async fn all_faults_of_a_body_are_named_at_once() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = format!("/environment/{}/job", it.environment);
    // Wrong types.
    let body = json!({
        "name": ["a"], "cpu": "many", "auto_deploy": "yes", "cpu_architecture": "MIPS", "healthchecks": {},
        "source": {"image": {"image_name": {}, "tag": "1", "registry_id": it.registry}},
        "schedule": {"cronjob": {"timezone": "UTC"}},
    });
    let detail = it.client.post(&path, body).await.detail(400);
    for fault in [
        "name: must be a string",
        "cpu: must be an integer of at most 2147483647",
        "auto_deploy: must be true or false",
        "cpu_architecture: must be one of AMD64, ARM64",
        "source.image.image_name: must be a string",
        "schedule.cronjob.scheduled_at: is required",
    ] {
        assert!(detail.contains(fault), "{fault}: {detail}");
    }
    // Values out of bounds.
    let body = json!({
        "name": "", "cpu": 1, "memory": 1, "port": 70_000, "max_nb_restart": -1,
        "healthchecks": {"liveness_probe": {"type": {}, "period_seconds": 0}},
        "source": {"image": {"image_name": "Upper", "tag": "not a tag", "registry_id": "x"}},
        "schedule": {"cronjob": {"scheduled_at": "61 * * * *", "timezone": "Mars/Olympus"}},
    });
    let detail = it.client.post(&path, body).await.detail(400);
    for field in [
        "name",
        "cpu",
        "memory",
        "port",
        "max_nb_restart",
        "healthchecks.liveness_probe.type",
        "healthchecks.liveness_probe.period_seconds",
        "source.image.image_name",
        "source.image.tag",
        "source.image.registry_id",
        "schedule.cronjob.scheduled_at",
        "schedule.cronjob.timezone",
    ] {
        assert!(detail.contains(&format!("{field}: ")), "{field}: {detail}");
    }
    let labels = json!({"name": "", "labels": [
        {"key": "-a", "value": "v"}, {"key": "x".repeat(64), "value": "v"}, {"key": "UPPER.dev/x", "value": "v"},
        {"key": "ok", "value": "not a value"},
    ]});
    let detail = it.client.post(&format!("/organization/{}/labelsGroups", it.organization), labels).await.detail(400);
    for field in ["labels[0].key", "labels[1].key", "labels[2].key", "labels[3].value", "name"] {
        assert!(detail.contains(&format!("{field}: ")), "{field}: {detail}");
    }
    let variable = json!({"key": "1 BAD", "value": "v", "description": "x".repeat(256), "mount_path": "relative"});
    let path = format!("/project/{}/environmentVariable", it.project);
    let detail = it.client.post(&path, variable).await.detail(400);
    for field in ["key", "description", "mount_path"] {
        assert!(detail.contains(&format!("{field}: ")), "{field}: {detail}");
    }
    let webhook = json!({"kind": "STANDARD", "target_url": "nowhere", "description": "x".repeat(70_000), "events": []});
    let detail = it.client.post(&format!("/organization/{}/webhook", it.organization), webhook).await.detail(400);
    for field in ["target_url", "description", "events"] {
        assert!(detail.contains(&format!("{field}: ")), "{field}: {detail}");
    }
    // An annotation takes what Kubernetes takes.
    let annotations =
        json!({"name": "a", "scopes": ["JOBS"], "annotations": [{"key": "UPPER.dev/x", "value": "any text"}]});
    let path = format!("/organization/{}/annotationsGroups", it.organization);
    it.client.post(&path, annotations).await.expect(201);
}

/// No error text comes from a library: none names a position, or a type of the source.
#[tokio::test]
async fn faults_are_told_in_our_own_words() {
    let app = TestApp::new().await;
    let world = World::new(&app).await;
    let foreign = [
        "line 1",
        "column",
        "expected",
        "invalid type",
        "unknown variant",
        "struct ",
        "serde",
        "Type \"",
        "enumeration",
    ];
    let bodies =
        ["{ not json", "{\"a\": 1", "[]", "5", "{\"name\": {}, \"key\": [], \"kind\": 7, \"jobs\": 1, \"labels\": {}}"];
    for operation in world.operations().into_iter().filter(|operation| operation.has_body) {
        // A file that someone has written, whose lines are named.
        if operation.id == "editClusterKubeconfig" {
            continue;
        }
        for body in bodies {
            let (status, answer) = operation.call(&world.it.client, Some(body.to_owned())).await;
            let detail = answer["detail"].as_str().unwrap_or_default();
            if status == 400 {
                assert!(foreign.iter().all(|word| !detail.contains(word)), "{} with {body}: {detail}", operation.id);
            }
        }
    }
}

#[tokio::test]
async fn query_values_that_are_none_of_the_allowed_are_refused_with_those() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "@daily")).await;
    let detail = it.client.post(&format!("/job/{job}/deploy?forceEvent=x"), json!({})).await.detail(400);
    assert_eq!(detail, "forceEvent: must be one of START, STOP, DELETE, CRON");
    let detail = it.client.get("/variable?parent_id=x&scope=NOWHERE&is_secret=perhaps").await.detail(400);
    let scope = detail.split("; ").find(|fault| fault.starts_with("scope: ")).unwrap();
    assert!(scope.contains("must be one of ") && scope.contains("ENVIRONMENT"), "{detail}");
    assert!(
        detail.contains("parent_id: must be a UUID") && detail.contains("is_secret: must be true or false"),
        "{detail}"
    );
    assert!(it.client.get("/variable").await.detail(400).contains("parent_id: is required"));
    let detail = it.client.get(&format!("/job/{job}/nextRun?count=many")).await.detail(400);
    assert_eq!(detail, "count: must be an integer of at most 2147483647");
    assert_eq!(it.state(&job).await, "READY");
}
