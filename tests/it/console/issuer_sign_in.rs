//! People sign in at an OIDC issuer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::{Client, TestApp};
use crate::jwt::{AUDIENCE, Issuer};

const CLIENT: &str = "console";

/// A server whose console is a client of an issuer.
struct Site {
    issuer: Issuer,
    app: TestApp,
}

impl Site {
    async fn new() -> Self {
        let issuer = Issuer::start().await;
        let app = TestApp::with_oidc(&issuer.url, AUDIENCE).await.with_console_client(CLIENT, "a+b c");
        Self { issuer, app }
    }

    /// Begins at a path, and returns the query of the address at the issuer, and the cookie that belongs to it.
    async fn begins(&self, path: &str, cookie: &str) -> (Vec<(String, String)>, String) {
        let (status, headers, text) = self.app.client(None).whole("GET", path, None, &[("cookie", cookie)]).await;
        assert_eq!(status, 303, "{text}");
        let address = headers["location"].to_str().unwrap();
        let query = address.strip_prefix(&format!("{}/authorize?", self.issuer.url)).expect(address);
        let cookie = headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        (form_urlencoded::parse(query.as_bytes()).into_owned().collect(), cookie)
    }

    /// What the console answers to somebody with an ID token of these claims; the issuer answers with `more` beside it.
    async fn signs_in(&self, claims: Value, more: Value) -> (u16, String, String) {
        let (query, cookie) = self.begins("/console/sign-in/oidc", "").await;
        self.comes_back(&query, &cookie, claims, more).await
    }

    async fn comes_back(
        &self,
        query: &[(String, String)],
        cookie: &str,
        mut claims: Value,
        more: Value,
    ) -> (u16, String, String) {
        claims["aud"] = json!(CLIENT);
        claims["nonce"] = json!(given(query, "nonce"));
        let mut answer = json!({"access_token": "opaque", "id_token": self.issuer.token(0, "one", claims)});
        for (name, value) in more.as_object().unwrap() {
            answer[name] = value.clone();
        }
        self.issuer.answers.lock().unwrap().push_back(answer);
        let path = format!("/console/sign-in/callback?code=c&state={}", given(query, "state"));
        let (status, headers, text) = self.app.client(None).whole("GET", &path, None, &[("cookie", cookie)]).await;
        let session = headers.get("set-cookie").map(|value| value.to_str().unwrap().split(';').next().unwrap());
        (status, session.unwrap_or_default().to_owned(), text)
    }
}

fn given<'a>(query: &'a [(String, String)], name: &str) -> &'a str {
    query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap_or_default()
}

/// The way to send a secret is the one that the issuer offers, and of two the one that it accepts.
#[tokio::test]
async fn the_secret_is_sent_as_the_issuer_wants_it() {
    let basic = format!("Basic {}", STANDARD.encode("console:a%2Bb+c"));
    let both = json!(["client_secret_basic", "client_secret_post"]);
    for (methods, wanted, ways) in [
        (json!(["client_secret_basic"]), Some(&basic), &[false][..]),
        (json!(null), Some(&basic), &[false][..]),
        (both.clone(), Some(&basic), &[false][..]),
        (json!(["client_secret_post"]), None, &[true][..]),
    ] {
        let site = Site::new().await;
        site.issuer.habits.lock().unwrap().more.push(("token_endpoint_auth_methods_supported", methods.clone()));
        site.issuer.habits.lock().unwrap().basic = wanted.cloned();
        let (status, session, text) = site.signs_in(json!({}), json!({})).await;
        assert!(status == 303 && session.starts_with("windlass_session="), "{methods}: {status} {text}");
        let forms = site.issuer.forms.lock().unwrap().clone();
        let in_form: Vec<bool> = forms.iter().map(|form| form.contains_key("client_secret")).collect();
        assert_eq!(in_form, ways, "{methods}");
    }
    // A client that is registered with the other way.
    let site = Site::new().await;
    site.issuer.habits.lock().unwrap().more.push(("token_endpoint_auth_methods_supported", both));
    site.issuer.answers.lock().unwrap().push_back(json!({"error": "invalid_client"}));
    let (status, _, text) = site.signs_in(json!({}), json!({})).await;
    assert_eq!(status, 303, "{text}");
    assert_eq!(site.issuer.forms.lock().unwrap().last().unwrap()["client_secret"], "a+b c");
}

/// Whoever runs the server has to do something then, and not the person.
#[tokio::test]
async fn an_issuer_that_refuses_the_client_is_named() {
    let site = Site::new().await;
    site.issuer.habits.lock().unwrap().basic = Some("Basic of somebody else".into());
    let (status, session, text) = site.signs_in(json!({}), json!({})).await;
    assert_eq!((status, session.as_str()), (503, ""), "{text}");
    assert!(
        text.contains("does not accept this server as a client") && text.contains("--oidc-client-secret"),
        "{text}"
    );
    // A code that is refused is another matter, and is not sent twice.
    let site = Site::new().await;
    site.issuer.answers.lock().unwrap().push_back(json!({"error": "invalid_grant"}));
    let (status, _, text) = site.signs_in(json!({}), json!({})).await;
    assert_eq!((status, site.issuer.forms.lock().unwrap().len()), (401, 1), "{text}");
    assert!(text.contains("did not confirm who you are"), "{text}");
}

/// The groups of whoever has this credential.
async fn groups(client: &Client) -> Value {
    client.get("/access-token/v1/teams/current-teams").await.expect(202)["groups"].clone()
}

/// A personal token has the groups of its person, and is not to lose them because somebody signs in with another kind of token.
#[tokio::test]
async fn groups_stay_until_a_token_states_others() {
    let site = Site::new().await;
    let person = |claims: Value| {
        let bearer = format!("Bearer {}", site.issuer.token(0, "one", claims));
        site.app.client(Some(bearer))
    };
    let alice = person(json!({"groups": ["devs"]}));
    let made = alice.post("/pat/v1", json!({"days": 1, "description": "ci"})).await.expect(201);
    let personal = || site.app.client(Some(format!("Bearer {}", made["token"].as_str().unwrap())));
    let settled = async || {
        // The groups of a credential are remembered for half a second.
        site.app.clock.forward(1);
        groups(&personal()).await
    };
    assert_eq!(settled().await, json!(["devs"]));
    // This one says nothing about groups, and acts for none.
    assert_eq!(groups(&person(json!({"name": "Alice"}))).await, json!([]));
    assert_eq!(settled().await, json!(["devs"]));
    assert_eq!(site.signs_in(json!({}), json!({})).await.0, 303);
    assert_eq!(settled().await, json!(["devs"]), "the console was not told about groups");
    site.issuer.habits.lock().unwrap().userinfo = Some(json!({"sub": "alice", "groups": ["ops"]}));
    assert_eq!(site.signs_in(json!({}), json!({})).await.0, 303);
    assert_eq!(settled().await, json!(["ops"]), "the issuer tells them beside the ID token");
    site.issuer.habits.lock().unwrap().userinfo = Some(json!({"sub": "mallory", "groups": ["root"]}));
    assert_eq!(site.signs_in(json!({"groups": ["devs"]}), json!({})).await.0, 303);
    assert_eq!(settled().await, json!(["devs"]));
    assert_eq!(groups(&person(json!({"groups": []}))).await, json!([]));
    assert_eq!(settled().await, json!([]), "an empty list removes them");
}

/// Where groups were asked for, a person of whom none are told has none.
#[tokio::test]
async fn groups_are_asked_for_where_the_issuer_has_them() {
    let site = Site::new().await;
    let asked = async || site.begins("/console/sign-in/oidc", "").await;
    assert_eq!(given(&asked().await.0, "scope"), "openid profile email");
    site.issuer.habits.lock().unwrap().more.push(("scopes_supported", json!(["openid", "groups"])));
    let (query, cookie) = asked().await;
    assert_eq!(given(&query, "scope"), "openid profile email groups");

    // This client may not: it asks again without them, once.
    let path = |query: &[(String, String)]| {
        format!("/console/sign-in/callback?error=invalid_scope&state={}", given(query, "state"))
    };
    let (again, cookie) = site.begins(&path(&query), &cookie).await;
    assert_eq!(given(&again, "scope"), "openid profile email");
    assert_ne!(given(&again, "state"), given(&query, "state"));
    let (status, _, text) = site.app.client(None).whole("GET", &path(&again), None, &[("cookie", &cookie)]).await;
    assert!(status == 401 && text.contains("invalid_scope"), "{status} {text}");
    let (status, _, text) = site.comes_back(&again, &cookie, json!({}), json!({})).await;
    assert_eq!(status, 303, "{text}");

    site.issuer.habits.lock().unwrap().userinfo = Some(json!({"sub": "alice"}));
    let alice = site.app.client(Some(format!("Bearer {}", site.issuer.token(0, "one", json!({"groups": ["devs"]})))));
    let made = alice.post("/pat/v1", json!({"days": 1, "description": "ci"})).await.expect(201);
    let personal = site.app.client(Some(format!("Bearer {}", made["token"].as_str().unwrap())));
    for (granted, left) in [(json!("openid profile email"), json!(["devs"])), (json!(null), json!([]))] {
        assert_eq!(site.signs_in(json!({}), json!({"scope": granted})).await.0, 303);
        site.app.clock.forward(1);
        assert_eq!(groups(&personal).await, left, "{granted}");
    }
}
