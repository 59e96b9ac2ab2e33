//! Outputs of LIFECYCLE jobs, and values that must not appear in logs.

use serde_json::{Value, json};

use crate::harness::{Furnished, TestApp, id};

const FILE: &str = r#"{"db_host": {"value": "10.0.0.7", "description": "where it is"},
    "DB_PASSWORD": {"value": "hunter2hunter2", "sensitive": true}, "PORT": {"value": 5432, "type": "number"}}"#;

async fn variables(it: &Furnished, scope: &str, parent: &str) -> Vec<Value> {
    let path = format!("/variable?parent_id={parent}&scope={scope}");
    it.client.get(&path).await.expect(200)["results"].as_array().unwrap().clone()
}

fn find<'a>(rows: &'a [Value], key: &str) -> &'a Value {
    rows.iter().find(|row| row["key"] == key).unwrap_or_else(|| panic!("no {key} in {rows:?}"))
}

fn short(job: &str) -> String {
    job[..8].to_uppercase()
}

/// Deploys, lets every step succeed with an output file, and returns the environment of the last one.
async fn deploy_leaving(app: &TestApp, it: &Furnished, job: &str, file: &str) {
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    for name in app.runner.steps() {
        app.runner.leave(&name, file);
    }
    app.runner.exit_all(0);
    app.settle().await;
}

#[tokio::test]
async fn outputs_become_variables_with_aliases() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (job, other) = (it.create(it.lifecycle("database")).await, it.create(it.lifecycle("app")).await);
    deploy_leaving(&app, &it, &job, FILE).await;
    assert_eq!(it.state(&job).await, "DEPLOYED");
    let rows = variables(&it, "JOB", &other).await;
    let key = format!("QOVERY_OUTPUT_JOB_Z{}_DB_HOST", short(&job));
    let built_in = find(&rows, &key);
    for (field, value) in [
        ("scope", json!("BUILT_IN")),
        ("variable_type", json!("BUILT_IN")),
        ("value", json!("10.0.0.7")),
        ("description", json!("where it is")),
        ("service_id", json!(job)),
        ("service_name", json!("database")),
        ("service_type", json!("JOB")),
        ("owned_by", json!("QOVERY")),
        ("is_secret", json!(false)),
    ] {
        assert_eq!(built_in[field], value, "{field}");
    }
    let alias = find(&rows, "DB_HOST");
    assert_eq!((&alias["scope"], &alias["variable_type"]), (&json!("ENVIRONMENT"), &json!("ALIAS")));
    assert_eq!((&alias["value"], &alias["aliased_variable"]["id"]), (&json!(key), &built_in["id"]));
    let secret = find(&rows, &format!("QOVERY_OUTPUT_JOB_Z{}_DB_PASSWORD", short(&job)));
    assert_eq!((&secret["value"], &secret["is_secret"]), (&Value::Null, &json!(true)));
    assert_eq!(find(&rows, &format!("QOVERY_OUTPUT_JOB_Z{}_PORT", short(&job)))["value"], "5432");
    // Variables that the server created cannot be changed.
    let id = id(built_in);
    it.client.delete(&format!("/variable/{id}")).await.expect(400);
    // Other jobs get the values when they are deployed.
    it.client.post(&format!("/job/{other}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    let step = app.runner.started().pop().unwrap();
    let of = |name: &str| step.environment.iter().find(|(key, _)| key == name).map(|(_, value)| value.expose().clone());
    assert_eq!(of("DB_HOST").as_deref(), Some("10.0.0.7"));
    assert_eq!(of("DB_PASSWORD").as_deref(), Some("hunter2hunter2"));
}

#[tokio::test]
async fn the_next_run_changes_outputs_in_place_and_a_deletion_takes_them() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (job, other) = (it.create(it.lifecycle("database")).await, it.create(it.lifecycle("app")).await);
    // The name is taken: the existing variable stays.
    let mine = json!({"key": "PORT", "value": "mine", "is_secret": false, "variable_scope": "ENVIRONMENT", "variable_parent_id": it.environment});
    it.client.post("/variable", mine).await.expect(201);
    deploy_leaving(&app, &it, &job, FILE).await;
    let before = variables(&it, "ENVIRONMENT", &it.environment).await;
    assert_eq!(find(&before, "PORT")["value"], "mine");
    it.client.post(&format!("/job/{other}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    app.runner.exit_all(0);
    app.settle().await;
    let status = async |job: &str| {
        it.client.get(&format!("/job/{job}/status")).await.expect(200)["service_deployment_status"].clone()
    };
    app.clock.forward(5);
    deploy_leaving(&app, &it, &job, FILE).await;
    assert_eq!(status(&other).await, "UP_TO_DATE", "nothing has changed");
    app.clock.forward(5);
    deploy_leaving(&app, &it, &job, r#"{"DB_HOST": {"value": "10.0.0.8"}}"#).await;
    assert_eq!((status(&other).await, status(&job).await), (json!("OUT_OF_DATE"), json!("UP_TO_DATE")));
    let after = variables(&it, "ENVIRONMENT", &it.environment).await;
    let key = format!("QOVERY_OUTPUT_JOB_Z{}_DB_HOST", short(&job));
    assert_eq!(
        (&find(&after, &key)["id"], &find(&after, &key)["value"]),
        (&find(&before, &key)["id"], &json!("10.0.0.8"))
    );
    assert_eq!(after.len(), before.len(), "what the file no longer names stays");
    it.client.delete(&format!("/job/{job}")).await.expect(204);
    app.settle().await;
    app.runner.exit_all(0);
    app.settle().await;
    let left = variables(&it, "ENVIRONMENT", &it.environment).await;
    assert!(left.iter().all(|row| !row["key"].as_str().unwrap().starts_with("QOVERY_OUTPUT")), "{left:?}");
    assert!(left.iter().all(|row| row["key"] != "DB_HOST"));
}

/// A later stage of a deployment gets the outputs of an earlier one.
#[tokio::test]
async fn later_stages_find_the_outputs_of_earlier_ones() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (first, second) = (it.create(it.lifecycle("first")).await, it.create(it.lifecycle("second")).await);
    let stages = it.client.get(&format!("/environment/{}/deploymentStage", it.environment)).await.expect(200);
    let last = id(stages["results"].as_array().unwrap().last().unwrap());
    it.client.put(&format!("/deploymentStage/{last}/service/{second}"), json!({})).await.expect(200);
    it.client.post(&format!("/environment/{}/deploy", it.environment), json!({})).await.expect(202);
    app.settle().await;
    let name = app.runner.steps().remove(0);
    app.runner.leave(&name, FILE);
    app.runner.exit_all(0);
    app.settle().await;
    let step = app.runner.started().pop().unwrap();
    assert!(
        step.labels.contains(&("windlass.job".into(), second))
            && !step.labels.contains(&("windlass.job".into(), first))
    );
    let host = step.environment.iter().find(|(key, _)| key == "DB_HOST").unwrap();
    assert_eq!(host.1.expose(), "10.0.0.7");
}

#[tokio::test]
async fn a_file_that_cannot_be_taken_is_told_and_spoils_no_run() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.lifecycle("database")).await;
    for (file, reason) in [("{", "not a JSON object"), (r#"{"a": {"value": 1}, "b-c": {"value": 1}}"#, "\"b-c\"")] {
        deploy_leaving(&app, &it, &job, file).await;
        let run = it.runs(&job).await.remove(0);
        assert_eq!(run["state"], "SUCCEEDED");
        assert!(run["reason"].as_str().unwrap().contains(reason), "{run}");
    }
    assert!(variables(&it, "JOB", &job).await.iter().all(|row| row["key"] != "A"));
    // CRON jobs have no outputs.
    let cron = it.create(it.cron("minutely", "* * * * *")).await;
    it.client.post(&format!("/job/{cron}/deploy?forceEvent=CRON"), json!({})).await.expect(202);
    app.settle().await;
    app.runner.leave(&app.runner.steps()[0], FILE);
    app.runner.exit_all(0);
    app.settle().await;
    assert!(variables(&it, "JOB", &cron).await.iter().all(|row| row["key"] != "DB_HOST"));
}

#[tokio::test]
async fn secrets_are_masked_as_lines_come_in() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.lifecycle("leaky")).await;
    let secret = json!({"key": "PASSWORD", "value": "correct horse"});
    it.client.post(&format!("/job/{job}/secret"), secret).await.expect(201);
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    let name = app.runner.steps().remove(0);
    app.runner.write(&name, &["the password is correct horse, see?"]);
    app.settle().await;
    // The value changes for the next deployment, and another server takes over: the value of this run is still masked.
    it.client.post(&format!("/job/{job}/secret"), json!({"key": "OTHER", "value": "something else"})).await.expect(201);
    app.clock.forward(16);
    let again = app.restarted().await;
    app.runner.write(&name, &["correct horse correct horse"]);
    app.runner.exit_all(0);
    again.settle().await;
    let run = it.runs(&job).await.remove(0);
    let log = it.client.get(&format!("/run/{}/log", id(&run))).await.text;
    assert_eq!(log, "the password is ********, see?\n******** ********\n");
}

#[tokio::test]
async fn a_log_is_cut_where_it_is_too_long_and_read_from_any_line() {
    let app = TestApp::configured(|config| config.log_mib = 1).await;
    let it = app.furnished().await;
    let job = it.create(it.lifecycle("chatty")).await;
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    let name = app.runner.steps().remove(0);
    let line = "x".repeat(1023);
    for _ in 0..3 {
        app.runner.write(&name, &vec![line.as_str(); 500]);
        app.settle().await;
    }
    app.runner.write(&name, &["the end"]);
    app.runner.exit_all(0);
    app.settle().await;
    let run = it.runs(&job).await.remove(0);
    assert_eq!(
        (&run["state"], &run["log_truncated"], &run["log_lines"]),
        (&json!("SUCCEEDED"), &json!(true), &json!(1025))
    );
    let lines = async |query: &str| it.client.get(&format!("/run/{}/logLine?{query}", id(&run))).await.expect(200);
    let tail = lines("after=1023").await;
    let tail: Vec<_> =
        tail["results"].as_array().unwrap().iter().map(|l| (l["number"].clone(), l["stream"].clone())).collect();
    assert_eq!(tail, [(json!(1024), json!("STDOUT")), (json!(1025), json!("SYSTEM"))]);
    let page = lines("after=10&count=2").await;
    assert_eq!(
        (&page["results"][0]["number"], &page["results"][1]["number"], &page["ended"]),
        (&json!(11), &json!(12), &json!(false))
    );
    assert_eq!(lines("after=1025").await, json!({"results": [], "ended": true}));
    let text = it.client.get(&format!("/run/{}/log?after=1024", id(&run))).await.text;
    assert!(text.starts_with("log truncated"), "{text}");
    it.client.get(&format!("/run/{}/log?after=-1", id(&run))).await.expect(400);
}
