//! People: JWTs of an OIDC issuer, verified with its keys.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use poem::http::StatusCode;
use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use poem::web::{Data, Form, Json};
use poem::{EndpointExt as _, IntoResponse as _, Request, Response, Route, get, handler, post};
use proptest::prelude::{Just, ProptestConfig, Strategy, prop_assert, prop_assert_eq, prop_oneof};
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use serde_json::{Value, json};

use crate::harness::{Client, TestApp, start};

pub(crate) const AUDIENCE: &str = "windlass";

static KEYS: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
    let mut random = rsa::rand_core::OsRng;
    std::array::from_fn(|_| {
        rsa::RsaPrivateKey::new(&mut random, 2048).unwrap().to_pkcs1_der().unwrap().as_bytes().to_vec()
    })
});

fn key(which: usize) -> EncodingKey {
    EncodingKey::from_rsa_der(&KEYS[which])
}

/// An issuer on loopback, whose keys can be changed.
pub(crate) struct Issuer {
    pub(crate) url: String,
    keys: Arc<Mutex<JwkSet>>,
    fetches: Arc<AtomicUsize>,
    /// What the token endpoint answers, one after the other; then it refuses.
    pub(crate) answers: Arc<Mutex<VecDeque<Value>>>,
    /// The forms that it was sent.
    pub(crate) forms: Arc<Mutex<Vec<HashMap<String, String>>>>,
    pub(crate) habits: Arc<Mutex<Habits>>,
}

/// In what one issuer is unlike another one.
#[derive(Default)]
pub(crate) struct Habits {
    /// What else its discovery document says.
    pub(crate) more: Vec<(&'static str, Value)>,
    /// The only `Authorization` of a client that it accepts.
    pub(crate) basic: Option<String>,
    /// What it says about whoever has an access token.
    pub(crate) userinfo: Option<Value>,
}

struct Served {
    url: String,
    keys: Arc<Mutex<JwkSet>>,
    fetches: Arc<AtomicUsize>,
    answers: Arc<Mutex<VecDeque<Value>>>,
    forms: Arc<Mutex<Vec<HashMap<String, String>>>>,
    habits: Arc<Mutex<Habits>>,
}

#[handler]
fn discovery(served: Data<&Arc<Served>>) -> Json<Value> {
    let at = |path: &str| format!("{}/{path}", served.url);
    let mut document = json!({
        "issuer": served.url, "jwks_uri": at("keys"), "token_endpoint": at("token"), "device_authorization_endpoint": at("device"),
        "authorization_endpoint": at("authorize"), "userinfo_endpoint": at("userinfo"),
    });
    for (name, value) in &served.habits.lock().unwrap().more {
        document[*name] = value.clone();
    }
    Json(document)
}

#[handler]
fn give_code(served: Data<&Arc<Served>>, form: Form<HashMap<String, String>>) -> Json<Value> {
    served.forms.lock().unwrap().push(form.0);
    Json(json!({
        "device_code": "device-1", "user_code": "ABCD-EFGH", "verification_uri": format!("{}/confirm", served.url), "expires_in": 30,
        "interval": 1,
    }))
}

#[handler]
fn give_tokens(served: Data<&Arc<Served>>, request: &Request, form: Form<HashMap<String, String>>) -> Response {
    served.forms.lock().unwrap().push(form.0);
    let basic = served.habits.lock().unwrap().basic.clone();
    if basic.is_some() && request.header("authorization") != basic.as_deref() {
        return Json(json!({"error": "invalid_client"})).with_status(StatusCode::UNAUTHORIZED).into_response();
    }
    let answer = served.answers.lock().unwrap().pop_front().unwrap_or_else(|| json!({"error": "invalid_grant"}));
    let status = if answer.get("error").is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    Json(answer).with_status(status).into_response()
}

#[handler]
fn user_info(served: Data<&Arc<Served>>) -> Response {
    match served.habits.lock().unwrap().userinfo.clone() {
        Some(said) => Json(said).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[handler]
fn key_set(served: Data<&Arc<Served>>) -> Json<JwkSet> {
    served.fetches.fetch_add(1, Ordering::SeqCst);
    Json(served.keys.lock().unwrap().clone())
}

fn jwk(which: usize, kid: &str) -> Jwk {
    let mut jwk = Jwk::from_encoding_key(&key(which), Algorithm::RS256).unwrap();
    jwk.common.key_id = Some(kid.into());
    jwk
}

impl Issuer {
    pub(crate) async fn start() -> Self {
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
        let url = format!("http://{}", acceptor.local_addr()[0].as_socket_addr().unwrap());
        let keys = Arc::new(Mutex::new(JwkSet { keys: vec![jwk(0, "one")] }));
        let fetches = Arc::new(AtomicUsize::new(0));
        let (answers, forms, habits) = (Arc::default(), Arc::default(), Arc::default());
        let it = Self { url, keys, fetches, answers, forms, habits };
        let Self { url, keys, fetches, answers, forms, habits } = &it;
        let (keys, fetches, answers, forms) = (keys.clone(), fetches.clone(), answers.clone(), forms.clone());
        let served = Arc::new(Served { url: url.clone(), keys, fetches, answers, forms, habits: habits.clone() });
        let routes = Route::new()
            .at("/.well-known/openid-configuration", get(discovery))
            .at("/keys", get(key_set))
            .at("/device", post(give_code))
            .at("/token", post(give_tokens))
            .at("/userinfo", get(user_info))
            .data(served);
        tokio::spawn(poem::Server::new_with_acceptor(acceptor).run(routes));
        it
    }

    fn claims(&self) -> Value {
        let now = start().timestamp();
        json!({"iss": self.url, "aud": AUDIENCE, "sub": "alice", "exp": now + 600, "nbf": now, "email": "alice@example.com",
            "email_verified": true})
    }

    pub(crate) fn token(&self, which: usize, kid: &str, change: Value) -> String {
        let mut claims = self.claims();
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            }
        }
        let header = Header { kid: Some(kid.into()), ..Header::new(Algorithm::RS256) };
        jsonwebtoken::encode(&header, &claims, &key(which)).unwrap()
    }
}

async fn listed(client: &Client, token: &str) -> u16 {
    client.with(Some(&format!("Bearer {token}"))).get("/organization").await.status
}

#[tokio::test]
async fn a_person_sees_nothing_and_creates_an_organization() {
    let issuer = Issuer::start().await;
    let app = TestApp::with_oidc(&issuer.url, AUDIENCE).await;
    let it = app.furnished().await;
    let alice = it.client.with(Some(&format!("Bearer {}", issuer.token(0, "one", json!({})))));
    assert_eq!(alice.get("/organization").await.expect(200), json!({"results": []}));
    alice.get(&format!("/project/{}", it.project)).await.expect(404);
    let made = alice.post("/organization", json!({"name": "mine", "plan": "FREE"})).await.expect(201);
    assert!(made["owner"].is_string());
    let list = alice.get("/organization").await.expect(200);
    assert_eq!(list["results"], json!([made]));
    let clusters = alice.get(&format!("/organization/{}/cluster", crate::harness::id(&made))).await.expect(200);
    assert_eq!(clusters["results"][0]["name"], "local");
    let bob = it.client.with(Some(&format!("Token {}", issuer.token(0, "one", json!({"sub": "bob"})))));
    assert_eq!(bob.get("/organization").await.expect(200), json!({"results": []}));
}

#[tokio::test]
async fn only_tokens_of_the_issuer_for_this_audience_and_time() {
    let issuer = Issuer::start().await;
    let app = TestApp::with_oidc(&issuer.url, AUDIENCE).await;
    let client = app.client(None);
    let now = start().timestamp();
    let cases = [
        (json!({}), 200),
        (json!({"aud": ["other", AUDIENCE]}), 200),
        (json!({"aud": "other"}), 401),
        (json!({"aud": null}), 401),
        (json!({"iss": "https://other.example"}), 401),
        (json!({"iss": null}), 401),
        (json!({"sub": null}), 401),
        (json!({"exp": null}), 401),
        (json!({"exp": now - 59}), 200),
        (json!({"exp": now - 60}), 401),
        (json!({"nbf": now + 60}), 200),
        (json!({"nbf": now + 61}), 401),
        (json!({"nbf": null}), 200),
        // A NumericDate may have a fraction.
        (json!({"exp": now as f64 - 59.5}), 200),
        (json!({"exp": now as f64 - 60.5}), 401),
        (json!({"nbf": now as f64 + 59.5}), 200),
        (json!({"exp": -1}), 401),
        (json!({"exp": "soon"}), 401),
    ];
    for (change, expected) in cases {
        assert_eq!(listed(&client, &issuer.token(0, "one", change.clone())).await, expected, "{change}");
    }
    // Signed with another key, under the id of a known one.
    assert_eq!(listed(&client, &issuer.token(1, "one", json!({}))).await, 401);
    let mut changed = issuer.token(0, "one", json!({}));
    changed.truncate(changed.len() - 4);
    assert_eq!(listed(&client, &changed).await, 401);
}

/// RFC 8725: no algorithm, and the public key used as a shared secret.
#[tokio::test]
async fn weak_algorithms_are_refused() {
    let issuer = Issuer::start().await;
    let app = TestApp::with_oidc(&issuer.url, AUDIENCE).await;
    let client = app.client(None);
    let good = issuer.token(0, "one", json!({}));
    let payload = good.split('.').nth(1).unwrap().to_owned();
    let none = "eyJhbGciOiJub25lIiwia2lkIjoib25lIn0";
    assert_eq!(listed(&client, &format!("{none}.{payload}.")).await, 401);
    let public = serde_json::to_vec(&jwk(0, "one")).unwrap();
    let header = Header { kid: Some("one".into()), ..Header::new(Algorithm::HS256) };
    let forged = jsonwebtoken::encode(&header, &issuer.claims(), &EncodingKey::from_secret(&public)).unwrap();
    assert_eq!(listed(&client, &forged).await, 401);
    // A key that names its algorithm is not used for another one.
    let header = Header { kid: Some("one".into()), ..Header::new(Algorithm::RS512) };
    let other = jsonwebtoken::encode(&header, &issuer.claims(), &key(0)).unwrap();
    assert_eq!(listed(&client, &other).await, 401);
}

#[tokio::test]
async fn new_keys_are_fetched_at_most_once_a_minute() {
    let issuer = Issuer::start().await;
    let app = TestApp::with_oidc(&issuer.url, AUDIENCE).await;
    let client = app.client(None);
    let (old, new) = (issuer.token(0, "one", json!({})), issuer.token(1, "two", json!({})));
    assert_eq!(listed(&client, &old).await, 200);
    *issuer.keys.lock().unwrap() = JwkSet { keys: vec![jwk(1, "two")] };
    for _ in 0..5 {
        assert_eq!(listed(&client, &new).await, 401);
    }
    assert_eq!(issuer.fetches.load(Ordering::SeqCst), 1);
    app.clock.forward(60);
    assert_eq!(listed(&client, &new).await, 200);
    assert_eq!(issuer.fetches.load(Ordering::SeqCst), 2);
    app.clock.forward(2);
    assert_eq!(listed(&client, &old).await, 401, "a withdrawn key is forgotten");
}

#[tokio::test]
async fn without_keys_nobody_is_refused_for_good() {
    let app = TestApp::with_oidc("http://127.0.0.1:9", AUDIENCE).await;
    let issuer = Issuer::start().await;
    let client = app.client(None);
    let answer = client.with(Some(&format!("Bearer {}", issuer.token(0, "one", json!({}))))).get("/organization").await;
    assert_eq!(answer.detail(503), "the OIDC issuer http://127.0.0.1:9 cannot be reached; try again");
    // It is not asked for a while, and is still the reason.
    let answer = client.with(Some(&format!("Bearer {}", issuer.token(0, "one", json!({}))))).get("/organization").await;
    assert!(answer.detail(503).contains("http://127.0.0.1:9"));
}

/// Two keys may have one id, and a token may name no key: each is tried.
#[tokio::test]
async fn every_key_that_may_be_meant_is_tried() {
    let issuer = Issuer::start().await;
    *issuer.keys.lock().unwrap() = JwkSet { keys: vec![jwk(0, "one"), jwk(1, "one")] };
    let app = TestApp::with_oidc(&issuer.url, AUDIENCE).await;
    let client = app.client(None);
    for which in [0, 1] {
        assert_eq!(listed(&client, &issuer.token(which, "one", json!({}))).await, 200, "key {which}");
        let unnamed = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &issuer.claims(), &key(which)).unwrap();
        assert_eq!(listed(&client, &unnamed).await, 200, "key {which} without its id");
    }
    assert_eq!(listed(&client, &issuer.token(0, "two", json!({}))).await, 401);
}

/// Only an address that the issuer calls verified may accept invitations.
#[tokio::test]
async fn only_true_is_a_verified_address() {
    let issuer = Issuer::start().await;
    let app = TestApp::with_oidc(&issuer.url, AUDIENCE).await;
    let it = app.furnished().await;
    let path = format!("/organization/{}/inviteMember", it.organization);
    let body = json!({"email": "alice@example.com", "role": "VIEWER"});
    let invitation = crate::harness::id(&it.client.post(&path, body).await.expect(201));
    let accept = format!("{path}/{invitation}");
    for verified in [json!(null), json!(false), json!("true"), json!(1), json!("false")] {
        let token = issuer.token(0, "one", json!({"email_verified": verified}));
        let status = it.client.with(Some(&format!("Bearer {token}"))).post(&accept, json!({})).await.status;
        assert!([403, 404].contains(&status), "{verified}: {status}");
    }
    let token = issuer.token(0, "one", json!({}));
    it.client.with(Some(&format!("Bearer {token}"))).post(&accept, json!({})).await.expect(201);
}

/// For an issuer that never says whether an address is verified, a setting says so. What a token does say still counts.
#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_without_the_claim_is_trusted_by_a_setting() {
    let issuer = Issuer::start().await;
    let now = chrono::Utc::now().timestamp();
    let token = |verified: Option<Value>| {
        let mut claims = issuer.claims();
        claims["exp"] = json!(now + 600);
        claims["nbf"] = json!(now);
        match verified {
            Some(stated) => claims["email_verified"] = stated,
            None => drop(claims.as_object_mut().unwrap().remove("email_verified")),
        }
        jsonwebtoken::encode(&Header { kid: Some("one".into()), ..Header::new(Algorithm::RS256) }, &claims, &key(0))
            .unwrap()
    };
    let settings = ["serve", "--runner", "process", "--oidc-issuer", &issuer.url, "--oidc-audience", AUDIENCE];
    let settings = [&settings[..], &["--organization-creators", "alice@example.com"]].concat();
    for (more, absent) in [(&[][..], 403), (&["--oidc-assume-email-verified"][..], 201)] {
        let folder = tempfile::tempdir().unwrap();
        let mut server = crate::server::Server::start(folder.path(), &[&settings[..], more].concat(), None);
        let cases = [(None, absent), (Some(Value::Null), 403), (Some(json!(false)), 403), (Some(json!("true")), 403)];
        for (verified, expected) in cases.into_iter().chain([(Some(json!(true)), 201)]) {
            server.token = token(verified.clone());
            let body = json!({"name": format!("{verified:?}"), "plan": "FREE"});
            let (status, _, text) = server.call("POST", "/organization", Some(body)).await;
            assert_eq!(status, expected, "{more:?} {verified:?}: {text}");
        }
    }
}

/// Any JSON value, most of them of a kind that a claim may have.
fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        proptest::bool::ANY.prop_map(Value::from),
        proptest::num::i64::ANY.prop_map(Value::from),
        proptest::num::f64::NORMAL.prop_map(Value::from),
        ".{0,300}".prop_map(Value::from),
        proptest::collection::vec(".{0,10}", 0..4).prop_map(Value::from),
        Just(json!({"a": [{}]})),
    ]
}

/// Whatever is sent as a JWT, and whatever its claims are: it is accepted or refused, and accepted only with its signature.
#[test]
fn no_token_is_a_panic_and_none_is_accepted_without_its_signature() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (issuer, app) = runtime.block_on(async {
        let issuer = Issuer::start().await;
        let app = TestApp::with_oidc(&issuer.url, AUDIENCE).await;
        (issuer, app)
    });
    let client = app.client(None);
    let good = issuer.token(0, "one", json!({}));
    let status = |token: &str| runtime.block_on(listed(&client, token));
    assert_eq!(status(&good), 200);
    let config = ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let text = prop_oneof!["[!-~]{1,80}", "[A-Za-z0-9_-]{0,40}[.][A-Za-z0-9_-]{0,40}[.][A-Za-z0-9_-]{0,40}"];
    let refused = |text: String| {
        prop_assert_eq!(status(&text), 401);
        Ok(())
    };
    runner.run(&text, refused).unwrap();
    // One character is another one.
    let change = (0..good.len(), "[A-Za-z0-9_.-]");
    let changed = |(place, letter): (usize, String)| {
        let mut token = good.clone();
        token.replace_range(place..=place, &letter);
        let expected = if token == good { 200 } else { 401 };
        prop_assert_eq!(status(&token), expected, "{}", token);
        Ok(())
    };
    runner.run(&change, changed).unwrap();
    let claim = "(sub|exp|nbf|iss|aud|email|email_verified|name|groups|iat)";
    let claims = |(claim, value): (String, Value)| {
        let found = status(&issuer.token(0, "one", json!({claim.clone(): value.clone()})));
        prop_assert!([200, 401].contains(&found), "{} {}: {}", claim, value, found);
        if ["iss", "aud"].contains(&claim.as_str()) {
            prop_assert_eq!(found, 401, "{} {}", claim, value);
        }
        Ok(())
    };
    runner.run(&(claim, values()), claims).unwrap();
}
