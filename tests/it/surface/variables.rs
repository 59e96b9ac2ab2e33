//! Variables and secrets: three families of operations over one table, and the environment of a run.

use serde_json::{Value, json};

use crate::harness::{Client, Furnished, TestApp, id};

fn find<'a>(list: &'a Value, key: &str, scope: &str) -> &'a Value {
    let rows = list["results"].as_array().unwrap();
    rows.iter().find(|row| row["key"] == key && row["scope"] == scope).unwrap_or_else(|| panic!("no {key} in {list}"))
}

async fn variables(it: &Furnished, job: &str) -> Value {
    it.client.get(&format!("/variable?parent_id={job}&scope=JOB")).await.expect(200)
}

async fn variable(it: &Furnished, scope: &str, parent: &str, key: &str, value: &str) -> String {
    let body = json!({"key": key, "value": value});
    id(&it.client.post(&format!("/{scope}/{parent}/environmentVariable"), body).await.expect(201))
}

/// The environment of the step that was started last.
fn started(app: &TestApp) -> Vec<(String, String)> {
    let step = app.runner.started().pop().unwrap();
    step.environment.iter().map(|(key, value)| (key.clone(), value.expose().clone())).collect()
}

fn value(environment: &[(String, String)], key: &str) -> Option<String> {
    environment.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone())
}

#[tokio::test]
async fn a_job_sees_wider_scopes_and_built_ins() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "@daily")).await;
    variable(&it, "project", &it.project, "P", "project").await;
    variable(&it, "environment", &it.environment, "E", "environment").await;
    variable(&it, "job", &job, "J", "job").await;
    let secret = json!({"key": "S", "value": "hidden"});
    it.client.post(&format!("/project/{}/secret", it.project), secret).await.expect(201);
    let all = variables(&it, &job).await;
    for (key, scope, value) in [("P", "PROJECT", "project"), ("E", "ENVIRONMENT", "environment"), ("J", "JOB", "job")] {
        assert_eq!(find(&all, key, scope)["value"], value);
    }
    let secret = find(&all, "S", "PROJECT");
    assert_eq!((&secret["value"], &secret["is_secret"]), (&Value::Null, &json!(true)));
    assert_eq!(find(&all, "QOVERY_ENVIRONMENT_NAME", "BUILT_IN")["value"], "staging");
    assert_eq!(find(&all, "QOVERY_JOB_ACTION", "BUILT_IN")["value"], "CRON");
    let short = job.split('-').next().unwrap().to_uppercase();
    let tag = find(&all, &format!("QOVERY_JOB_Z{short}_TAG"), "BUILT_IN");
    assert_eq!((&tag["value"], &tag["description"]), (&json!("1.36.1"), &json!("Currently deployed image tag")));
    assert_eq!(all, variables(&it, &job).await, "ids and values of built-in variables stay");
    // Each family lists one kind; the unified list filters.
    let plain = it.client.get(&format!("/job/{job}/environmentVariable")).await.expect(200);
    assert!(plain["results"].as_array().unwrap().iter().all(|row| row["key"] != "S"));
    let secrets = it.client.get(&format!("/job/{job}/secret")).await.expect(200);
    assert_eq!(secrets["results"].as_array().unwrap().len(), 1);
    let filtered = it.client.get(&format!("/variable?parent_id={job}&scope=JOB&is_secret=true")).await.expect(200);
    assert_eq!(filtered["results"].as_array().unwrap().len(), 1);
    let project = it.client.get(&format!("/project/{}/environmentVariable", it.project)).await.expect(200);
    assert_eq!(find(&project, "QOVERY_PROJECT_ID", "BUILT_IN")["value"], "||Q_PRJ_ID||");
}

#[tokio::test]
async fn a_run_gets_what_was_deployed() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.lifecycle("job")).await;
    let plain = variable(&it, "project", &it.project, "NAME", "one").await;
    variable(&it, "environment", &it.environment, "GREETING", "hello {{NAME}} {{NONE}}in {{QOVERY_ENVIRONMENT_NAME}}")
        .await;
    let secret = json!({"key": "PASSWORD", "value": "hidden"});
    let secret = id(&it.client.post(&format!("/environment/{}/secret", it.environment), secret).await.expect(201));
    let alias = json!({"key": "PGPASSWORD"});
    it.client.post(&format!("/job/{job}/secret/{secret}/alias"), alias).await.expect(201);
    let over = json!({"value": "two"});
    it.client.post(&format!("/job/{job}/environmentVariable/{plain}/override"), over).await.expect(201);
    let file = json!({"key": "CONFIG", "value": "name={{NAME}}", "mount_path": "/etc/app.conf", "enable_interpolation_in_file": true});
    let file = it.client.post(&format!("/job/{job}/environmentVariable"), file).await.expect(201);
    assert_eq!(file["variable_type"], "FILE");
    let file_alias = json!({"key": "CONFIG_PATH"});
    it.client.post(&format!("/job/{job}/environmentVariable/{}/alias", id(&file)), file_alias).await.expect(201);
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    let got = started(&app);
    for (key, expected) in [
        ("NAME", "two"),
        ("GREETING", "hello two {{NONE}}in staging"),
        ("PASSWORD", "hidden"),
        ("PGPASSWORD", "hidden"),
        ("CONFIG", "/etc/app.conf"),
        ("CONFIG_PATH", "/etc/app.conf"),
        ("QOVERY_JOB_ACTION", "START"),
    ] {
        assert_eq!(value(&got, key).as_deref(), Some(expected), "{key}");
    }
    let files = app.runner.started().pop().unwrap().files;
    assert_eq!(files.len(), 1);
    assert_eq!((files[0].path.as_str(), files[0].content.expose().as_str()), ("/etc/app.conf", "name=two"));
    assert_eq!(files[0].variables, ["CONFIG", "CONFIG_PATH"]);
    app.runner.exit_all(0);
    app.settle().await;
    let status = it.client.get(&format!("/job/{job}/status")).await.expect(200);
    assert_eq!(status["service_deployment_status"], "UP_TO_DATE");
    // An edit does not affect the deployed job, which becomes out of date.
    app.clock.forward(1);
    it.client.put(&format!("/variable/{plain}"), json!({"key": "NAME", "value": "three"})).await.expect(200);
    it.client.delete(&format!("/job/{job}/environmentVariable/{}", id(&file))).await.expect(204);
    let status = it.client.get(&format!("/job/{job}/status")).await.expect(200);
    assert_eq!(status["service_deployment_status"], "OUT_OF_DATE");
    it.client.post(&format!("/job/{job}/deploy?forceEvent=STOP"), json!({})).await.expect(202);
    app.settle().await;
    assert_eq!(value(&started(&app), "CONFIG").as_deref(), Some("/etc/app.conf"));
    app.runner.exit_all(0);
    app.settle().await;
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    let got = started(&app);
    assert_eq!((value(&got, "CONFIG"), value(&got, "CONFIG_PATH")), (None, None), "the alias went with the file");
    assert_eq!(value(&got, "NAME").as_deref(), Some("two"), "the override stays");
}

#[tokio::test]
async fn aliases_and_overrides_describe_their_target() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "@daily")).await;
    let target = variable(&it, "project", &it.project, "DB", "x").await;
    let alias = json!({"key": "DB_URL", "alias_scope": "JOB", "alias_parent_id": job, "description": "the database"});
    let alias = it.client.post(&format!("/variable/{target}/alias"), alias).await.expect(201);
    assert_eq!((&alias["value"], &alias["variable_type"]), (&json!("DB"), &json!("ALIAS")));
    let aliased = &alias["aliased_variable"];
    assert_eq!((&aliased["id"], &aliased["value"], &aliased["mount_path"]), (&json!(target), &json!("x"), &json!("")));
    assert_eq!((&aliased["scope"], &aliased["variable_type"]), (&json!("PROJECT"), &json!("VALUE")));
    let over = json!({"value": "y", "override_scope": "ENVIRONMENT", "override_parent_id": it.environment});
    let over = it.client.post(&format!("/variable/{target}/override"), over).await.expect(201);
    assert_eq!((&over["key"], &over["overridden_variable"]["id"]), (&json!("DB"), &json!(target)));
    // The target of an alias and the key of an override cannot be changed.
    let detail = it.client.put(&format!("/variable/{}", id(&alias)), json!({"key": "DB_URL", "value": "z"})).await;
    assert!(detail.detail(400).contains("alias"));
    it.client.put(&format!("/variable/{}", id(&alias)), json!({"key": "DATABASE", "value": "DB"})).await.expect(200);
    let detail = it.client.put(&format!("/variable/{}", id(&over)), json!({"key": "OTHER", "value": "z"})).await;
    assert!(detail.detail(400).contains("override"));
    // The alias follows a new key of its target.
    it.client.put(&format!("/variable/{target}"), json!({"key": "STORE", "value": "x"})).await.expect(200);
    let all = variables(&it, &job).await;
    assert_eq!(find(&all, "DATABASE", "JOB")["value"], "STORE");
    assert_eq!(find(&all, "STORE", "ENVIRONMENT")["value"], "y");
    // All three are deleted together.
    it.client.delete(&format!("/variable/{target}")).await.expect(204);
    let left = variables(&it, &job).await;
    assert!(left["results"].as_array().unwrap().iter().all(|row| row["scope"] == "BUILT_IN"), "{left}");
}

#[tokio::test]
async fn what_is_refused() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "@daily")).await;
    let of_job = variable(&it, "job", &job, "J", "1").await;
    let of_project = variable(&it, "project", &it.project, "P", "1").await;
    let path = format!("/job/{job}/environmentVariable");
    let taken = it.client.post(&path, json!({"key": "J", "value": "2"})).await.detail(409);
    assert!(taken.contains('J'), "{taken}");
    for key in ["1A", "A-B", "a b", "QOVERY_X", "qovery", "__X", "A=B", "ä"] {
        let detail = it.client.post(&path, json!({"key": key, "value": "1"})).await.detail(400);
        assert!(detail.starts_with("key"), "{detail}");
    }
    for mount_path in ["etc/x", "/", "/a/../b", "/a//b", "/a/", "/dev/shm/x", "/proc/x", "/sys/fs/x"] {
        let detail =
            it.client.post(&path, json!({"key": "F", "value": "1", "mount_path": mount_path})).await.detail(400);
        assert!(detail.starts_with("mount_path"), "{detail}");
    }
    let long = json!({"key": "D", "value": "1", "description": "x".repeat(256)});
    assert!(it.client.post(&path, long).await.detail(400).starts_with("description"));
    let large = json!({"key": "D", "value": "x".repeat(70_000)});
    assert!(it.client.post(&path, large).await.detail(400).starts_with("value"));
    // A file may have 1 MiB, whatever its content.
    for (value, status) in [("x", 201), ("\n", 201), ("\u{1}", 201), ("x", 400)] {
        let mut content = value.repeat(1024 * 1024);
        content.push_str(if status == 400 { "x" } else { "" });
        let file = json!({"key": "BIG", "value": content, "mount_path": "/etc/big"});
        let answer = it.client.post(&path, file).await;
        if status == 400 {
            let detail = answer.detail(400);
            assert!(detail.starts_with("value") && detail.contains("1 MiB"), "{detail}");
            continue;
        }
        let big = crate::harness::id(&answer.expect(201));
        let body = json!({"key": "BIG", "value": format!("{content}x")});
        assert!(it.client.put(&format!("{path}/{big}"), body).await.detail(400).starts_with("value"));
        it.client.put(&format!("{path}/{big}"), json!({"key": "BIG", "value": content})).await.expect(200);
        it.client.delete(&format!("{path}/{big}")).await.expect(204);
    }
    // From a narrower to a wider scope.
    let wider = json!({"key": "A", "alias_scope": "PROJECT", "alias_parent_id": it.project});
    let detail = it.client.post(&format!("/variable/{of_job}/alias"), wider).await.detail(400);
    assert!(detail.contains("PROJECT > ENVIRONMENT > JOB"), "{detail}");
    let wider = json!({"value": "A", "override_scope": "PROJECT", "override_parent_id": it.project});
    it.client.post(&format!("/variable/{of_project}/override"), wider).await.expect(400);
    // Built-in and inherited variables are listed, but cannot be changed there.
    let all = variables(&it, &job).await;
    let built_in = id(find(&all, "QOVERY_JOB_ID", "BUILT_IN"));
    let detail = it.client.put(&format!("{path}/{built_in}"), json!({"key": "X", "value": "1"})).await.detail(400);
    assert!(detail.contains("built-in"), "{detail}");
    let detail = it.client.delete(&format!("{path}/{of_project}")).await.detail(400);
    assert!(detail.contains("wider"), "{detail}");
    it.client.delete(&format!("/variable/{built_in}")).await.expect(404);
    // A variable is no secret.
    it.client.put(&format!("/job/{job}/secret/{of_job}"), json!({"key": "J", "value": "1"})).await.expect(404);
    it.client.post(&format!("/job/{job}/secret/{of_job}/alias"), json!({"key": "X"})).await.expect(404);
    let scope = it.client.get(&format!("/variable?parent_id={job}&scope=CONTAINER")).await.detail(400);
    assert!(scope.starts_with("scope"), "{scope}");
    // A built-in variable may have an alias.
    it.client.post(&format!("{path}/{built_in}/alias"), json!({"key": "ID"})).await.expect(201);
    it.client.post(&format!("/job/{job}/deploy?forceEvent=CRON"), json!({})).await.expect(202);
    app.settle().await;
    assert_eq!(value(&started(&app), "ID"), Some(job));
}

#[tokio::test]
async fn a_secret_is_kept_sealed_and_only_replaced() {
    use sea_orm::EntityTrait as _;
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "@daily")).await;
    let made = json!({"key": "S", "value": "first-hidden"});
    let made = it.client.post(&format!("/job/{job}/secret"), made).await.expect(201);
    assert!(made.get("value").is_none());
    let row = async || entity::variable::Entity::find().one(&app.app.db).await.unwrap().unwrap();
    let before = row().await;
    assert!(before.value.is_none());
    assert!(!before.sealed.as_ref().unwrap().windows(6).any(|part| part == b"hidden"));
    // An edit without a value keeps it.
    let edit = json!({"key": "T", "description": "renamed"});
    it.client.put(&format!("/job/{job}/secret/{}", id(&made)), edit).await.expect(200);
    let after = row().await;
    assert_eq!((after.sealed, after.key.as_str()), (before.sealed, "T"));
    it.client.put(&format!("/variable/{}", id(&made)), json!({"key": "T", "value": "second-hidden"})).await.expect(200);
    it.client.post(&format!("/job/{job}/deploy?forceEvent=CRON"), json!({})).await.expect(202);
    app.settle().await;
    assert_eq!(value(&started(&app), "T").as_deref(), Some("second-hidden"));
    let events = it.client.get(&format!("/organization/{}/events?pageSize=100", it.organization)).await.expect(200);
    assert!(!events.to_string().contains("hidden"), "{events}");
}

#[tokio::test]
async fn an_import_follows_its_rules() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "@daily")).await;
    variable(&it, "project", &it.project, "WIDER", "old").await;
    variable(&it, "job", &job, "SAME", "old").await;
    variable(&it, "job", &job, "NARROWER", "old").await;
    let target = variable(&it, "environment", &it.environment, "TARGET", "old").await;
    it.client
        .post(&format!("/job/{job}/environmentVariable/{target}/alias"), json!({"key": "ALIAS"}))
        .await
        .expect(201);
    it.client.post(&format!("/job/{job}/secret"), json!({"key": "SECRET", "value": "old"})).await.expect(201);
    let var = |name: &str, scope: &str| json!({"name": name, "value": "new", "scope": scope, "is_secret": false});
    let vars = json!([
        var("NEW", "JOB"), var("SAME", "JOB"), var("WIDER", "JOB"), var("ALIAS", "JOB"), var("SECRET", "JOB"),
        var("NARROWER", "PROJECT"), {"name": "HIDDEN", "value": "new-hidden", "scope": "ENVIRONMENT", "is_secret": true},
    ]);
    let path = format!("/variable/import?service_id={job}&service_type=JOB");
    let done = it.client.post(&path, json!({"overwrite": false, "vars": vars})).await.expect(201);
    let names = |done: &Value| {
        let list = done["successful_imported_variables"].as_array().unwrap();
        list.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&done), ["NEW", "WIDER", "HIDDEN"]);
    assert_eq!(done["total_variables_to_import"], 7);
    assert!(!done.to_string().contains("new-hidden"));
    let all = variables(&it, &job).await;
    assert_eq!(find(&all, "WIDER", "JOB")["variable_type"], "OVERRIDE");
    assert_eq!(find(&all, "SAME", "JOB")["value"], "old");
    let again = format!("/job/{job}/environmentVariable/import");
    let again = it.client.post(&again, json!({"overwrite": true, "vars": vars})).await;
    assert_eq!(names(&again.expect(201)), ["NEW", "SAME", "WIDER", "HIDDEN"]);
    assert_eq!(find(&variables(&it, &job).await, "SAME", "JOB")["value"], "new");
    let bad = json!({"overwrite": true, "vars": [var("FINE", "JOB"), var("QOVERY_X", "JOB")]});
    assert!(it.client.post(&path, bad).await.detail(400).starts_with("vars[1].name"));
    let all = variables(&it, &job).await;
    assert!(all["results"].as_array().unwrap().iter().all(|row| row["key"] != "FINE"), "nothing is half imported");
}

/// A stored file may be older than the rule for its path: its runs fail with the reason, and it can be moved.
#[tokio::test]
async fn a_stored_file_that_a_container_would_hide_fails_its_runs() {
    use sea_orm::sea_query::Expr;
    use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.lifecycle("job")).await;
    let path = format!("/job/{job}/environmentVariable");
    let file = json!({"key": "F", "value": "1", "mount_path": "/etc/x"});
    let file = id(&it.client.post(&path, file).await.expect(201));
    let hidden = Expr::value("/dev/shm/x");
    let rows = entity::variable::Entity::update_many().col_expr(entity::variable::Column::MountPath, hidden);
    rows.filter(entity::variable::Column::Key.eq("F")).exec(&app.app.db).await.unwrap();
    let deploy = async || {
        it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
        app.settle().await;
    };
    deploy().await;
    let runs = it.runs(&job).await;
    assert_eq!((&runs[0]["state"], app.runner.started().len()), (&json!("FAILED"), 0));
    let reason = runs[0]["reason"].as_str().unwrap();
    assert!(reason.contains("/dev/shm/x must not be below /dev"), "{reason}");
    // It is shown and listed, and an edit that keeps the path is refused by the name of the field.
    assert_eq!(find(&variables(&it, &job).await, "F", "JOB")["mount_path"], "/dev/shm/x");
    let edit = |path: &str| json!({"key": "F", "value": "2", "mount_path": path});
    let detail = it.client.put(&format!("{path}/{file}"), edit("/dev/shm/x")).await.detail(400);
    assert!(detail.starts_with("mount_path"), "{detail}");
    it.client.put(&format!("{path}/{file}"), edit("/etc/x")).await.expect(200);
    deploy().await;
    assert_eq!(app.runner.started().pop().unwrap().files[0].path, "/etc/x");
}

/// Manages the development environments of the project, but not the project.
async fn developer(app: &TestApp, it: &Furnished) -> Client {
    let organization = format!("/organization/{}", it.organization);
    let role =
        id(&it.client.post(&format!("{organization}/customRole"), json!({"name": "developer"})).await.expect(201));
    let matrix = json!({"name": "developer", "cluster_permissions": [], "project_permissions": [
        {"project_id": it.project, "permissions": [{"environment_type": "DEVELOPMENT", "permission": "MANAGER"}]},
    ]});
    it.client.put(&format!("{organization}/customRole/{role}"), matrix).await.expect(200);
    let token = json!({"name": "developer", "role_id": role});
    let token = it.client.post(&format!("{organization}/apiToken"), token).await.expect(201);
    app.client(Some(format!("Token {}", token["token"].as_str().unwrap())))
}

#[tokio::test]
async fn a_scope_is_written_only_with_its_permission() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "@daily")).await;
    variable(&it, "project", &it.project, "DB_URL", "shop").await;
    let developer = developer(&app, &it).await;
    let var = |name: &str, scope: &str| json!({"name": name, "value": "mine", "scope": scope, "is_secret": false});
    let wide = json!({"overwrite": true, "vars": [
        var("OWN", "JOB"), var("DB_URL", "PROJECT"), {"name": "PRELOAD", "value": "x", "scope": "PROJECT", "is_secret": true},
    ]});
    let paths = [
        format!("/variable/import?service_id={job}&service_type=JOB"),
        format!("/job/{job}/environmentVariable/import"),
    ];
    for path in &paths {
        let detail = developer.post(path, wide.clone()).await.detail(403);
        assert!(detail.starts_with("vars: "), "{detail}");
    }
    let declared =
        json!({"project": "shop", "environment": "staging", "project_variables": {"DB_URL": {"value": "mine"}}});
    let path = format!("/organization/{}/declaration", it.organization);
    let detail = developer.post(&path, declared).await.detail(403);
    assert!(detail.starts_with("project_variables"), "{detail}");
    let all = variables(&it, &job).await;
    assert_eq!(find(&all, "DB_URL", "PROJECT")["value"], "shop");
    let rows = all["results"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["key"] != "OWN" && row["key"] != "PRELOAD"), "nothing is half imported: {all}");

    let narrow = json!({"overwrite": true, "vars": [var("OWN", "JOB"), var("NEAR", "ENVIRONMENT")]});
    for path in &paths {
        developer.post(path, narrow.clone()).await.expect(201);
    }
    it.client.post(&paths[0], wide).await.expect(201);
    assert_eq!(find(&variables(&it, &job).await, "DB_URL", "PROJECT")["value"], "mine");
    // Each scope records what was imported into it.
    let events = it.client.get(&format!("/organization/{}/events?pageSize=100", it.organization)).await.expect(200);
    let imports = events["events"].as_array().unwrap().iter().filter(|event| event["event_type"] == "IMPORT");
    let mut targets: Vec<&str> = imports.map(|event| event["target_type"].as_str().unwrap()).collect();
    targets.sort_unstable();
    assert_eq!(targets, ["ENVIRONMENT", "ENVIRONMENT", "JOB", "JOB", "JOB", "PROJECT"], "{events}");
}
