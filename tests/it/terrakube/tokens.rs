//! Personal and team tokens: JWTs of this server, and the person behind the first token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entity::id::AccessTokenId;
use entity::member::Role;
use entity::signing_key;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use sea_orm::{EntityTrait as _, PaginatorTrait as _};
use serde_json::{Value, json};
use windlass::access::own_jwt::{self, OwnClaims};
use windlass::app::App;
use windlass::clock::Clock;
use windlass::secret::{TokenHash, fingerprint};

use super::{House, detail, id, new};
use crate::harness::{Client, TestApp, config, database};
use crate::jwt::{AUDIENCE, Issuer};

/// A part of a JWT.
fn part(token: &str, place: usize) -> Value {
    let text = token.split('.').nth(place).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

fn bearer(client: &Client, token: &str) -> Client {
    client.with(Some(&format!("Bearer {token}")))
}

impl House {
    /// A team token, as its owner gets it.
    async fn team_token(&self, body: Value) -> String {
        let ops = self.of_groups(&["OPS"]).await;
        ops.post("/access-token/v1/teams", body).await.expect(201)["token"].as_str().unwrap().to_owned()
    }

    async fn with_ops() -> Self {
        let house = Self::new().await;
        house.create("team", "team", json!({"name": "OPS", "role": "read"})).await;
        house
    }

    async fn sees(&self, authorization: &str) -> u16 {
        self.client.with(Some(authorization)).get(&self.path("workspace")).await.status
    }

    /// The only key that signs tokens, in the clear.
    async fn signing_key(&self) -> (String, Vec<u8>) {
        let rows = signing_key::Entity::find().all(&self.app.app.db).await.unwrap();
        assert_eq!(rows.len(), 1);
        let place = windlass::secret::place("signing_key", rows[0].id.0);
        (rows[0].id.to_string(), self.app.app.keys.open(&place, &rows[0].sealed).unwrap().expose().clone())
    }
}

#[tokio::test]
async fn a_team_token_has_claims_and_is_revoked_by_its_id() {
    let house = House::with_ops().await;
    let ops = house.of_groups(&["OPS"]).await;
    let token = house.team_token(json!({"group": "OPS", "minutes": "5", "description": "ci"})).await;
    let claims = part(&token, 1);
    assert_eq!(part(&token, 0)["alg"], "HS256");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);
    assert_eq!((&claims["groups"], &claims["description"]), (&json!(["OPS"]), &json!("ci")));
    let list = ops.get("/access-token/v1/teams").await;
    assert!(!list.text.contains(&token) && !list.text.contains(token.rsplit('.').next().unwrap()));
    let list = list.expect(202);
    let row = list.as_array().unwrap().iter().find(|row| row["id"] == claims["jti"]).unwrap();
    assert_eq!((&row["group"], &row["minutes"], &row["description"]), (&json!("OPS"), &json!(5), &json!("ci")));
    // Clients choose a scheme by what a token looks like.
    for scheme in ["Bearer", "Token", "bearer"] {
        assert_eq!(house.sees(&format!("{scheme} {token}")).await, 200, "{scheme}");
    }
    // What was asked for is listed, so that a client that compares it creates no other token.
    for asked in [[0, 0, 0], [0, 30, 90]] {
        let [days, hours, minutes] = asked;
        let body = json!({"group": "OPS", "days": days, "hours": hours, "minutes": minutes});
        let other = part(&house.team_token(body).await, 1);
        assert!(other["exp"].is_i64(), "the server sets an end");
        let list = ops.get("/access-token/v1/teams").await.expect(202);
        let row = list.as_array().unwrap().iter().find(|row| row["id"] == other["jti"]).unwrap();
        assert_eq!(json!([row["days"], row["hours"], row["minutes"]]), json!(asked));
    }
    let restarted = house.app.restarted().await;
    assert_eq!(bearer(&restarted.client(None), &token).get(&house.path("workspace")).await.status, 200);
    let revoked = house.team_token(json!({"group": "OPS"})).await;
    let path = format!("/access-token/v1/teams/{}", part(&revoked, 1)["jti"].as_str().unwrap());
    assert_eq!(house.sees(&format!("Bearer {revoked}")).await, 200);
    ops.delete(&path).await.expect(202);
    assert_eq!(house.sees(&format!("Bearer {revoked}")).await, 401);
    house.app.clock.forward(301);
    assert_eq!(house.sees(&format!("Bearer {token}")).await, 401);
    for (body, field) in [
        (json!({"group": "OPS", "days": "many"}), "days must be a whole number from 0 to 36500"),
        (json!({"group": "OPS", "minutes": -1}), "minutes must be a whole number from 0 to 36500"),
        (json!({"group": 7}), "group must be a text"),
        (json!([]), "the body must be an object"),
    ] {
        assert!(detail(ops.post("/access-token/v1/teams", body).await, 400).starts_with(field), "{field}");
    }
}

#[tokio::test]
async fn a_signature_is_not_enough_and_nothing_else_will_do() {
    let house = House::with_ops().await;
    let token = house.team_token(json!({"group": "OPS", "days": 1})).await;
    let (kid, key) = house.signing_key().await;
    let signed = |algorithm: Algorithm, kid: &str, key: &[u8], claims: &Value| {
        let header = Header { kid: Some(kid.to_owned()), ..Header::new(algorithm) };
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(key)).unwrap()
    };
    let claims = part(&token, 1);
    let mut other = claims.clone();
    other["groups"] = json!(["ADMINS"]);
    let (head, body) = (token.split('.').next().unwrap(), token.split('.').nth(1).unwrap());
    let none = URL_SAFE_NO_PAD.encode(json!({"alg": "none", "typ": "JWT", "kid": kid}).to_string());
    let unknown = uuid::Uuid::nil().to_string();
    for (number, forged) in [
        signed(Algorithm::HS256, &kid, &[7; 32], &claims),
        signed(Algorithm::HS384, &kid, &key, &claims),
        signed(Algorithm::HS256, &unknown, &key, &claims),
        // Signed by the server's own key, but never issued.
        signed(Algorithm::HS256, &kid, &key, &other),
        format!("{none}.{body}."),
        format!("{head}.{body}."),
        format!("{head}.{}.{}", URL_SAFE_NO_PAD.encode(other.to_string()), token.rsplit('.').next().unwrap()),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(house.sees(&format!("Bearer {forged}")).await, 401, "number {number}");
    }
    assert_eq!(house.sees(&format!("Bearer {token}")).await, 200);
}

/// Neither is taken for the other, whatever its claims say.
#[tokio::test]
async fn own_tokens_and_those_of_an_issuer_are_kept_apart() {
    let issuer = Issuer::start().await;
    let house = House::of(TestApp::with_oidc(&issuer.url, AUDIENCE).await).await;
    let alice = bearer(&house.client, &issuer.token(0, "one", json!({})));
    let made = alice.post("/pat/v1", json!({"days": 1, "description": "mine"})).await.expect(201);
    let token = made["token"].as_str().unwrap();
    let sees = async |token: &str| bearer(&house.client, token).get("/organization").await.status;
    assert_eq!((sees(token).await, sees(&issuer.token(0, "one", json!({}))).await), (200, 200));
    let own = part(token, 1);
    // The issuer signs the claims of a token of this server.
    let borrowed = json!({"iss": own["iss"], "aud": own["aud"], "jti": own["jti"], "sub": own["sub"]});
    assert_eq!(sees(&issuer.token(0, "one", borrowed)).await, 401);
    // This server's key signs the claims of the issuer.
    let (kid, key) = house.signing_key().await;
    let header = Header { kid: Some(kid), ..Header::new(Algorithm::HS256) };
    let mut claims = part(&issuer.token(0, "one", json!({})), 1);
    claims["jti"] = own["jti"].clone();
    assert_eq!(sees(&jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&key)).unwrap()).await, 401);
    let list = alice.get("/pat/v1").await.expect(202);
    assert_eq!((&list[0]["id"], &list[0]["description"], &list[0]["days"]), (&own["jti"], &json!("mine"), &json!(1)));
    alice.delete(&format!("/pat/v1/{}", own["jti"].as_str().unwrap())).await.expect(202);
    assert_eq!(sees(token).await, 401);
}

#[tokio::test]
async fn servers_that_need_the_first_key_at_once_create_one() {
    let house = House::with_ops().await;
    let others = [house.app.restarted().await, house.app.restarted().await, house.app.restarted().await];
    let ops = house.of_groups(&["OPS"]).await;
    let authorization = ops.authorization().to_owned();
    let clients: Vec<Client> = others.iter().map(|app| app.client(None).with(Some(&authorization))).collect();
    let ask = async |client: &Client| {
        let made = client.post("/access-token/v1/teams", json!({"group": "OPS", "days": 1})).await.expect(201);
        made["token"].as_str().unwrap().to_owned()
    };
    let (a, b, c) = tokio::join!(ask(&clients[0]), ask(&clients[1]), ask(&clients[2]));
    assert_eq!(signing_key::Entity::find().count(&house.app.app.db).await.unwrap(), 1);
    for token in [a, b, c] {
        assert_eq!(house.sees(&format!("Bearer {token}")).await, 200);
    }
}

/// Without an OIDC issuer nobody belongs to a group, and whoever runs the server hands out the tokens.
#[tokio::test]
async fn administrators_of_the_server_create_team_tokens_if_nobody_signs_in() {
    let house = House::with_ops().await;
    let other = house.app.organization("other").await;
    let stranger = house.app.token(other, Role::Admin).await;
    let viewer = house.app.token(house.organization, Role::Viewer).await;
    let body = json!({"group": "OPS", "days": 1});
    for caller in [&stranger, &viewer] {
        assert_eq!(caller.post("/access-token/v1/teams", body.clone()).await.status, 403);
    }
    let made = house.client.post("/access-token/v1/teams", body.clone()).await.expect(201);
    let token = made["token"].as_str().unwrap();
    assert_eq!(house.sees(&format!("Bearer {token}")).await, 200);
    let list = house.client.get("/access-token/v1/teams").await.expect(202);
    assert_eq!((list.as_array().unwrap().len(), &list[0]["id"]), (1, &part(token, 1)["jti"]));
    assert_eq!(stranger.get("/access-token/v1/teams").await.expect(202), json!([]));
    let path = format!("/access-token/v1/teams/{}", list[0]["id"].as_str().unwrap());
    assert_eq!(stranger.delete(&path).await.status, 404);
    house.client.delete(&path).await.expect(202);
    assert_eq!(house.sees(&format!("Bearer {token}")).await, 401);
    // Where people sign in, only members of a group have tokens for it.
    let issuer = Issuer::start().await;
    let house = House::of(TestApp::with_oidc(&issuer.url, AUDIENCE).await).await;
    assert_eq!(house.client.post("/access-token/v1/teams", body).await.status, 403);
}

/// Without an OIDC issuer, the token that the server prints can do what only people can.
#[tokio::test]
async fn the_first_token_belongs_to_a_person() {
    let app = TestApp::new().await;
    let first = windlass::bootstrap::create_first_organization(&app.app).await.unwrap().unwrap();
    let printed = app.client(None).with(Some(&format!("Token {}", first.token.expose())));
    assert_eq!(printed.get("/account").await.expect(200)["nickname"], "first");
    let members = printed.get(&format!("/organization/{}/member", first.organization.id)).await.expect(200);
    assert_eq!(members["results"][0]["email"], "unknown@windlass.invalid", "clients expect an address");
    let made = printed.post("/api/v1/organization", new("organization", json!({"name": "second"}))).await.expect(201);
    printed.post("/organization", json!({"name": "third", "plan": "FREE"})).await.expect(201);
    let names = async |client: &Client| {
        let list = client.get("/api/v1/organization?sort=name").await.expect(200);
        let names = list["data"].as_array().unwrap().iter().map(|one| one["attributes"]["name"].clone());
        names.collect::<Vec<Value>>()
    };
    let all = [json!("second"), json!("third"), json!("windlass")];
    assert_eq!(names(&printed).await, all);
    let token = printed.post("/pat/v1", json!({"days": 1})).await.expect(201)["token"].as_str().unwrap().to_owned();
    let personal = bearer(&printed, &token);
    assert_eq!(names(&personal).await, all);
    let workspace = new("workspace", json!({"name": "w"}));
    personal.post(&format!("/api/v1/organization/{}/workspace", id(&made)), workspace).await.expect(201);
    // It is still a token of its organization, which can be revoked like any other.
    let tokens = format!("/organization/{}/apiToken", first.organization.id);
    let list = printed.get(&tokens).await.expect(200);
    let own = crate::harness::id(&list["results"][0]);
    personal.delete(&format!("{tokens}/{own}")).await.expect(204);
    assert_eq!(printed.get("/organization").await.status, 401);
    assert_eq!(names(&personal).await, all);
}

/// A token that was signed before stays valid, and the old key of the ring can be removed.
#[tokio::test]
async fn keys_follow_a_rotation_of_the_key_ring() {
    let folder = tempfile::tempdir().unwrap();
    let url = database(&folder).await;
    let start =
        async || windlass::server::build(config(folder.path().to_owned(), &url), Clock::system()).await.unwrap();
    let issue = async |app: &App| {
        let (now, id) = (app.clock.now(), AccessTokenId::create());
        let claims = OwnClaims {
            jti: id,
            sub: "OPS".into(),
            name: "OPS".into(),
            groups: None,
            description: None,
            iat: now.timestamp(),
            exp: None,
        };
        let token = own_jwt::sign(&app.db, &app.keys, &claims, now).await.unwrap().expose().clone();
        let row = entity::access_token::Model {
            id,
            person_id: None,
            created_at: now,
            created_by: "test".into(),
            name: "OPS".into(),
            description: None,
            groups: json!(["OPS"]),
            hash: TokenHash::of(&token).stored(),
            expires_at: None,
            last_used_at: None,
            creator_id: None,
            lifetime: None,
        };
        windlass::store::row::create(&app.db, row).await.unwrap();
        token
    };
    let (app, lock) = start().await;
    let before = issue(&app).await;
    drop((app, lock));
    let path = folder.path().join("secret.key");
    let (old, new) = (std::fs::read_to_string(&path).unwrap(), "3".repeat(64));
    std::fs::write(&path, format!("{new}\n{old}")).unwrap();
    let (app, lock) = start().await;
    let rows = signing_key::Entity::find().all(&app.db).await.unwrap();
    let newest = &app.keys.fingerprints()[0];
    assert_eq!(rows.iter().map(|row| fingerprint(&row.sealed)).collect::<Vec<_>>(), [newest.clone(), newest.clone()]);
    let after = issue(&app).await;
    assert_ne!(part(&before, 0)["kid"], part(&after, 0)["kid"]);
    drop((app, lock));
    std::fs::write(&path, &new).unwrap();
    let (app, _lock) = start().await;
    for token in [before, after] {
        app.authenticator.caller(Some(&format!("Bearer {token}")), None).await.unwrap();
    }
}
