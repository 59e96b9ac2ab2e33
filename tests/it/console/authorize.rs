//! `terraform login`: a person agrees, and the program gets a token of theirs, once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entity::member::Role;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::browser::{Browser, between};
use crate::harness::{Client, TestApp};

const VERIFIER: &str = "a-verifier-that-only-the-program-knows-0123456789";
const LISTENS: &str = "http://localhost:10000/login";

fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

fn encoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The page that a program opens.
fn page(changed: &[(&str, &str)]) -> String {
    let challenge = challenge();
    let mut pairs = vec![
        ("client_id", "terraform-cli"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
        ("redirect_uri", LISTENS),
        ("response_type", "code"),
        ("state", "a b&c"),
    ];
    for (name, value) in changed {
        pairs.retain(|(known, _)| known != name);
        pairs.push((name, value));
    }
    format!("/console/authorize?{}", encoded(&pairs))
}

/// Agrees, and returns the code.
async fn code(me: &Browser) -> String {
    let fields = [("redirect_uri", LISTENS), ("code_challenge", &*challenge()), ("state", "a b&c")];
    let to = me.submit(&page(&[]), "/console/authorize", &fields).await.leads();
    assert!(to.starts_with("http://localhost:10000/login?code=") && to.ends_with("&state=a+b%26c"), "{to}");
    between(&to, "code=", "&").unwrap().to_owned()
}

async fn exchange(client: &Client, changed: &[(&str, &str)]) -> (u16, Value) {
    let mut pairs = vec![
        ("client_id", "terraform-cli"),
        ("grant_type", "authorization_code"),
        ("code_verifier", VERIFIER),
        ("redirect_uri", LISTENS),
    ];
    for (name, value) in changed {
        pairs.retain(|(known, _)| known != name);
        pairs.push((name, value));
    }
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer = client.call_with("POST".parse().unwrap(), "/oauth/token", Some(&encoded(&pairs)), &headers).await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn a_program_gets_a_token_of_the_person_who_agrees() {
    let app = TestApp::new().await;
    let me = Browser::first(&app).await;
    let shown = me.get(&page(&[])).await.expect(200);
    assert!(shown.contains(LISTENS) && shown.contains("asks to act as"), "{shown}");
    let nobody = app.client(None);
    let (status, token) = exchange(&nobody, &[("code", &code(&me).await)]).await;
    assert_eq!((status, token["token_type"].as_str()), (200, Some("bearer")), "{token}");
    let program = app.client(Some(format!("Bearer {}", token["access_token"].as_str().unwrap())));
    program.get("/api/v2/account/details").await.expect(200);
    // It is one of the tokens of the person, and they can revoke it.
    let tokens = me.get("/console/account/tokens").await.expect(200);
    assert!(tokens.contains("terraform login"), "{tokens}");
    let revoke = between(&tokens, "action=\"/console/account/token/", "\"").unwrap().to_owned();
    me.submit("/console/account/tokens", &format!("/console/account/token/{revoke}"), &[]).await.leads();
    assert_eq!(program.get("/api/v2/account/details").await.status, 401);
}

#[tokio::test]
async fn a_code_works_once_for_whoever_asked_for_it() {
    let app = TestApp::new().await;
    let me = Browser::first(&app).await;
    let nobody = app.client(None);
    for changed in [("code_verifier", "another"), ("redirect_uri", "http://localhost:10001/login")] {
        let code = code(&me).await;
        let (status, refused) = exchange(&nobody, &[("code", &code), changed]).await;
        assert_eq!((status, refused["error"].as_str()), (400, Some("invalid_grant")), "{changed:?}");
        // Whoever tries in vain uses it up.
        assert_eq!(exchange(&nobody, &[("code", &code)]).await.0, 400, "{changed:?}");
    }
    let once = code(&me).await;
    assert_eq!(exchange(&nobody, &[("code", &once)]).await.0, 200);
    assert_eq!(exchange(&nobody, &[("code", &once)]).await.0, 400);
    let late = code(&me).await;
    app.clock.forward(601);
    assert_eq!(exchange(&nobody, &[("code", &late)]).await.0, 400);
    for (changed, error) in [
        (("grant_type", "password"), "unsupported_grant_type"),
        (("client_id", "other"), "invalid_client"),
        (("code", ""), "invalid_grant"),
    ] {
        let (status, refused) = exchange(&nobody, &[changed]).await;
        assert_eq!((status, refused["error"].as_str()), (400, Some(error)), "{changed:?}");
    }
    let answer = nobody.post("/oauth/token", serde_json::json!({})).await;
    assert_eq!((answer.status, answer.body["error"].as_str()), (400, Some("invalid_request")));
}

#[tokio::test]
async fn only_people_agree_and_only_to_programs_on_their_computer() {
    let app = TestApp::new().await;
    let me = Browser::first(&app).await;
    for changed in [
        ("client_id", "other"),
        ("response_type", "token"),
        ("code_challenge_method", "plain"),
        ("code_challenge", "short"),
        ("redirect_uri", "https://evil.example/login"),
        ("redirect_uri", "http://localhost.evil.example:1/"),
        ("state", ""),
    ] {
        let shown = me.get(&page(&[changed])).await.expect(400);
        assert!(shown.to_lowercase().contains(&format!("<p>{}: must ", changed.0)), "{changed:?}: {shown}");
    }
    let elsewhere = [("redirect_uri", "http://evil.example:1/"), ("code_challenge", &*challenge()), ("state", "s")];
    assert_eq!(me.submit(&page(&[]), "/console/authorize", &elsewhere).await.status, 400);
    // Another site cannot agree for them.
    let fields = [("redirect_uri", LISTENS), ("code_challenge", &*challenge()), ("state", "s")];
    assert_eq!(me.post("/console/authorize", "forged", &fields).await.status, 403);
    let it = app.furnished().await;
    let token = Browser::new(&app, it.organization, Role::Admin).await;
    assert!(token.get(&page(&[])).await.expect(403).contains("TF_TOKEN_"));
    // Somebody who is not signed in comes back after they have.
    let (status, headers) = app.client(Some("Token x".into())).headers("GET", &page(&[]), None).await;
    let to = headers["location"].to_str().unwrap();
    assert!(status == 303 && to.starts_with("/console/sign-in?next=%2Fconsole%2Fauthorize%3Fclient_id"), "{to}");
}
