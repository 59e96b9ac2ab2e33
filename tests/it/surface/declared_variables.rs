//! Declared variables that become something else, and what refers to them: aliases and overrides.

use serde_json::{Value, json};

use super::declarations::{apply, lines, path, preview};
use crate::harness::{Furnished, TestApp, id};

fn declaration() -> Value {
    json!({
        "project": "shop", "environment": "staging",
        "variables": {"PASSWORD": {"value": "plain"}, "DB_PASSWORD": {"alias": "PASSWORD"}},
        "jobs": {
            "report": {"on_start": {"command": ["up"]}, "image": "acme/report:1", "variables": {"PW": {"alias": "PASSWORD"}}},
            // Its variables are not declared.
            "other": {"on_start": {"command": ["up"]}, "image": "acme/other:1"},
        },
    })
}

/// A job of the environment, by its name.
async fn job(it: &Furnished, name: &str) -> String {
    let jobs = it.client.get(&format!("/environment/{}/job", it.environment)).await.expect(200);
    id(jobs["results"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap())
}

/// Gives a job an alias and an override of the password of the environment, which no declaration names.
async fn refer(it: &Furnished, job: &str) {
    let all = it.client.get(&format!("/environment/{}/environmentVariable", it.environment)).await.expect(200);
    let rows = all["results"].as_array().unwrap();
    let target = id(rows.iter().find(|row| row["key"] == "PASSWORD").unwrap());
    let of_target = format!("/job/{job}/environmentVariable/{target}");
    it.client.post(&format!("{of_target}/alias"), json!({"key": "MINE"})).await.expect(201);
    it.client.post(&format!("{of_target}/override"), json!({"value": "own"})).await.expect(201);
}

/// Runs a job, and returns what it gets of these variables.
async fn run<const N: usize>(app: &TestApp, it: &Furnished, job: &str, keys: [&str; N]) -> [Option<String>; N] {
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    let step = app.runner.started().pop().unwrap();
    app.runner.exit_all(0);
    app.settle().await;
    keys.map(|key| step.environment.iter().find(|(name, _)| *name == key).map(|(_, value)| value.expose().clone()))
}

fn values<const N: usize>(values: [&str; N]) -> [Option<String>; N] {
    values.map(|value| Some(value.to_owned()))
}

/// The secrets that a job sees.
async fn secrets(it: &Furnished, job: &str) -> Vec<String> {
    let all = it.client.get(&format!("/job/{job}/secret")).await.expect(200);
    all["results"].as_array().unwrap().iter().map(|row| row["key"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_variable_of_another_kind_keeps_its_aliases_and_overrides() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut declared = declaration();
    apply(&it, &declared).await;
    let (report, other) = (job(&it, "report").await, job(&it, "other").await);
    refer(&it, &other).await;
    let of_report = ["PASSWORD", "DB_PASSWORD", "PW"];
    assert_eq!(run(&app, &it, &report, of_report).await, values(["plain", "plain", "plain"]));
    assert!(secrets(&it, &report).await.is_empty());

    // It becomes a secret, and so do its aliases.
    declared["variables"].as_object_mut().unwrap().remove("PASSWORD");
    declared["secrets"] = json!({"PASSWORD": {"value": "hidden"}});
    let changed = lines(&apply(&it, &declared).await);
    assert_eq!(changed, ["UPDATE SECRET PASSWORD [value: plain -> (another secret)]"]);
    assert!(lines(&preview(&it, &declared).await).is_empty(), "everything is as it is declared");
    assert_eq!(run(&app, &it, &report, of_report).await, values(["hidden", "hidden", "hidden"]));
    assert_eq!(secrets(&it, &report).await, ["DB_PASSWORD", "PASSWORD", "PW"]);
    assert_eq!(run(&app, &it, &other, ["PASSWORD", "MINE"]).await, values(["own", "own"]));
    assert!(secrets(&it, &other).await.contains(&"MINE".to_owned()));
    let stored = it.client.get(&format!("/environment/{}/declaration", it.environment)).await.expect(200);
    assert!(!stored.to_string().contains("hidden"), "{stored}");

    // It becomes a file, and the secret is gone.
    declared["variables"]["PASSWORD"] = json!({"value": "text", "path": "/etc/password"});
    declared["secrets"] = json!({});
    let changed = lines(&apply(&it, &declared).await);
    assert_eq!(changed, ["UPDATE VARIABLE PASSWORD [path: - -> /etc/password; value: (secret) -> text]"]);
    let got = run(&app, &it, &report, of_report).await;
    assert_eq!(got, values(["/etc/password", "/etc/password", "/etc/password"]));
    assert!(secrets(&it, &report).await.is_empty());
    assert_eq!(run(&app, &it, &other, ["PASSWORD", "MINE"]).await, values(["own", "own"]));

    // An alias becomes a value, and the other way round; the alias of the job follows.
    declared["variables"] = json!({"DB_PASSWORD": {"value": "new"}, "PASSWORD": {"value": "text"}});
    declared["jobs"]["report"]["variables"] = json!({"PW": {"alias": "DB_PASSWORD"}});
    let changed = lines(&apply(&it, &declared).await);
    assert_eq!(
        changed,
        [
            "UPDATE VARIABLE DB_PASSWORD [alias: PASSWORD -> -; value: - -> new]",
            "UPDATE VARIABLE PASSWORD [path: /etc/password -> -]",
            "UPDATE VARIABLE report/PW [alias: PASSWORD -> DB_PASSWORD]",
        ]
    );
    assert!(lines(&preview(&it, &declared).await).is_empty());
    assert_eq!(run(&app, &it, &report, of_report).await, values(["text", "new", "new"]));
    declared["variables"] = json!({"DB_PASSWORD": {"value": "new"}, "PASSWORD": {"alias": "DB_PASSWORD"}});
    apply(&it, &declared).await;
    assert_eq!(run(&app, &it, &report, of_report).await, values(["new", "new", "new"]));
    assert_eq!(run(&app, &it, &other, ["PASSWORD", "MINE"]).await, values(["own", "own"]));
}

#[tokio::test]
async fn an_alias_of_what_is_deleted_is_refused() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut declared = declaration();
    apply(&it, &declared).await;
    let report = job(&it, "report").await;
    let before = it.client.get(&format!("/environment/{}/declaration", it.environment)).await.expect(200);

    declared["variables"] = json!({"DB_PASSWORD": {"alias": "PASSWORD"}});
    for query in ["", "?dryRun=true"] {
        let refused = it.client.post(&format!("{}{query}", path(&it)), declared.clone()).await.detail(400);
        let expected = "variables.DB_PASSWORD: is an alias of PASSWORD, which is no variable that is visible here";
        assert!(refused.starts_with(expected), "{refused}");
    }
    declared["variables"] = json!({});
    let refused = it.client.post(&path(&it), declared.clone()).await.detail(400);
    assert!(refused.starts_with("jobs.report.variables.PW: is an alias of PASSWORD, which is no"), "{refused}");
    declared["variables"] = json!({"PASSWORD": {"alias": "DB_PASSWORD"}, "DB_PASSWORD": {"alias": "PASSWORD"}});
    it.client.post(&path(&it), declared.clone()).await.detail(400);
    let after = it.client.get(&format!("/environment/{}/declaration", it.environment)).await.expect(200);
    assert_eq!(before, after);

    // A variable of this name in a wider scope takes its place.
    declared["project_variables"] = json!({"PASSWORD": {"value": "wide"}});
    declared["variables"] = json!({"DB_PASSWORD": {"alias": "PASSWORD"}});
    let changed = lines(&apply(&it, &declared).await);
    assert_eq!(
        changed,
        [
            "CREATE PROJECT_VARIABLE PASSWORD [value: - -> wide]",
            "UPDATE VARIABLE DB_PASSWORD []",
            "UPDATE VARIABLE report/PW []",
            "DELETE VARIABLE PASSWORD []",
        ]
    );
    assert!(lines(&preview(&it, &declared).await).is_empty());
    let got = run(&app, &it, &report, ["PASSWORD", "DB_PASSWORD", "PW"]).await;
    assert_eq!(got, values(["wide", "wide", "wide"]));
}

#[tokio::test]
async fn what_goes_with_a_variable_is_in_the_plan() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut declared = declaration();
    apply(&it, &declared).await;
    let (report, other) = (job(&it, "report").await, job(&it, "other").await);
    refer(&it, &report).await;
    refer(&it, &other).await;
    // A declared override stays, as a variable of its own; what nobody declares is deleted, and named.
    declared["variables"] = json!({});
    declared["jobs"]["report"]["variables"] = json!({"PASSWORD": {"value": "own"}});
    let planned = lines(&preview(&it, &declared).await);
    assert_eq!(planned, lines(&apply(&it, &declared).await));
    assert_eq!(planned[0], "UPDATE VARIABLE report/PASSWORD []");
    let mut deleted = planned[1..].to_vec();
    assert_eq!(deleted.pop().as_deref(), Some("DELETE VARIABLE PASSWORD []"), "{planned:?}");
    deleted.sort_unstable();
    let expected = ["DB_PASSWORD", "other/MINE", "other/PASSWORD", "report/MINE", "report/PW"];
    let expected = expected.map(|name| format!("DELETE VARIABLE {name} []"));
    assert_eq!(deleted, expected);
    assert!(lines(&preview(&it, &declared).await).is_empty());
    assert_eq!(run(&app, &it, &report, ["PASSWORD", "MINE"]).await, [Some("own".to_owned()), None]);
    assert_eq!(run(&app, &it, &other, ["PASSWORD", "MINE"]).await, [None, None]);
}
