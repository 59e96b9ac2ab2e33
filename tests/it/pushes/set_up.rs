//! Webhooks as resources: the requests of Terrakube's clients, and what is refused.

use poem::http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::payloads::{NEW, push};
use super::{Followed, SECRET};
use crate::terrakube::{House, change, detail, id, new};

const ATOMIC: &str = "application/vnd.api+json;ext=\"https://jsonapi.org/ext/atomic\"";

async fn operations(house: &House, all: Value) -> Value {
    let body = json!({"atomic:operations": all}).to_string();
    let headers = [("content-type", ATOMIC), ("accept", ATOMIC)];
    house.client.call_with(Method::POST, "/api/v1/operations", Some(&body), &headers).await.expect(200)
}

/// The user interface and the Terraform provider of Terrakube create a webhook at the relationship of the workspace, by operations.
#[tokio::test]
async fn the_requests_of_terrakubes_clients() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let template = house.template("Plan").await;
    let base = format!("/organization/{}/workspace/{workspace}/webhook", house.organization);
    let (hook, event) = (Uuid::now_v7().to_string(), Uuid::now_v7().to_string());
    let attributes = json!({"priority": "1", "event": "PUSH", "branch": "main", "path": ".*", "templateId": template,
        "prWorkflowEnabled": false});
    let done = operations(
        &house,
        json!([
            {"op": "add", "href": base, "data": {"type": "webhook", "id": hook},
             "relationships": {"events": {"data": [{"type": "webhook_event", "id": event}]}}},
            {"op": "add", "href": format!("{base}/{hook}/events"),
             "data": {"type": "webhook_event", "id": event, "attributes": attributes}},
        ]),
    )
    .await;
    assert_eq!(done["atomic:results"][0]["data"]["id"], hook);
    let path = |rest: &str| house.path(&format!("workspace/{workspace}/webhook{rest}"));
    let read = house.client.get(&path(&format!("/{hook}"))).await.expect(200);
    assert_eq!(read["data"]["attributes"]["migratedV2"], false);
    assert!(read["data"]["attributes"]["url"].as_str().unwrap().ends_with(&format!("/webhook/v2/{hook}")));
    let listed = house.client.get(&path(&format!("/{hook}/events"))).await.expect(200);
    assert_eq!((&listed["data"][0]["id"], &listed["data"][0]["attributes"]["priority"]), (&json!(event), &json!(1)));
    let whole = house.get(&format!("workspace/{workspace}?include=webhook")).await;
    assert_eq!(whole["data"]["relationships"]["webhook"]["data"]["id"], hook);
    assert_eq!(whole["included"][0]["type"], "webhook");
    // Later, the same with changes.
    let changed =
        json!({"priority": 2, "event": "PULL_REQUEST", "branch": "main", "path": "a/.*", "templateId": template});
    operations(
        &house,
        json!([
            {"op": "update", "href": base, "data": {"type": "webhook", "id": hook}},
            {"op": "update", "href": format!("{base}/{hook}/events/{event}"),
             "data": {"type": "webhook_event", "id": event, "attributes": changed}},
        ]),
    )
    .await;
    let one = house.client.get(&format!("/api/v1/webhook_event/{event}")).await.expect(200);
    assert_eq!(one["data"]["attributes"]["event"], "PULL_REQUEST");
    assert_eq!(house.client.delete(&path(&format!("/{hook}/events/{event}"))).await.status, 204);
    assert_eq!(house.client.delete(&path(&format!("/{hook}"))).await.status, 204);
    assert_eq!(house.client.get(&path(&format!("/{hook}"))).await.status, 404);
    assert_eq!(
        house.get(&format!("workspace/{workspace}")).await["data"]["relationships"]["webhook"]["data"],
        json!(null)
    );
}

#[tokio::test]
async fn what_is_refused() {
    let it = Followed::new().await;
    let path = it.house.path(&format!("workspace/{}/webhook", it.workspace));
    let again = it.house.client.post(&path, new("webhook", json!({}))).await;
    assert!(detail(again, 409).contains("has a webhook already"));
    let short = change("webhook", &it.hook, json!({"secret": "short"}));
    assert!(detail(it.house.client.patch(&format!("/api/v1/webhook/{}", it.hook), short).await, 400).contains("16"));
    for (attributes, expected) in [
        (json!({"event": "RELEASE"}), "event: must be one of PUSH, PULL_REQUEST"),
        (json!({"event": "PUSH", "branch": "("}), "branch: has the pattern"),
        (json!({"event": "PUSH", "path": "*.tf"}), "path: has the pattern"),
        (json!({"event": "PULL_REQUEST", "prApplyEnabled": true}), "prApplyEnabled: must be false"),
        (json!({"event": "PUSH", "templateId": Uuid::nil().to_string()}), "templateId: Unknown identifier"),
        (json!({"event": "PUSH"}), "templateId: is missing"),
    ] {
        let text = detail(it.add_event(attributes).await, 400);
        assert!(text.starts_with(expected), "{text}");
    }
    let path = format!("/api/v1/workspace/{}/relationships/webhook", it.workspace);
    let media = [("content-type", "application/vnd.api+json")];
    let (status, text) = it.house.client.raw_call("PATCH", &path, Some(r#"{"data":null}"#), &media).await;
    assert!(status == 400 && text.contains("read-only"), "{status} {text}");
    // A webhook at the root names its workspace, and an event its webhook.
    let other = it.house.workspace("other").await;
    let mut wanted = new("webhook", json!({"secret": "a secret that is long"}));
    wanted["data"]["relationships"] = json!({"workspace": {"data": {"type": "workspace", "id": other}}});
    let (status, text) = it.house.client.raw_call("POST", "/api/v1/webhook", Some(&wanted.to_string()), &media).await;
    assert_eq!(status, 201, "{text}");
    let hook = id(&serde_json::from_str::<Value>(&text).unwrap());
    let mut event = new("webhook_event", json!({"event": "PUSH", "templateId": it.house.template("Plan").await}));
    event["data"]["relationships"] = json!({"webhook": {"data": {"type": "webhook", "id": hook}}});
    let (status, text) =
        it.house.client.raw_call("POST", "/api/v1/webhook_event", Some(&event.to_string()), &media).await;
    assert_eq!(status, 201, "{text}");
    // The secret is never shown.
    let text = it.house.client.raw_call("GET", "/api/v1/webhook", None, &[]).await.1;
    assert!(text.contains(&it.hook) && !text.contains(SECRET), "{text}");
}

#[tokio::test]
async fn a_deleted_workspace_and_a_replaced_secret() {
    let it = Followed::new().await;
    it.event(json!({"event": "PUSH"})).await;
    let path = format!("/api/v1/webhook/{}", it.hook);
    let other = change("webhook", &it.hook, json!({"secret": "another secret of the test"}));
    it.house.client.patch(&path, other).await.expect(204);
    assert_eq!(it.github("push", "1", &push("main", NEW, &[])).await.status, 401);
    let back = change("webhook", &it.hook, json!({"secret": SECRET, "migratedV2": true}));
    it.house.client.patch(&path, back).await.expect(204);
    let gone = change("workspace", &it.workspace, json!({"deleted": true}));
    it.house.client.patch(&it.house.path(&format!("workspace/{}", it.workspace)), gone).await.expect(204);
    assert_eq!(it.github("push", "2", &push("main", NEW, &[])).await.status, 404);
}
