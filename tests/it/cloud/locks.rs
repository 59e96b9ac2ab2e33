//! The lock of a workspace is that of its state, whoever takes it.

use entity::member::Role;
use serde_json::{Value, json};

use crate::harness::{Answer, Client};
use crate::terrakube::House;

fn title(answer: Answer, status: u16) -> String {
    answer.expect(status)["errors"][0]["title"].as_str().unwrap().to_owned()
}

async fn act(client: &Client, id: &str, action: &str) -> Answer {
    client.post(&format!("/api/v2/workspaces/{id}/actions/{action}"), json!({"reason": "I work on it."})).await
}

#[tokio::test]
async fn a_workspace_is_locked_once() {
    let house = House::new().await;
    let id = house.workspace("network").await;
    let other = house.app.token(house.organization, Role::Admin).await;
    let viewer = house.app.token(house.organization, Role::Viewer).await;
    let locked = act(&house.client, &id, "lock").await.expect(200);
    let shown = &locked["data"]["attributes"];
    assert_eq!((&shown["locked"], &shown["lock-reason"]), (&json!(true), &json!("I work on it.")));
    assert_eq!(
        title(act(&house.client, &id, "lock").await, 409),
        "workspace already locked: network is locked by User"
    );
    let refused = act(&other, &id, "unlock").await.expect(409);
    let error = &refused["errors"][0];
    assert_eq!(error["title"], "unable to unlock the workspace: network is locked by User");
    assert!(error["detail"].as_str().unwrap().contains("held by test (I work on it.)"), "{error}");
    for action in ["lock", "unlock", "force-unlock"] {
        assert_eq!(act(&viewer, &id, action).await.status, 403, "{action}");
    }
    let free = act(&house.client, &id, "unlock").await.expect(200);
    assert_eq!(free["data"]["attributes"]["locked"], false);
    assert_eq!(title(act(&house.client, &id, "unlock").await, 409), "workspace already unlocked");
    act(&house.client, &id, "lock").await.expect(200);
    act(&other, &id, "force-unlock").await.expect(200);
    assert_eq!(title(act(&other, &id, "force-unlock").await, 409), "workspace already unlocked");
    // A program may send no reason.
    house
        .client
        .call("POST".parse().unwrap(), &format!("/api/v2/workspaces/{id}/actions/lock"), None)
        .await
        .expect(200);
}

#[tokio::test]
async fn it_is_the_lock_of_the_state_backend() {
    let house = House::new().await;
    let id = house.workspace("network").await;
    let backend = format!("/tfstate/v1/organization/{}/workspace/{id}/backend", house.organization);
    let lock = json!({"ID": "1", "Who": "ann@laptop", "Operation": "OperationTypePlan"}).to_string();
    let call = async |method: &str, body: &str| house.client.raw_call(method, &backend, Some(body), &[]).await;
    assert_eq!(call("LOCK", &lock).await.0, 200);
    let refused = act(&house.client, &id, "lock").await.expect(409);
    assert!(refused["errors"][0]["detail"].as_str().unwrap().contains("ann@laptop"), "{refused}");
    assert_eq!(act(&house.client, &id, "unlock").await.status, 409);
    assert_eq!(call("UNLOCK", &lock).await.0, 200);
    act(&house.client, &id, "lock").await.expect(200);
    let (status, held) = call("LOCK", &lock).await;
    let held: Value = serde_json::from_str(&held).unwrap();
    assert_eq!((status, &held["Who"], &held["Operation"]), (423, &json!("test"), &json!("I work on it.")));
    let state = json!({"version": 4, "serial": 1, "lineage": "x", "outputs": {}, "resources": []}).to_string();
    assert_eq!(call("POST", &state).await.0, 423);
}

/// A workspace that is blocked for jobs is locked, and the console unblocks it.
#[tokio::test]
async fn a_blocked_workspace_is_locked() {
    let house = House::new().await;
    let id = house.workspace("network").await;
    let block = crate::terrakube::change("workspace", &id, json!({"locked": true, "lockDescription": "audit"}));
    house.client.patch(&format!("/api/v1/workspace/{id}"), block).await.expect(204);
    let seen = house.client.get(&format!("/api/v2/workspaces/{id}")).await.expect(200);
    assert_eq!(
        (&seen["data"]["attributes"]["locked"], &seen["data"]["attributes"]["lock-reason"]),
        (&json!(true), &json!("audit"))
    );
    let refused = act(&house.client, &id, "lock").await.expect(409);
    assert!(refused["errors"][0]["detail"].as_str().unwrap().contains("audit"), "{refused}");
    for action in ["unlock", "force-unlock"] {
        assert_eq!(act(&house.client, &id, action).await.status, 409, "{action}");
    }
}
