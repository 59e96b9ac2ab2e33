//! Organizations, projects and API tokens.

use entity::member::Role;
use serde_json::{Value, json};

use crate::harness::{TestApp, id};

#[tokio::test]
async fn a_token_sees_its_own_organization() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    app.organization("other").await;
    let list = it.client.get("/organization").await.expect(200);
    assert_eq!(list["results"].as_array().unwrap().len(), 1);
    let path = format!("/organization/{}", it.organization);
    assert_eq!(it.client.get(&path).await.expect(200), list["results"][0]);
    let body = json!({"name": "acme 2", "plan": "TEAM", "description": "text", "website_url": null, "admin_emails": ["a@b.c"]});
    let edited = it.client.put(&path, body).await.expect(200);
    assert_eq!(
        (&edited["name"], &edited["plan"], &edited["admin_emails"]),
        (&json!("acme 2"), &json!("TEAM"), &json!(["a@b.c"]))
    );
    let kept = it.client.put(&path, json!({"name": "acme 2", "plan": "TEAM"})).await.expect(200);
    assert_eq!((&kept["description"], &kept["admin_emails"]), (&json!("text"), &json!(["a@b.c"])));
    let cleared =
        it.client.put(&path, json!({"name": "acme 2", "plan": "TEAM", "description": null})).await.expect(200);
    assert_eq!(cleared["description"], Value::Null);
    for body in [json!({"name": ""}), json!({"plan": "GOLD"}), json!({"admin_emails": "x"})] {
        it.client.put(&path, body).await.expect(400);
    }
    let detail = it.client.post("/organization", json!({"name": "mine", "plan": "FREE"})).await.detail(403);
    assert!(detail.contains("person"), "{detail}");
}

#[tokio::test]
async fn projects() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let list = format!("/organization/{}/project", it.organization);
    let made = it.client.post(&list, json!({"name": "Second"})).await.expect(200);
    assert_eq!((&made["description"], &made["associated_environments_count"]), (&json!(""), &json!(0)));
    let found = it.client.get(&list).await.expect(200);
    let counts: Vec<&Value> =
        found["results"].as_array().unwrap().iter().map(|p| &p["associated_environments_count"]).collect();
    assert_eq!(counts, [&json!(1), &json!(0)]);
    let own = format!("/project/{}", id(&made));
    it.client.post(&list, json!({"name": "second "})).await.expect(409);
    it.client.put(&own, json!({"name": "SHOP"})).await.expect(409);
    let edited = it.client.put(&own, json!({"name": "Third", "description": "d"})).await.expect(200);
    assert_eq!(it.client.get(&own).await.expect(200), edited);
    for body in [json!({}), json!({"name": " "}), json!({"name": [5]})] {
        let detail = it.client.post(&list, body).await.detail(400);
        assert!(detail.starts_with("name:"), "{detail}");
    }
    let detail = it.client.delete(&format!("/project/{}", it.project)).await.detail(409);
    assert!(detail.contains("environments"), "{detail}");
    it.client.delete(&own).await.expect(204);
    it.client.get(&own).await.expect(404);
}

#[tokio::test]
async fn tokens_are_shown_once_and_revoked_at_once() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = format!("/organization/{}/apiToken", it.organization);
    let made = it.client.post(&path, json!({"name": "ci", "description": "d", "role_id": null})).await.expect(201);
    let token = made["token"].as_str().unwrap();
    assert_eq!((&made["role_name"], token.starts_with("windlass_")), (&json!("admin"), true));
    let list = it.client.get(&path).await.expect(200);
    assert!(!list.to_string().contains(token));
    assert_eq!(it.client.get(&format!("{path}?name=ci")).await.expect(200)["results"].as_array().unwrap().len(), 1);
    let machine = it.client.with(Some(&format!("Token {token}")));
    machine.get("/organization").await.expect(200);
    it.client.delete(&format!("{path}/{}", id(&made))).await.expect(204);
    machine.get("/organization").await.expect(401);
    it.client.delete(&format!("{path}/{}", id(&made))).await.expect(404);
    for body in
        [json!({"role_id": null}), json!({"name": "x", "role_id": it.project}), json!({"name": "x", "role_id": "y"})]
    {
        it.client.post(&path, body).await.expect(400);
    }
    it.client.get(&format!("{path}?creatorName=x")).await.expect(400);
}

/// Only the hash of a token is stored.
#[tokio::test]
async fn the_database_does_not_hold_tokens() {
    let app = TestApp::new().await;
    let organization = app.organization("acme").await;
    let client = app.token(organization, Role::Admin).await;
    let secret = client.authorization().trim_start_matches("Token ");
    let rows = windlass::store::token::list_by_organization(&app.app.db, organization).await.unwrap();
    assert_eq!(rows[0].hash, windlass::secret::TokenHash::of(secret).stored());
    assert!(!format!("{rows:?}").contains(secret));
}
