//! People: invitations, roles, removal, the transfer of ownership, and accounts.

use serde_json::{Value, json};

use crate::harness::{Client, Furnished, TestApp, id};
use crate::jwt::{AUDIENCE, Issuer};

struct People {
    app: TestApp,
    issuer: Issuer,
    it: Furnished,
}

impl People {
    async fn new() -> Self {
        let issuer = Issuer::start().await;
        let app = TestApp::with_oidc(&issuer.url, AUDIENCE).await;
        let it = app.furnished().await;
        Self { app, issuer, it }
    }

    fn person(&self, name: &str) -> Client {
        let claims = json!({"sub": name, "email": format!("{name}@example.com"), "name": format!("{name} Smith")});
        self.app.client(Some(format!("Bearer {}", self.issuer.token(0, "one", claims))))
    }

    fn path(&self, rest: &str) -> String {
        format!("/organization/{}/{rest}", self.it.organization)
    }

    /// Invites a person who accepts; returns their id.
    async fn member(&self, name: &str, role: &str) -> (Client, String) {
        let roles = self.it.client.get(&self.path("availableRole")).await.expect(200);
        let role = roles["results"].as_array().unwrap().iter().find(|row| row["name"] == role).unwrap().clone();
        let body = json!({"email": format!("{name}@example.com"), "role_id": role["id"]});
        let invitation = id(&self.it.client.post(&self.path("inviteMember"), body).await.expect(201));
        let person = self.person(name);
        person.post(&self.path(&format!("inviteMember/{invitation}")), json!({})).await.expect(201);
        let account = id(&person.get("/account").await.expect(200));
        (person, account)
    }
}

#[tokio::test]
async fn an_invitation_is_accepted_by_its_person_only() {
    let people = People::new().await;
    let (it, path) = (&people.it, people.path("inviteMember"));
    let body = json!({"email": "Bob@Example.com", "role": "DEVELOPER"});
    let invitation = it.client.post(&path, body.clone()).await.expect(201);
    assert_eq!((&invitation["email"], &invitation["role_name"]), (&json!("bob@example.com"), &json!("devops")));
    assert_eq!((&invitation["invitation_status"], &invitation["inviter"]), (&json!("PENDING"), &json!("test")));
    assert!(it.client.post(&path, body).await.detail(409).contains("already been invited"));
    for email in ["bob", "a@b@c", "@x", "a b@c"] {
        assert!(it.client.post(&path, json!({"email": email})).await.detail(400).starts_with("email"));
    }
    it.client.post(&path, json!({"email": "x@example.com", "role": "OWNER"})).await.expect(400);
    let one = format!("{path}/{}", id(&invitation));
    let (bob, eve) = (people.person("bob"), people.person("eve"));
    eve.get(&one).await.expect(404);
    eve.post(&one, json!({})).await.expect(404);
    it.client.post(&one, json!({})).await.expect(403);
    bob.get(&one).await.expect(200);
    bob.delete(&one).await.expect(404);
    bob.get(&format!("/job/{}", uuid::Uuid::now_v7())).await.expect(404);
    bob.post(&one, json!({})).await.expect(201);
    bob.post(&one, json!({})).await.expect(404);
    // The person is a member with this role at once.
    bob.post(&people.path("project"), json!({"name": "of bob"})).await.expect(200);
    bob.post(&people.path("apiToken"), json!({"name": "t", "role_id": null})).await.expect(403);
    let members = it.client.get(&people.path("member")).await.expect(200);
    assert_eq!(
        (&members["results"][0]["email"], &members["results"][0]["role"]),
        (&json!("bob@example.com"), &json!("DEVELOPER"))
    );
    assert!(it.client.post(&path, json!({"email": "bob@example.com"})).await.detail(409).contains("member"));
    // A withdrawn invitation cannot be accepted.
    let other = id(&it.client.post(&path, json!({"email": "eve@example.com"})).await.expect(201));
    it.client.delete(&format!("{path}/{other}")).await.expect(204);
    eve.post(&format!("{path}/{other}"), json!({})).await.expect(404);
}

/// Without a verified e-mail address no invitation can be accepted.
#[tokio::test]
async fn an_unverified_address_is_nobodys() {
    let people = People::new().await;
    let body = json!({"email": "bob@example.com"});
    let invitation = id(&people.it.client.post(&people.path("inviteMember"), body).await.expect(201));
    let one = people.path(&format!("inviteMember/{invitation}"));
    for unverified in [json!(false), json!("false")] {
        let claims = json!({"sub": "b", "email": "bob@example.com", "email_verified": unverified});
        let token = people.issuer.token(0, "one", claims);
        people.app.client(Some(format!("Bearer {token}"))).post(&one, json!({})).await.expect(404);
    }
    let claims = json!({"sub": "b", "email": "bob@example.com", "email_verified": true});
    let token = people.issuer.token(0, "one", claims);
    people.app.client(Some(format!("Bearer {token}"))).post(&one, json!({})).await.expect(201);
}

#[tokio::test]
async fn roles_change_and_members_go() {
    let people = People::new().await;
    let (bob, bob_id) = people.member("bob", "viewer").await;
    let project = format!("/project/{}", people.it.project);
    bob.get(&project).await.expect(200);
    bob.put(&project, json!({"name": "x"})).await.expect(403);
    let roles = people.it.client.get(&people.path("availableRole")).await.expect(200);
    let devops = roles["results"].as_array().unwrap().iter().find(|row| row["name"] == "devops").unwrap().clone();
    let member = people.path("member");
    let change = json!({"user_id": bob_id, "role_id": devops["id"]});
    people.it.client.put(&member, change.clone()).await.expect(200);
    bob.put(&project, json!({"name": "x"})).await.expect(200);
    bob.put(&member, change).await.expect(403);
    let unknown = json!({"user_id": people.it.project, "role_id": devops["id"]});
    assert!(people.it.client.put(&member, unknown).await.detail(400).starts_with("user_id"));
    let unknown = json!({"user_id": bob_id, "role_id": people.it.project});
    assert!(people.it.client.put(&member, unknown).await.detail(400).starts_with("role_id"));
    let remove = json!({"user_id": bob_id}).to_string();
    people.it.client.call(poem::http::Method::DELETE, &member, Some(remove.clone())).await.expect(204);
    bob.get(&project).await.expect(404);
    people.it.client.call(poem::http::Method::DELETE, &member, Some(remove)).await.expect(400);
    // The log names members, and not the official target of such events.
    let events = people.it.client.get(&people.path("events?targetType=MEMBERS_AND_ROLES")).await.expect(200);
    let kinds: Vec<_> = events["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (event["event_type"].as_str().unwrap(), event["target_kind"].as_str().unwrap()))
        .collect();
    let expected = [("DELETE", "MEMBER"), ("UPDATE", "MEMBER"), ("ACCEPT", "INVITATION"), ("CREATE", "INVITATION")];
    assert_eq!(kinds, expected);
}

#[tokio::test]
async fn the_ownership_is_handed_over() {
    let people = People::new().await;
    let (bob, bob_id) = people.member("bob", "admin").await;
    let (eve, eve_id) = people.member("eve", "admin").await;
    let path = people.path("transferOwnership");
    // An administrator may name the first owner of an organization.
    eve.post(&path, json!({"user_id": people.it.project})).await.expect(400);
    eve.post(&path, json!({"user_id": bob_id})).await.expect(204);
    eve.post(&path, json!({"user_id": eve_id})).await.expect(403);
    let organization = people.path("");
    let organization = organization.trim_end_matches('/');
    eve.delete(organization).await.expect(403);
    let member = people.path("member");
    let remove = json!({"user_id": bob_id}).to_string();
    let detail = eve.call(poem::http::Method::DELETE, &member, Some(remove)).await.detail(409);
    assert!(detail.contains("owner"), "{detail}");
    let roles = people.it.client.get(&people.path("availableRole")).await.expect(200);
    let change = json!({"user_id": bob_id, "role_id": roles["results"][0]["id"]});
    eve.put(&member, change).await.expect(409);
    bob.post(&path, json!({"user_id": eve_id})).await.expect(204);
    bob.post(&path, json!({"user_id": bob_id})).await.expect(403);
    // The owner may delete an empty organization.
    let detail = eve.delete(organization).await.detail(409);
    assert!(detail.contains("projects"), "{detail}");
    eve.delete(&format!("/environment/{}", people.it.environment)).await.expect(204);
    eve.delete(&format!("/project/{}", people.it.project)).await.expect(204);
    eve.delete(organization).await.expect(204);
    eve.get(organization).await.expect(404);
    assert_eq!(eve.get("/organization").await.expect(200), json!({"results": []}));
}

#[tokio::test]
async fn accounts_are_of_people() {
    let people = People::new().await;
    let bob = people.person("bob");
    let account = bob.get("/account").await.expect(200);
    assert_eq!((&account["first_name"], &account["last_name"]), (&json!("bob"), &json!("Smith")));
    assert_eq!(account["communication_email"], "bob@example.com");
    let edited = bob.put("/account", json!({"communication_email": "other@example.com"})).await.expect(200);
    assert_eq!(edited["communication_email"], "other@example.com");
    assert!(
        bob.put("/account", json!({"communication_email": "x"})).await.detail(400).starts_with("communication_email")
    );
    let token = people.it.client.get("/account").await.expect(200);
    assert_eq!(token["nickname"], "test");
    people.it.client.put("/account", json!({})).await.expect(403);
}

/// Only the issuer and the subject of a person are stable: they marry, or their first token said nothing.
#[tokio::test]
async fn a_member_is_called_as_their_last_token_says() {
    let people = People::new().await;
    let calls = async |claims: Value| {
        let token = people.issuer.token(0, "one", claims);
        people.app.client(Some(format!("Bearer {token}"))).get("/account").await.expect(200)
    };
    let first = calls(json!({"sub": "anna", "email": null})).await;
    assert_eq!(first["nickname"], "anna");
    let (_, anna) = people.member("anna", "viewer").await;
    assert_eq!(first["id"], json!(anna));
    for (claims, name, email) in [
        (json!({}), "anna Smith", "anna@example.com"),
        (json!({"name": "Anna Schmidt", "email": "schmidt@example.com"}), "Anna Schmidt", "schmidt@example.com"),
        // What is not stated or not verified stays.
        (json!({"email": null}), "Anna Schmidt", "schmidt@example.com"),
        (
            json!({"name": " ", "email": "x@example.com", "email_verified": false}),
            "Anna Schmidt",
            "schmidt@example.com",
        ),
        (json!({"name": "Anna"}), "Anna", "schmidt@example.com"),
    ] {
        if let Some(claims) = claims.as_object().filter(|claims| !claims.is_empty()) {
            let mut claims = claims.clone();
            claims.insert("sub".into(), json!("anna"));
            claims.entry("email").or_insert(json!(null));
            calls(claims.into()).await;
        }
        let members = people.it.client.get(&people.path("member")).await.expect(200);
        let found = members["results"].as_array().unwrap().iter().find(|row| row["id"] == anna.as_str()).unwrap();
        assert_eq!((&found["name"], &found["email"]), (&json!(name), &json!(email)), "{claims}");
    }
    // The address belongs to somebody else by now.
    let invite = async |email: &str| people.it.client.post(&people.path("inviteMember"), json!({"email": email})).await;
    assert!(invite("schmidt@example.com").await.detail(409).contains("member"));
    invite("anna@example.com").await.expect(201);
}

/// Addresses are the same without case in ASCII only: the Kelvin sign is no k.
#[tokio::test]
async fn an_address_that_folds_to_another_one_is_another_one() {
    let people = People::new().await;
    let body = json!({"email": "Mike@Example.com"});
    let invitation = people.it.client.post(&people.path("inviteMember"), body).await.expect(201);
    assert_eq!(invitation["email"], "mike@example.com");
    let one = people.path(&format!("inviteMember/{}", id(&invitation)));
    let accept = async |email: &str| {
        let token = people.issuer.token(0, "one", json!({"sub": email, "email": email}));
        people.app.client(Some(format!("Bearer {token}"))).post(&one, json!({})).await.status
    };
    assert_eq!(accept("mi\u{212a}e@example.com").await, 404);
    assert_eq!(accept("m\u{130}ke@example.com").await, 404);
    assert_eq!(accept("MIKE@example.COM").await, 201);
    // An invitation of the other address is another one, and is kept as it was written.
    let kelvin = json!({"email": "Mi\u{212a}e@example.com"});
    let invitation = people.it.client.post(&people.path("inviteMember"), kelvin).await.expect(201);
    assert_eq!(invitation["email"], "mi\u{212a}e@example.com");
}

/// Of two transfers at once one succeeds, and the other one is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_transfers_at_once_leave_one_owner() {
    let people = People::new().await;
    let (alice, alice_id) = people.member("alice", "admin").await;
    let (bob, bob_id) = people.member("bob", "admin").await;
    let (eve, eve_id) = people.member("eve", "admin").await;
    let path = people.path("transferOwnership");
    people.it.client.post(&path, json!({"user_id": alice_id})).await.expect(204);
    let owner = (alice, alice_id);
    for _ in 0..10 {
        let (first, second) = tokio::join!(
            owner.0.post(&path, json!({"user_id": bob_id})),
            owner.0.post(&path, json!({"user_id": eve_id}))
        );
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        assert!(matches!(statuses, [204, 403 | 409]), "{statuses:?}: {} {}", first.text, second.text);
        let members = people.it.client.get(&people.path("member")).await.expect(200);
        let owners: Vec<_> =
            members["results"].as_array().unwrap().iter().filter(|row| row["role"] == "OWNER").collect();
        assert_eq!(owners.len(), 1, "{members}");
        let winner = if first.status == 204 { (bob.clone(), &bob_id) } else { (eve.clone(), &eve_id) };
        assert_eq!(owners[0]["id"], json!(winner.1));
        winner.0.post(&path, json!({"user_id": owner.1})).await.expect(204);
    }
    owner.0.get("/account").await.expect(200);
}

/// The database has the last word, and says which owner of an older database stays.
#[tokio::test]
async fn the_database_keeps_one_owner() {
    use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
    let people = People::new().await;
    let (_, alice) = people.member("alice", "admin").await;
    people.app.clock.forward(1);
    let (_, bob) = people.member("bob", "admin").await;
    let db = &people.app.app.db;
    people.it.client.post(&people.path("transferOwnership"), json!({"user_id": alice})).await.expect(204);
    let both = "UPDATE member SET role = 'OWNER'";
    assert!(db.execute_unprepared(both).await.is_err(), "two owners were stored");
    // As a release without the index left it. On one connection, which knows the schema that it changed.
    let tx = db.begin().await.unwrap();
    for sql in ["DROP INDEX member_owner", both].into_iter().chain(migration::ONE_OWNER) {
        tx.execute_unprepared(sql).await.unwrap();
    }
    tx.commit().await.unwrap();
    let members = people.it.client.get(&people.path("member")).await.expect(200);
    let role =
        |id: &str| members["results"].as_array().unwrap().iter().find(|row| row["id"] == id).unwrap()["role"].clone();
    assert_eq!((role(&alice), role(&bob)), (json!("OWNER"), json!("ADMIN")));
}
