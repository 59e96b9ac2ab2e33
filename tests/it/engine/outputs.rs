//! Outputs of LIFECYCLE jobs, and values that must not appear in logs.

use entity::id::JobId;
use entity::variable::{self, VariableKind};
use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _};
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
    let refused = r#"{"a": {"value": 1}, "b-c": {"value": 1}, "QOVERY_JOB_ID": {"value": 1}}"#;
    for (file, reason) in [("{", "not a JSON object"), (refused, "\"b-c\""), (refused, "\"QOVERY_JOB_ID\"")] {
        deploy_leaving(&app, &it, &job, file).await;
        let run = it.runs(&job).await.remove(0);
        assert_eq!(run["state"], "SUCCEEDED");
        assert!(run["reason"].as_str().unwrap().contains(reason), "{run}");
    }
    // The others are stored, and the built-in variable stays what it is.
    let rows = variables(&it, "JOB", &job).await;
    assert_eq!(find(&rows, "A")["variable_type"], "ALIAS");
    assert_eq!(find(&rows, "QOVERY_JOB_ID")["value"], json!(job));
    assert!(rows.iter().all(|row| row["key"] != "B-C"));
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

/// A line that is stored before it is complete is shown at once, unless a secret may begin in it.
#[tokio::test]
async fn secrets_are_masked_where_a_line_goes_on() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.lifecycle("leaky")).await;
    let secret = json!({"key": "PASSWORD", "value": "correct horse"});
    it.client.post(&format!("/job/{job}/secret"), secret).await.expect(201);
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    let run = it.runs(&job).await.remove(0);
    let log = async || it.client.get(&format!("/run/{}/log", id(&run))).await.text;
    let name = app.runner.steps().remove(0);
    app.runner.write_open(&name, "Continue? ");
    app.settle().await;
    assert_eq!(log().await, "Continue? \n");
    app.runner.write_open(&name, "the password is correct ho");
    app.settle().await;
    assert_eq!(log().await, "Continue? \n");
    app.runner.write(&name, &["rse, see?"]);
    app.settle().await;
    assert_eq!(log().await, "Continue? \nthe password is ********\n, see?\n");
    // What is held back is stored when the run ends.
    app.runner.write_open(&name, "correct");
    app.settle().await;
    app.runner.exit_all(0);
    app.settle().await;
    assert_eq!(log().await, "Continue? \nthe password is ********\n, see?\ncorrect\n");
}

/// A variable that no environment can carry fails the run with its name, instead of the start of its program.
#[tokio::test]
async fn an_environment_that_is_too_large_is_told() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.lifecycle("large")).await;
    let variable = json!({"key": "LARGE", "value": "\u{e9}".repeat(65_536)});
    it.client.post(&format!("/job/{job}/environmentVariable"), variable).await.expect(201);
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    let run = it.runs(&job).await.remove(0);
    assert_eq!(run["state"], "FAILED");
    let reason = run["reason"].as_str().unwrap();
    assert!(reason.starts_with("the variable LARGE has 131072 bytes"), "{reason}");
    assert_eq!(app.runner.started().len(), 0);
}

#[tokio::test]
async fn the_middle_of_a_log_that_is_too_long_is_left_out() {
    let app = TestApp::configured(|config| config.log_mib = 1).await;
    let it = app.furnished().await;
    let job = it.deployed(&app, it.lifecycle("chatty")).await;
    let name = app.runner.steps().remove(0);
    let line = "x".repeat(1023);
    for _ in 0..6 {
        app.runner.write(&name, &vec![line.as_str(); 500]);
        app.settle().await;
    }
    app.runner.write(&name, &["the error", "the end"]);
    app.runner.exit_all(4);
    app.settle().await;
    let run = it.runs(&job).await.remove(0);
    // 3002 lines, and the one that says what is left out.
    assert_eq!(
        (&run["state"], &run["log_truncated"], &run["log_lines"]),
        (&json!("FAILED"), &json!(true), &json!(3003))
    );
    let text = it.client.get(&format!("/run/{}/log", id(&run))).await.text;
    assert!(text.len() <= 1024 * 1024, "{} bytes are stored", text.len());
    assert!(text.len() > 900 * 1024, "only {} bytes are stored", text.len());
    assert!(text.ends_with("the error\nthe end\n"));
    let (mark, _) = text.lines().enumerate().find(|(_, text)| text.starts_with("log truncated")).unwrap();
    assert!((500..=512).contains(&mark), "the mark is line {mark}");
    assert_eq!(text.matches("log truncated").count(), 1);
    let lines = async |query: &str| it.client.get(&format!("/run/{}/logLine?{query}", id(&run))).await.expect(200);
    let around = lines(&format!("after={mark}&count=2")).await;
    let (note, next) = (&around["results"][0], &around["results"][1]);
    assert_eq!((&note["number"], &note["stream"]), (&json!(mark + 1), &json!("SYSTEM")));
    // The numbers tell how much is left out.
    let left_out = next["number"].as_i64().unwrap() - note["number"].as_i64().unwrap() - 1;
    let told = format!("log truncated: {left_out} lines are left out here");
    assert!(left_out > 1000 && note["text"].as_str().unwrap().starts_with(&told), "{note} {left_out}");
    assert_eq!(text.lines().count() as i64 + left_out, 3003);
    let page = lines("after=10&count=2").await;
    assert_eq!(
        (&page["results"][0]["number"], &page["results"][1]["number"], &page["ended"]),
        (&json!(11), &json!(12), &json!(false))
    );
    assert_eq!(lines("after=3003").await, json!({"results": [], "ended": true}));
    it.client.get(&format!("/run/{}/log?after=-1", id(&run))).await.expect(400);
}

#[tokio::test]
async fn many_outputs_hide_no_variable() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (first, second) = (it.create(it.lifecycle("first")).await, it.create(it.lifecycle("second")).await);
    let of = windlass::store::job::by_id(&app.app.db, JobId(first.parse().unwrap())).await.unwrap().unwrap();
    let row = |number: usize| variable::Model {
        environment_id: Some(of.environment_id),
        output_of: Some(of.id),
        key: format!("QOVERY_OUTPUT_JOB_Z{}_N{number}", short(&first)),
        value: Some("x".into()),
        ..variable::Model::empty(of.organization_id, VariableKind::BuiltIn, app.clock.now())
    };
    let rows: Vec<_> = (0..6500).map(|number| row(number).into_active_model().reset_all()).collect();
    for chunk in rows.chunks(500) {
        variable::Entity::insert_many(chunk.to_vec()).exec_without_returning(&app.app.db).await.unwrap();
    }
    // What jobs have put out takes no room from what people add.
    let last = json!({"key": "ZZZ", "value": "seen"});
    it.client.post(&format!("/environment/{}/secret", it.environment), last).await.expect(201);
    let secrets = it.client.get(&format!("/environment/{}/secret", it.environment)).await.expect(200);
    assert_eq!(secrets["results"][0]["key"], "ZZZ");
    deploy_leaving(&app, &it, &second, r#"{"NEW": {"value": "1"}}"#).await;
    let step = app.runner.started().pop().unwrap();
    assert!(step.environment.iter().any(|(key, value)| key == "ZZZ" && value.expose() == "seen"));
    // An output for which the environment has no room is refused with a reason; others are changed as always.
    let run = it.runs(&second).await.remove(0);
    let reason = run["reason"].as_str().unwrap();
    assert!(
        reason.contains("\"NEW\" was refused: the jobs of an environment can have at most 5000 outputs"),
        "{reason}"
    );
    deploy_leaving(&app, &it, &first, r#"{"N7": {"value": "changed"}}"#).await;
    let key = format!("QOVERY_OUTPUT_JOB_Z{}_N7", short(&first));
    let stored = variable::Entity::find().filter(variable::Column::Key.eq(key)).one(&app.app.db).await.unwrap();
    assert_eq!(stored.unwrap().value.as_deref(), Some("changed"));
}
