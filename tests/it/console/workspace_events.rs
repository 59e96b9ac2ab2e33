//! Who changed what of a workspace, whichever way it took.

use entity::member::Role;
use serde_json::json;
use windlass::store::event::{EventCursor, EventFilter};

use super::browser::{Browser, between};
use crate::cloud::document;
use crate::terrakube::{House, change, id, new};

/// An event: what was done, and with which part of a workspace.
type Done = (String, Option<String>);

/// The events of workspaces, oldest first.
async fn events(house: &House) -> Vec<Done> {
    let filter = EventFilter { target: Some("TERRAFORM".into()), ..EventFilter::default() };
    let db = &house.app.app.db;
    let rows = windlass::store::event::list(db, house.organization, filter, EventCursor::Newest, 100).await.unwrap();
    for row in &rows {
        assert_eq!(row.triggered_by, "test");
        assert!(!format!("{row:?}").contains("hush"), "{row:?}");
    }
    rows.into_iter().rev().map(|row| (row.kind, row.sub_target)).collect()
}

fn expected(all: &[(&str, &str)]) -> Vec<Done> {
    let part = |part: &str| Some(part.to_owned()).filter(|part| !part.is_empty());
    all.iter().map(|(kind, of)| ((*kind).to_owned(), part(of))).collect()
}

#[tokio::test]
async fn changes_by_the_terrakube_api() {
    let house = House::new().await;
    let workspace = house.workspace("network").await;
    let path = house.path(&format!("workspace/{workspace}"));
    let patch = async |attributes| house.client.patch(&path, change("workspace", &workspace, attributes)).await;
    patch(json!({"branch": "dev"})).await.expect(204);
    patch(json!({"locked": true, "lockDescription": "a move"})).await.expect(204);
    patch(json!({"locked": false})).await.expect(204);
    let variable = json!({"key": "token", "value": "hush-hush", "category": "TERRAFORM", "sensitive": true});
    house.create(&format!("workspace/{workspace}/variable"), "variable", variable).await;
    // What is refused is no event.
    let viewer = house.app.token(house.organization, Role::Viewer).await;
    viewer.patch(&path, change("workspace", &workspace, json!({"branch": "x"}))).await.expect(403);
    house.client.post(&house.path("workspace"), new("workspace", json!({"name": "network"}))).await.expect(409);
    let template = house.template("Plan").await;
    let job = house.start(&workspace, json!({"templateReference": template})).await;
    house.give(&job, "cancelled").await.expect(204);
    let backend = format!("/tfstate/v1/organization/{}/workspace/{workspace}/backend", house.organization);
    let call =
        async |method: &str, path: &str, body: &str| house.client.raw_call(method, path, Some(body), &[]).await.0;
    let lock = json!({"ID": "1", "Who": "ann@laptop", "Operation": "OperationTypeApply"}).to_string();
    assert_eq!(call("LOCK", &backend, &lock).await, 200);
    let state = json!({"version": 4, "serial": 1, "lineage": "l", "outputs": {}, "resources": []}).to_string();
    assert_eq!(call("POST", &format!("{backend}?ID=1"), &state).await, 200);
    assert_eq!(call("UNLOCK", &backend, &lock).await, 200);
    house.client.delete(&path).await.expect(204);
    let all = [
        ("CREATE", ""),
        ("UPDATE", ""),
        ("LOCK", ""),
        ("UNLOCK", ""),
        ("CREATE", "SECRET"),
        ("CREATE", "WORKSPACE_JOB"),
        ("TRIGGER_CANCEL", "WORKSPACE_JOB"),
        ("LOCK", "WORKSPACE_STATE"),
        ("UPDATE", "WORKSPACE_STATE"),
        ("UNLOCK", "WORKSPACE_STATE"),
        ("DELETE", ""),
    ];
    assert_eq!(events(&house).await, expected(&all));
    // The API calls them what they are.
    let path = format!("/organization/{}/events?targetType=TERRAFORM&eventType=LOCK", house.organization);
    let shown = house.client.get(&path).await.expect(200)["events"].clone();
    assert_eq!((&shown[0]["target_kind"], &shown[1]["target_kind"]), (&json!("WORKSPACE_STATE"), &json!("WORKSPACE")));
    assert!(shown[0]["change"].as_str().unwrap().contains("ann@laptop"), "{shown}");
}

#[tokio::test]
async fn changes_by_the_cloud_api() {
    let house = House::new().await;
    let body = document("workspaces", json!({"name": "web", "execution-mode": "local"}));
    let workspace = id(&house.client.post(&house.cloud("workspaces"), body).await.expect(201));
    let path = format!("/api/v2/workspaces/{workspace}");
    let act = async |word: &str| house.client.post(&format!("{path}/actions/{word}"), json!({"reason": "r"})).await;
    act("lock").await.expect(200);
    act("lock").await.expect(409);
    act("unlock").await.expect(200);
    act("lock").await.expect(200);
    act("force-unlock").await.expect(200);
    let body = document("vars", json!({"key": "region", "value": "hush", "category": "terraform"}));
    let variable = id(&house.client.post(&format!("{path}/vars"), body).await.expect(201));
    let body = document("vars", json!({"description": "where"}));
    house.client.patch(&format!("{path}/vars/{variable}"), body).await.expect(200);
    house.client.delete(&format!("{path}/vars/{variable}")).await.expect(204);
    house.client.patch(&path, document("workspaces", json!({"description": "d"}))).await.expect(200);
    house.client.delete(&path).await.expect(204);
    let all = [
        ("CREATE", ""),
        ("LOCK", "WORKSPACE_STATE"),
        ("UNLOCK", "WORKSPACE_STATE"),
        ("LOCK", "WORKSPACE_STATE"),
        ("TERRAFORM_FORCE_UNLOCK_SUCCEEDED", "WORKSPACE_STATE"),
        ("CREATE", "VARIABLE"),
        ("UPDATE", "VARIABLE"),
        ("DELETE", "VARIABLE"),
        ("UPDATE", ""),
        ("DELETE", ""),
    ];
    assert_eq!(events(&house).await, expected(&all));
}

#[tokio::test]
async fn changes_in_the_console_are_told_in_words() {
    let house = House::new().await;
    let me = Browser::new(&house.app, house.organization, Role::Admin).await;
    let workspace = house.workspace("network").await;
    let page = format!("/console/workspace/{workspace}");
    me.submit(&page, &format!("{page}/lock"), &[("reason", "a <move>")]).await.leads();
    // Whoever changes something else does not become the one who has locked it.
    let shown = me.get(&page).await.expect(200);
    let said = between(&shown, "The workspace is locked by", ".").unwrap_or_default();
    assert!(said.contains("test") && said.contains("so that no new job starts: a &lt;move&gt;"), "{shown}");
    me.submit(&page, &format!("{page}/unlock"), &[]).await.leads();
    let form = format!("{page}/variables/new");
    me.submit(&form, &form, &[("key", "region"), ("value", "hush"), ("category", "TERRAFORM")]).await.leads();
    let form = format!("{page}/schedules/new");
    let template = house.template("Plan").await;
    me.submit(&form, &form, &[("cron", "0 5 * * *"), ("templateReference", &template), ("enabled", "on")])
        .await
        .leads();
    let form = format!("{page}/jobs/new");
    let to = me.submit(&form, &form, &[("templateReference", &template), ("comments", "manual run")]).await.leads();
    let job = between(&to, "/workspace-job/", "?").unwrap().to_owned();
    let to = format!("/console/workspace-job/{job}");
    me.submit(&to, &format!("{to}/review/cancel"), &[]).await.leads();
    let state = |serial: i64| {
        let output = json!({"one": {"value": serial, "type": "number"}});
        json!({"version": 4, "serial": serial, "lineage": "l", "outputs": output, "resources": []}).to_string()
    };
    let form = format!("{page}/state-import");
    for serial in [1, 2] {
        me.submit(&form, &form, &[("state", &state(serial)), ("reason", "moved here")]).await.leads();
    }
    let versions = house.get(&format!("workspace/{workspace}/history?sort=serial")).await;
    let form = format!("{page}/states/{}/rollback", versions["data"][0]["id"].as_str().unwrap());
    me.submit(&form, &form, &[("reason", "it broke")]).await.leads();
    events(&house).await;

    let list = format!("/console/organization/{}/settings/events", house.organization);
    let shown = me.get(&format!("{list}?what=TERRAFORM&of={workspace}")).await.expect(200);
    for text in [
        ">locked</span>",
        ">unlocked</span>",
        "variable region of the workspace",
        "schedule of the workspace",
        &format!("job {job} of the workspace"),
        ">cancelled</span>",
        ">imported</span>",
        ">rolled back</span>",
        "it broke",
        "a &lt;move&gt;",
        "in the console",
    ] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    for constant in [">TRIGGER_CANCEL<", ">CREATE<", ">CONSOLE<", "TERRAFORM WORKSPACE"] {
        assert!(!shown.contains(constant), "{constant}: {shown}");
    }
    assert!(me.get(&format!("{list}?what=JOB")).await.expect(200).contains("There are no events."));
    assert!(me.get(&page).await.expect(200).contains(&format!("{list}?of={workspace}")));
}
