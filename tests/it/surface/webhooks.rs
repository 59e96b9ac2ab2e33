//! Webhooks: their events, signatures and retries, and the addresses that are forbidden.

use std::sync::{Arc, Mutex};

use poem::http::{HeaderMap, StatusCode};
use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use poem::web::Data;
use poem::{EndpointExt as _, IntoResponse, Response, Route, handler, post};
use serde_json::{Value, json};
use windlass::outbound::{self, sign};

use crate::harness::{Furnished, TestApp, id};

/// A receiver that records its requests, and answers with given statuses.
#[derive(Default)]
struct Other {
    received: Mutex<Vec<(HeaderMap, String)>>,
    answer: Mutex<Option<StatusCode>>,
}

#[handler]
fn receive(other: Data<&Arc<Other>>, headers: &HeaderMap, body: String) -> Response {
    other.received.lock().unwrap().push((headers.clone(), body));
    let status = other.answer.lock().unwrap().unwrap_or(StatusCode::OK);
    let response = Response::builder().status(status);
    let response = if status.is_redirection() { response.header("location", "/elsewhere") } else { response };
    response.body("thanks").into_response()
}

async fn other_system() -> (Arc<Other>, String) {
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
    let url = format!("http://{}/hook", acceptor.local_addr()[0].as_socket_addr().unwrap());
    let other = Arc::new(Other::default());
    let routes = Route::new().at("/hook", post(receive)).at("/elsewhere", post(receive)).data(other.clone());
    tokio::spawn(poem::Server::new_with_acceptor(acceptor).run(routes.map_to_response()));
    (other, url)
}

async fn hook(it: &Furnished, change: Value) -> String {
    let mut body = json!({
        "kind": "STANDARD", "target_url": "https://hooks.example.com", "target_secret": "whsec_c2VjcmV0LXNlY3JldA==",
        "events": ["DEPLOYMENT_STARTED", "DEPLOYMENT_SUCCESSFUL", "DEPLOYMENT_FAILURE", "DEPLOYMENT_CANCELLED"],
    });
    for (key, value) in change.as_object().unwrap() {
        body[key] = value.clone();
    }
    id(&it.client.post(&format!("/organization/{}/webhook", it.organization), body).await.expect(201))
}

async fn deliveries(it: &Furnished, hook: &str) -> Vec<Value> {
    let path = format!("/organization/{}/webhook/{hook}/event", it.organization);
    it.client.get(&path).await.expect(200)["results"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_deployment_is_told_with_a_signature() {
    let app = TestApp::with_private_webhooks().await;
    let it = app.furnished().await;
    let (other, url) = other_system().await;
    let made = hook(&it, json!({"target_url": url})).await;
    it.deployed(&app, it.cron("job", "@daily")).await;
    assert_eq!(outbound::send(&app.app).await.unwrap(), 2);
    assert_eq!(outbound::send(&app.app).await.unwrap(), 0, "each is sent once");
    let received = other.received.lock().unwrap().clone();
    let mut kinds: Vec<Value> =
        received.iter().map(|(_, body)| serde_json::from_str::<Value>(body).unwrap()["type"].clone()).collect();
    kinds.sort_by_key(ToString::to_string);
    assert_eq!(kinds, ["DEPLOYMENT_STARTED", "DEPLOYMENT_SUCCESSFUL"]);
    for (headers, body) in &received {
        let text = |name: &str| headers[name].to_str().unwrap().to_owned();
        let at: i64 = text("webhook-timestamp").parse().unwrap();
        let expected = sign::signature(b"secret-secret", &text("webhook-id"), at, body);
        assert_eq!(text("webhook-signature"), expected);
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!((&body["data"]["project_name"], &body["data"]["triggered_by"]), (&json!("shop"), &json!("test")));
    }
    let log = deliveries(&it, &made).await;
    assert_eq!(
        (&log[0]["target_response_status_code"], &log[0]["target_response_body"]),
        (&json!(200), &json!("thanks"))
    );
    let shown = it.client.get(&format!("/organization/{}/webhook/{made}", it.organization)).await.expect(200);
    assert_eq!(shown["target_secret_set"], true);
    assert!(!shown.to_string().contains("whsec_"));
}

#[tokio::test]
async fn filters_choose_what_is_told() {
    let app = TestApp::with_private_webhooks().await;
    let it = app.furnished().await;
    let all = hook(&it, json!({"project_names_filter": ["shop"], "environment_types_filter": ["DEVELOPMENT"]})).await;
    let none = [
        hook(&it, json!({"project_names_filter": ["other"]})).await,
        hook(&it, json!({"environment_types_filter": ["PRODUCTION"]})).await,
        hook(&it, json!({"enabled": false})).await,
        hook(&it, json!({"events": ["DEPLOYMENT_FAILURE"]})).await,
    ];
    let slack = hook(&it, json!({"kind": "SLACK", "events": ["DEPLOYMENT_STARTED"]})).await;
    it.deployed(&app, it.cron("job", "@daily")).await;
    assert_eq!(deliveries(&it, &all).await.len(), 2);
    for hook in none {
        assert_eq!(deliveries(&it, &hook).await.len(), 0);
    }
    let sent = deliveries(&it, &slack).await;
    assert!(sent[0]["request"]["text"].as_str().unwrap().contains("DEPLOY of shop / staging has started"), "{sent:?}");
}

#[tokio::test]
async fn what_fails_is_tried_again_with_growing_pauses() {
    let app = TestApp::with_private_webhooks().await;
    let it = app.furnished().await;
    let (other, url) = other_system().await;
    let made = hook(&it, json!({"target_url": url, "events": ["DEPLOYMENT_STARTED"]})).await;
    it.deployed(&app, it.cron("job", "@daily")).await;
    // A redirect counts as a failure, and is not followed.
    *other.answer.lock().unwrap() = Some(StatusCode::FOUND);
    let mut attempts = 0;
    for pause in [0, 5, 30, 300, 1800, 7200, 28_800, 86_400] {
        app.clock.forward(pause - 1);
        assert_eq!(outbound::send(&app.app).await.unwrap(), 0, "not before {pause} s");
        app.clock.forward(1);
        assert_eq!(outbound::send(&app.app).await.unwrap(), 1);
        attempts += 1;
        assert_eq!(other.received.lock().unwrap().len(), attempts);
    }
    app.clock.forward(1_000_000);
    assert_eq!(outbound::send(&app.app).await.unwrap(), 0, "it was tried for the last time");
    assert_eq!(deliveries(&it, &made).await[0]["target_response_status_code"], 302);
    let ids: Vec<_> = other.received.lock().unwrap().iter().map(|(headers, _)| headers["webhook-id"].clone()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "the other side can tell that it is the same");
}

#[tokio::test]
async fn calls_go_only_where_they_may() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = format!("/organization/{}/webhook", it.organization);
    for url in [
        "http://127.0.0.1/x",
        "http://[::1]:80/",
        "http://169.254.169.254/latest",
        "http://10.0.0.1",
        "ftp://x",
        "http://a@b/",
    ] {
        let body = json!({"kind": "STANDARD", "target_url": url, "events": ["DEPLOYMENT_STARTED"]});
        let detail = it.client.post(&path, body).await.detail(400);
        assert!(detail.starts_with("target_url"), "{url}: {detail}");
    }
    let body = json!({"kind": "STANDARD", "target_url": "https://x.example", "target_secret": "whsec_%", "events": ["DEPLOYMENT_STARTED"]});
    assert!(it.client.post(&path, body).await.detail(400).starts_with("target_secret"));
    // A host name is checked when the connection is made.
    let (other, url) = other_system().await;
    let port = url.rsplit_once(':').unwrap().1;
    let made =
        hook(&it, json!({"target_url": format!("http://localhost:{port}"), "events": ["DEPLOYMENT_STARTED"]})).await;
    it.deployed(&app, it.cron("job", "@daily")).await;
    assert_eq!(outbound::send(&app.app).await.unwrap(), 1);
    assert!(other.received.lock().unwrap().is_empty());
    let log = deliveries(&it, &made).await;
    assert!(log[0]["target_response_body"].as_str().unwrap().contains("not allowed"), "{log:?}");
}

/// A delivery goes to the target that it was made for, and its signature is one of the secret of that target, or there is none.
#[tokio::test]
async fn a_delivery_for_an_older_target_is_not_signed_with_the_secret_of_another() {
    let app = TestApp::with_private_webhooks().await;
    let it = app.furnished().await;
    let ((old, old_url), (new, new_url)) = (other_system().await, other_system().await);
    let (old_secret, new_secret) = ("whsec_b2xkLXNlY3JldC1vbGQ=", "whsec_bmV3LXNlY3JldC1uZXc=");
    let events = ["DEPLOYMENT_STARTED"];
    let made = hook(&it, json!({"target_url": old_url, "target_secret": old_secret, "events": events})).await;
    let path = format!("/organization/{}/webhook/{made}", it.organization);
    let moved = async |url: &str, secret: &str| {
        let body = json!({"kind": "STANDARD", "target_url": url, "target_secret": secret, "events": events});
        it.client.put(&path, body).await.expect(200);
    };
    it.deployed(&app, it.cron("job", "@daily")).await;
    moved(&new_url, new_secret).await;
    assert_eq!(outbound::send(&app.app).await.unwrap(), 1);
    assert!(old.received.lock().unwrap().is_empty() && new.received.lock().unwrap().is_empty());
    let told = deliveries(&it, &made).await[0]["target_response_body"].as_str().unwrap().to_owned();
    assert!(told.contains("another target now"), "{told}");
    // With its old target and secret, it is delivered there.
    moved(&old_url, old_secret).await;
    app.clock.forward(60);
    assert_eq!(outbound::send(&app.app).await.unwrap(), 1);
    let received = old.received.lock().unwrap().clone();
    assert!(new.received.lock().unwrap().is_empty());
    let [(headers, body)] = &received[..] else { panic!("{received:?}") };
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    let at: i64 = text("webhook-timestamp").parse().unwrap();
    assert_eq!(text("webhook-signature"), sign::signature(b"old-secret-old", &text("webhook-id"), at, body));
}
