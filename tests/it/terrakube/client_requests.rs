//! Requests in the form in which Terrakube's own clients send them.

use serde_json::json;

use super::{House, change, detail, new};

/// As the command line sends it: all attributes that it knows, and an action.
#[tokio::test]
async fn a_job_as_the_command_line_asks_for_it() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let everything = |command: &str| {
        json!({
            "command": command, "output": "", "status": "", "approvalTeam": null, "comments": null, "tcl": null,
            "templateReference": null, "via": null, "createdBy": null, "overrideSource": null, "prNumber": null, "overrideBranch": "",
        })
    };
    let job = house.start(&workspace, everything("apply")).await;
    let shown = house.get(&format!("job/{job}")).await["data"]["attributes"].clone();
    assert_eq!(
        (&shown["via"], &shown["templateReference"]),
        (&json!("UI"), &json!(house.template("Plan and apply").await))
    );
    let mut body = new("job", everything("sing"));
    body["data"]["relationships"] = json!({"workspace": {"data": {"type": "workspace", "id": workspace}}});
    assert!(detail(house.client.post(&house.path("job"), body).await, 400).contains("sing"));
    // A comment can be changed alone; an open job cannot be deleted.
    house
        .client
        .patch(&house.path(&format!("job/{job}")), change("job", &job, json!({"comments": "why"})))
        .await
        .expect(204);
    assert!(detail(house.client.delete(&house.path(&format!("job/{job}"))).await, 409).contains("cancel"));
    house.give(&job, "cancelled").await.expect(204);
    house.client.delete(&house.path(&format!("job/{job}"))).await.expect(204);
    assert_eq!(house.get("job").await["data"], json!([]));
    let context = format!("/context/v1/{}", house.start(&workspace, everything("plan")).await);
    assert_eq!(house.client.get(&context).await.expect(200), json!({}));
    house.client.post(&context, json!({"tabs": [1]})).await.expect(200);
    assert_eq!(house.client.get(&context).await.expect(200), json!({"tabs": [1]}));
}

#[tokio::test]
async fn teams_of_clients_that_know_one_right() {
    let house = House::new().await;
    let team = house.create("team", "team", json!({"name": "OPS", "manageJob": true, "role": null})).await;
    let shown = house.get(&format!("team/{team}")).await["data"]["attributes"].clone();
    assert_eq!((&shown["planJob"], &shown["approveJob"]), (&json!(true), &json!(true)));
    let team = house
        .create("team", "team", json!({"name": "DEV", "manageJob": true, "planJob": true, "approveJob": false}))
        .await;
    assert_eq!(house.get(&format!("team/{team}")).await["data"]["attributes"]["approveJob"], false);
}
