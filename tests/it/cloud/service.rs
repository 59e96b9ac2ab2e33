//! What programs ask before anything else: where the API is, who they are, and what an organization offers.

use entity::member::Role;
use serde_json::json;

use super::detail;
use crate::terrakube::House;

#[tokio::test]
async fn the_services_and_the_version() {
    let house = House::new().await;
    let nobody = house.client.with(None);
    let services = nobody.get("/.well-known/terraform.json").await.expect(200);
    for name in ["tfe.v2", "tfe.v2.1", "tfe.v2.2"] {
        assert_eq!(services[name], "/api/v2/", "{name}");
    }
    assert_eq!(
        (&services["login.v1"]["authz"], &services["login.v1"]["token"]),
        (&json!("/console/authorize"), &json!("/oauth/token"))
    );
    let (status, headers) = house.client.headers("GET", "/api/v2/ping", None).await;
    assert_eq!((status, headers["tfp-api-version"].to_str().unwrap()), (204, "2.6"));
    // Plans are shown from their logs, as long as this header is not there.
    assert!(!headers.contains_key("tfp-appname"));
    let (status, headers) = house.client.headers("GET", "/app/settings/tokens?source=terraform-login", None).await;
    assert_eq!((status, headers["location"].to_str().unwrap()), (303, "/console/account/tokens"));
}

#[tokio::test]
async fn accounts_and_organizations() {
    let house = House::new().await;
    let account = house.client.get("/api/v2/account/details").await.expect(200);
    assert_eq!(account["data"]["attributes"], json!({"username": "test", "email": null, "is-service-account": true}));
    let by_name = house.client.get("/api/v2/organizations/acme").await.expect(200);
    let by_id = house.client.get(&format!("/api/v2/organizations/{}", house.organization)).await.expect(200);
    assert_eq!(by_name, by_id);
    assert_eq!(
        (&by_name["data"]["id"], by_name["data"]["attributes"]["permissions"]["can-create-workspace"] == true),
        (&json!("acme"), true)
    );
    let offers = house.client.get(&house.cloud("entitlement-set")).await.expect(200);
    assert_eq!(offers["data"]["attributes"]["operations"], true);
    // Somebody else's organization is as good as none.
    let other = house.app.organization("other").await;
    let stranger = house.app.token(other, Role::Admin).await;
    for path in ["/api/v2/organizations/acme", "/api/v2/organizations/acme/entitlement-set"] {
        assert_eq!(detail(stranger.get(path).await, 404), "organization not found");
    }
    let viewer = house.app.token(house.organization, Role::Viewer).await;
    let seen = viewer.get("/api/v2/organizations/acme").await.expect(200);
    assert_eq!(seen["data"]["attributes"]["permissions"]["can-create-workspace"], false);
    let billing = house.app.token(house.organization, Role::Billing).await;
    assert_eq!(billing.get("/api/v2/organizations/acme").await.status, 404);
}

/// Two organizations of one name are told apart by their ids.
#[tokio::test]
async fn a_name_that_several_organizations_have() {
    let house = House::new().await;
    let twin = house.app.organization("acme").await;
    // Nobody else is in both of them.
    house.client.get("/api/v2/organizations/acme").await.expect(200);
    house.create("team", "team", json!({"name": "BOTH", "role": "admin"})).await;
    let admin = house.app.token(twin, Role::Admin).await;
    let team = crate::terrakube::new("team", json!({"name": "BOTH", "role": "admin"}));
    admin.post(&format!("/api/v1/organization/{twin}/team"), team).await.expect(201);
    let both = house.of_groups(&["BOTH"]).await;
    assert!(detail(both.get("/api/v2/organizations/acme").await, 409).contains("write the id"));
    both.get(&format!("/api/v2/organizations/{twin}")).await.expect(200);
}

#[tokio::test]
async fn a_workspace_by_its_name_and_its_id() {
    let house = House::new().await;
    let id = house.workspace("network").await;
    let by_name = house.client.get(&house.cloud("workspaces/network")).await.expect(200);
    let by_id = house.client.get(&format!("/api/v2/workspaces/{id}")).await.expect(200);
    assert_eq!(by_name, by_id);
    let shown = &by_id["data"]["attributes"];
    assert_eq!(
        (&shown["name"], &shown["execution-mode"], &shown["locked"], &shown["terraform-version"]),
        (&json!("network"), &json!("remote"), &json!(false), &json!("latest"))
    );
    assert!(
        shown["permissions"].as_object().unwrap().iter().all(|(name, may)| *may == (name != "can-manage-run-tasks"))
    );
    assert_eq!(by_id["data"]["relationships"]["organization"]["data"]["id"], "acme");
    let viewer = house.app.token(house.organization, Role::Viewer).await;
    let seen = viewer.get(&house.cloud("workspaces/network")).await.expect(200);
    let may = &seen["data"]["attributes"]["permissions"];
    assert_eq!(
        (&may["can-read-run"], &may["can-queue-run"], &may["can-lock"]),
        (&json!(true), &json!(false), &json!(false))
    );
    let other = house.app.organization("other").await;
    let stranger = house.app.token(other, Role::Admin).await;
    assert_eq!(detail(stranger.get(&format!("/api/v2/workspaces/{id}")).await, 404), "workspace not found");
    for path in [house.cloud("workspaces/nothing"), "/api/v2/workspaces/no-id".to_owned()] {
        assert_eq!(detail(house.client.get(&path).await, 404), "workspace not found");
    }
}
