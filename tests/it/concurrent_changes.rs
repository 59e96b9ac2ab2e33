//! Requests that change something while somebody else changes it, too: what a request does not name stays as it is, and not as it was when
//! the request read it.

use std::time::Duration;

use entity::id::{ClusterId, EnvironmentId, JobId, TerraformVariableId, VariableId, WorkspaceId, WorkspaceScheduleId};
use entity::{cluster, environment, job, terraform_variable, variable, workspace, workspace_schedule};
use sea_orm::DatabaseTransaction;
use serde_json::{Value, json};
use tokio::sync::Notify;
use windlass::error::Error;
use windlass::store;

use crate::cloud::document;
use crate::harness::{Furnished, TestApp, id};
use crate::terrakube::{House, change};

/// How long the other change stays open: long enough for a request to read what it changes.
const OPEN: Duration = Duration::from_millis(700);

/// What comes of a request that reads a row before another change of it is stored, and writes the row after that.
pub(crate) async fn overtaken<T>(
    app: &TestApp,
    other: impl AsyncFnOnce(&DatabaseTransaction) + Clone,
    request: impl Future<Output = T>,
) -> T {
    let changed = Notify::new();
    let other = store::write(&app.app.db, async |tx| {
        other(tx).await;
        changed.notify_one();
        tokio::time::sleep(OPEN).await;
        Ok::<_, Error>(())
    });
    let request = async {
        changed.notified().await;
        request.await
    };
    let (other, answer) = tokio::join!(other, request);
    other.unwrap();
    answer
}

fn uuid(text: &str) -> uuid::Uuid {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_workspace_that_is_protected_meanwhile_stays_protected() {
    let house = House::new().await;
    let id = house.workspace("a").await;
    let key = WorkspaceId(uuid(&id));
    let protect = async |tx: &DatabaseTransaction| {
        let row = store::workspace::lock(tx, key).await.unwrap().unwrap();
        let row = workspace::Model { destroy_protection: true, branch: "other".into(), ..row };
        store::row::update(tx, row).await.unwrap();
    };
    let path = format!("/api/v2/workspaces/{id}");
    let body = document("workspaces", json!({"description": "d", "working-directory": "infra"}));
    overtaken(&house.app, protect, house.client.patch(&path, body)).await.expect(200);
    let now = house.get(&format!("workspace/{id}")).await["data"]["attributes"].clone();
    assert_eq!((&now["destroyProtection"], &now["branch"]), (&json!(true), &json!("other")));
    assert_eq!((&now["description"], &now["folder"]), (&json!("d"), &json!("infra")));
}

#[tokio::test]
async fn a_variable_of_a_workspace_keeps_a_value_that_is_new() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let path = format!("/api/v2/workspaces/{workspace}/vars");
    let attributes = json!({"key": "region", "value": "old", "category": "terraform"});
    let made = id(&house.client.post(&path, document("vars", attributes)).await.expect(201)["data"]);
    let key = TerraformVariableId(uuid(&made));
    let set = async |tx: &DatabaseTransaction, value: &str| {
        let row = store::row::lock::<terraform_variable::Model>(tx, key).await.unwrap().unwrap();
        let row = terraform_variable::Model { value: Some(value.to_owned()), ..row };
        store::row::update(tx, row).await.unwrap();
    };
    let one = format!("{path}/{made}");
    let body = document("vars", json!({"description": "d"}));
    let other = async |tx: &DatabaseTransaction| set(tx, "new").await;
    let answer = overtaken(&house.app, other, house.client.patch(&one, body)).await.expect(200);
    let now = &answer["data"]["attributes"];
    assert_eq!((&now["value"], &now["description"]), (&json!("new"), &json!("d")));
    // What is sealed is the value that is there then.
    let one = house.path(&format!("workspace/{workspace}/variable/{made}"));
    let body = change("variable", &made, json!({"sensitive": true}));
    let other = async |tx: &DatabaseTransaction| set(tx, "newest").await;
    overtaken(&house.app, other, house.client.patch(&one, body)).await.expect(204);
    let row = store::row::by_id::<terraform_variable::Model>(&house.app.app.db, key).await.unwrap().unwrap();
    let place = windlass::secret::place("terraform_variable", key.0);
    let opened = house.app.app.keys.open(&place, &row.sealed.unwrap()).unwrap();
    assert_eq!((opened.expose().as_slice(), row.value), (b"newest".as_slice(), None));
}

#[tokio::test]
async fn a_schedule_that_is_disabled_meanwhile_has_no_next_time() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let path = format!("workspace/{workspace}/schedule");
    let plan = house.template("Plan").await;
    let made = house.create(&path, "schedule", json!({"cron": "0 0 5 * * ?", "templateReference": plan})).await;
    let key = WorkspaceScheduleId(uuid(&made));
    let disable = async |tx: &DatabaseTransaction| {
        let row = store::row::lock::<workspace_schedule::Model>(tx, key).await.unwrap().unwrap();
        let row = workspace_schedule::Model { enabled: false, next_run_at: None, ..row };
        store::row::update(tx, row).await.unwrap();
    };
    let body = change("schedule", &made, json!({"cron": "0 0 6 * * ?"}));
    let path = house.path(&format!("{path}/{made}"));
    overtaken(&house.app, disable, house.client.patch(&path, body)).await.expect(204);
    let row = store::row::by_id::<workspace_schedule::Model>(&house.app.app.db, key).await.unwrap().unwrap();
    assert_eq!((row.cron.as_str(), row.enabled, row.next_run_at), ("0 0 6 * * ?", false, None));
}

/// A definition, its settings and the tag of its image are changed by requests of their own.
#[tokio::test]
async fn parts_of_a_job_are_changed_independently() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = format!("/job/{}", it.create(it.lifecycle("events")).await);
    let key = JobId(uuid(path.trim_start_matches("/job/")));
    let now = app.clock.now();
    let edit = async |tx: &DatabaseTransaction, edit: fn(&mut job::Model)| {
        let locked = store::job::lock(tx, key).await.unwrap().unwrap();
        let mut row = locked.row().clone();
        edit(&mut row);
        locked.edit(tx, (row.name, row.spec), now).await.unwrap();
    };
    let describe = async |tx: &DatabaseTransaction| edit(tx, |row| row.spec.description = "new".into()).await;
    let set = async |tx: &DatabaseTransaction| {
        let grace = |row: &mut job::Model| {
            let wanted = json!({"deployment.termination_grace_period_seconds": 77});
            row.spec.settings = serde_json::from_value(wanted).unwrap();
        };
        edit(tx, grace).await;
    };
    let shown = async || it.client.get(&path).await.expect(200);
    let settings = format!("{path}/advancedSettings");
    // An edit and settings that are new.
    overtaken(&app, set, it.client.put(&path, json!({"max_nb_restart": 2}))).await.expect(200);
    let kept = it.client.get(&settings).await.expect(200);
    assert_eq!(kept["deployment.termination_grace_period_seconds"], 77);
    // An edit and a description that is new.
    overtaken(&app, &describe, it.client.put(&path, json!({"max_nb_restart": 3}))).await.expect(200);
    let job = shown().await;
    assert_eq!((&job["description"], &job["max_nb_restart"]), (&json!("new"), &json!(3)));
    // Settings, and then a tag, and a description that is new.
    it.client.put(&path, json!({"description": "old"})).await.expect(200);
    overtaken(&app, &describe, it.client.put(&settings, kept)).await.expect(201);
    assert_eq!(shown().await["description"], "new");
    it.client.put(&path, json!({"description": "old"})).await.expect(200);
    let deploy = format!("{path}/deploy");
    overtaken(&app, &describe, it.client.post(&deploy, json!({"image_tag": "1.37"}))).await.expect(202);
    let job = shown().await;
    assert_eq!((&job["description"], &job["source"]["image"]["tag"]), (&json!("new"), &json!("1.37")));
}

#[tokio::test]
async fn environments_variables_and_clusters_keep_what_is_new() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let key = EnvironmentId(uuid(&it.environment));
    let other = async |tx: &DatabaseTransaction| {
        let row = store::environment::lock(tx, key).await.unwrap().unwrap();
        store::environment::update(tx, environment::Model { mode: environment::Mode::Production, ..row })
            .await
            .unwrap();
    };
    let path = format!("/environment/{}", it.environment);
    let now = overtaken(&app, other, it.client.put(&path, json!({"name": "renamed"}))).await.expect(200);
    assert_eq!((&now["name"], &now["mode"]), (&json!("renamed"), &json!("PRODUCTION")));

    let made = json!({"key": "REGION", "value": "old"});
    let made = id(&it.client.post(&format!("{path}/environmentVariable"), made).await.expect(201));
    let key = VariableId(uuid(&made));
    let other = async |tx: &DatabaseTransaction| {
        let row = store::row::lock::<variable::Model>(tx, key).await.unwrap().unwrap();
        store::row::update(tx, variable::Model { value: Some("new".into()), ..row }).await.unwrap();
    };
    let path = format!("/variable/{made}");
    let edit = it.client.put(&path, json!({"key": "REGION", "description": "d"}));
    let now = overtaken(&app, other, edit).await.expect(200);
    assert_eq!((&now["value"], &now["description"]), (&json!("new"), &json!("d")));

    let (row, edited) = cluster_meanwhile(&app, &it).await;
    assert_eq!((row.kind, &edited["name"]), (cluster::ClusterKind::Agent, &json!("renamed")));
}

/// A cluster that gets its first agent while it is renamed.
async fn cluster_meanwhile(app: &TestApp, it: &Furnished) -> (cluster::Model, Value) {
    let path = format!("/organization/{}/cluster", it.organization);
    let body = |name: &str| json!({"name": name, "region": "eu", "cloud_provider": "ON_PREMISE", "kubernetes": "SELF_MANAGED"});
    let made = id(&it.client.post(&path, body("far")).await.expect(201));
    let key = ClusterId(uuid(&made));
    let other = async |tx: &DatabaseTransaction| {
        let row = store::cluster::lock(tx, key).await.unwrap().unwrap();
        store::row::update(tx, cluster::Model { kind: cluster::ClusterKind::Agent, ..row }).await.unwrap();
    };
    let path = format!("{path}/{made}");
    let edited = overtaken(app, other, it.client.put(&path, body("renamed"))).await.expect(200);
    (store::row::by_id::<cluster::Model>(&app.app.db, key).await.unwrap().unwrap(), edited)
}
