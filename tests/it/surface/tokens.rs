//! Tokens of every kind: they end, they show their last use, and administrators list and revoke them.

use entity::id::OrganizationId;
use serde_json::{Value, json};

use crate::harness::{Client, TestApp, id};
use crate::jwt::{AUDIENCE, Issuer};

struct Site {
    app: TestApp,
    issuer: Issuer,
    client: Client,
    organization: OrganizationId,
}

impl Site {
    async fn new() -> Self {
        let issuer = Issuer::start().await;
        let app = TestApp::with_oidc(&issuer.url, AUDIENCE).await;
        // The administrators of the first organization reach the tokens of everybody.
        app.organization("server").await;
        let it = app.furnished().await;
        Self { app, issuer, client: it.client, organization: it.organization }
    }

    fn path(&self, rest: &str) -> String {
        format!("/organization/{}/{rest}", self.organization)
    }

    /// A person with these groups, now and until their next JWT.
    fn person(&self, name: &str, groups: Value) -> Client {
        let claims = json!({"sub": name, "name": name, "email": format!("{name}@example.com"), "groups": groups});
        self.app.client(Some(format!("Bearer {}", self.issuer.token(0, "one", claims))))
    }

    async fn join(&self, person: &Client, name: &str) {
        let body = json!({"email": format!("{name}@example.com"), "role": "VIEWER"});
        let invitation = id(&self.client.post(&self.path("inviteMember"), body).await.expect(201));
        person.post(&self.path(&format!("inviteMember/{invitation}")), json!({})).await.expect(201);
    }

    /// A personal token of somebody.
    async fn personal(&self, person: &Client, body: Value) -> Client {
        let made = person.post("/pat/v1", body).await.expect(201);
        self.app.client(Some(format!("Bearer {}", made["token"].as_str().unwrap())))
    }

    async fn access_tokens(&self) -> Vec<Value> {
        let list = self.client.get(&self.path("accessToken")).await.expect(200);
        list["results"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn an_api_token_ends_and_shows_its_last_use() {
    let site = Site::new().await;
    let path = site.path("apiToken");
    let made = site.client.post(&path, json!({"name": "usual", "role_id": null})).await.expect(201);
    assert_eq!((&made["expires_at"], &made["last_used_at"]), (&json!("2027-11-22T10:00:30.000000Z"), &json!(null)));
    let soon = json!({"name": "soon", "role_id": null, "expires_at": "2026-11-22T10:10:00Z"});
    let soon = site.client.post(&path, soon).await.expect(201);
    let past = json!({"name": "past", "role_id": null, "expires_at": "2026-11-22T10:00:00Z"});
    assert!(site.client.post(&path, past).await.detail(400).starts_with("expires_at"));
    let token = site.app.client(Some(format!("Token {}", soon["token"].as_str().unwrap())));
    site.app.clock.forward(60);
    token.get("/organization").await.expect(200);
    site.app.clock.forward(30);
    token.get("/organization").await.expect(200);
    let of = async |name: &str| {
        let list = site.client.get(&format!("{path}?name={name}")).await.expect(200);
        list["results"][0]["last_used_at"].clone()
    };
    // To within a minute.
    assert_eq!(of("soon").await, "2026-11-22T10:01:30.000000Z");
    assert_eq!(of("usual").await, json!(null));
    site.app.clock.set("2026-11-22T10:10:00Z");
    assert_eq!(token.get("/organization").await.status, 401);
}

/// With `--token-days 0`, as before.
#[tokio::test]
async fn tokens_need_not_end() {
    let app = TestApp::configured(|config| config.token_days = 0).await;
    let it = app.furnished().await;
    let path = format!("/organization/{}/apiToken", it.organization);
    let made = it.client.post(&path, json!({"name": "t", "role_id": null})).await.expect(201);
    assert_eq!(made["expires_at"], json!(null));
}

#[tokio::test]
async fn a_personal_token_has_the_groups_of_today_and_an_end() {
    let site = Site::new().await;
    let workspaces = format!("/api/v1/organization/{}/workspace", site.organization);
    let team = json!({"data": {"type": "team", "attributes": {"name": "OPS", "role": "read"}}});
    site.client.post(&format!("/api/v1/organization/{}/team", site.organization), team).await.expect(201);
    let token = site.personal(&site.person("ann", json!(["OPS"])), json!({"description": "ci"})).await;
    token.get(&workspaces).await.expect(200);
    let list = token.get("/pat/v1").await.expect(202);
    // No lifetime was asked for.
    assert_eq!((&list[0]["days"], &list[0]["lastUsedDate"]), (&json!(0), &json!("2026-11-22T10:00Z")));
    // The next JWT names other groups.
    site.person("ann", json!([])).get("/account").await.expect(200);
    site.app.clock.forward(1);
    assert_eq!(token.get(&workspaces).await.status, 404);
    site.person("ann", json!(["OPS", "OTHER"])).get("/account").await.expect(200);
    site.app.clock.forward(1);
    token.get(&workspaces).await.expect(200);
    site.app.clock.forward(365 * 86_400);
    assert_eq!(token.get(&workspaces).await.status, 401);
}

#[tokio::test]
async fn administrators_list_and_revoke_tokens_of_every_kind() {
    let site = Site::new().await;
    let (ann, eve) = (site.person("ann", json!(["OPS"])), site.person("eve", json!(["OPS"])));
    site.join(&ann, "ann").await;
    let personal = site.personal(&ann, json!({"description": "laptop", "days": 3})).await;
    let of_team = ann.post("/access-token/v1/teams", json!({"group": "OPS", "description": "ci"})).await.expect(201);
    let of_team = site.app.client(Some(format!("Bearer {}", of_team["token"].as_str().unwrap())));
    // Eve is no member: her tokens are nobody else's business, although a team has the name of her group.
    let foreign = site.personal(&eve, json!({"description": "foreign"})).await;
    eve.post("/access-token/v1/teams", json!({"group": "OPS", "description": "foreign"})).await.expect(201);
    let team = json!({"data": {"type": "team", "attributes": {"name": "OPS", "role": "admin"}}});
    site.client.post(&format!("/api/v1/organization/{}/team", site.organization), team).await.expect(201);
    personal.get("/account").await.expect(200);
    let all = site.access_tokens().await;
    let mut shown: Vec<_> =
        all.iter().map(|row| (row["kind"].as_str().unwrap(), row["description"].as_str().unwrap())).collect();
    shown.sort_unstable();
    assert_eq!(shown, [("PERSONAL", "laptop"), ("TEAM", "ci")]);
    let laptop = all.iter().find(|row| row["kind"] == "PERSONAL").unwrap();
    assert_eq!(
        (&laptop["name"], &laptop["expires_at"], &laptop["last_used_at"]),
        (&json!("ann"), &json!("2026-11-25T10:00:30.000000Z"), &json!("2026-11-22T10:00:30.000000Z"))
    );
    // Viewers do not.
    assert_eq!(ann.get(&site.path("accessToken")).await.status, 403);
    assert_eq!(ann.delete(&site.path(&format!("accessToken/{}", id(laptop)))).await.status, 403);
    for row in &all {
        site.client.delete(&site.path(&format!("accessToken/{}", id(row)))).await.expect(204);
    }
    assert_eq!(personal.get("/account").await.status, 401);
    assert_eq!(of_team.get("/access-token/v1/teams/current-teams").await.status, 401);
    assert!(site.access_tokens().await.is_empty());
    foreign.get("/account").await.expect(200);
    let events = site.client.get(&site.path("events?subTargetType=API_TOKEN&eventType=DELETE")).await.expect(200);
    let events = events["events"].as_array().unwrap();
    assert_eq!(events.len(), 2, "{events:?}");
    assert!(events.iter().all(|event| event["target_kind"] == "API_TOKEN"), "{events:?}");
}

/// The administrators of the first organization run the server.
#[tokio::test]
async fn the_first_organization_reaches_the_tokens_of_everybody() {
    let site = Site::new().await;
    let first = windlass::store::organization::first(&site.app.app.db).await.unwrap().unwrap();
    assert_ne!(first, site.organization);
    let eve = site.person("eve", json!([]));
    let token = site.personal(&eve, json!({"description": "foreign"})).await;
    token.get("/account").await.expect(200);
    let admin = site.app.token(first, entity::member::Role::Admin).await;
    let path = format!("/organization/{first}/accessToken");
    let list = admin.get(&path).await.expect(200);
    let one = id(&list["results"][0]);
    // Out of reach for the others.
    assert_eq!(site.client.delete(&site.path(&format!("accessToken/{one}"))).await.status, 404);
    admin.delete(&format!("{path}/{one}")).await.expect(204);
    assert_eq!(token.get("/account").await.status, 401);
}
