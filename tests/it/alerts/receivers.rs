//! Each kind of receiver, its validation, and where messages may go.

use poem::http::StatusCode;
use serde_json::{Value, json};
use windlass::outbound::sign;

use super::smtp::MailServer;
use super::{Service, Watch};

fn own(kind: &str, url: &str) -> Value {
    json!({"type": kind, "url": url, "secret": "hidden-key"})
}

#[tokio::test]
async fn each_kind_gets_its_own_format() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let mut receivers = Vec::new();
    for kind in ["WEBHOOK", "TEAMS", "DISCORD", "NTFY", "PAGERDUTY", "OPSGENIE"] {
        let receiver = watch.receiver(own(kind, &format!("{url}/{}", kind.to_lowercase()))).await;
        let shown = watch.it.client.get(&format!("/alert-receivers/{receiver}")).await.expect(200);
        assert_eq!((&shown["type"], &shown["host"], &shown["secret_set"]), (&json!(kind), &json!(url), &json!(true)));
        assert!(!shown.to_string().contains("hidden-key"), "{shown}");
        receivers.push(receiver);
    }
    watch.rule(&receivers.iter().collect::<Vec<_>>(), json!({})).await;
    let job = watch.job("job").await;
    watch.run(&[&job], 1).await;
    assert_eq!(watch.pass_after(1).await, 6);
    let calls = service.take();
    let call = |path: &str| calls.iter().find(|call| call.path == path).unwrap_or_else(|| panic!("{path}: {calls:?}"));
    let body = |path: &str| serde_json::from_str::<Value>(&call(path).body).unwrap();
    let header = |path: &str, name: &str| call(path).headers[name].to_str().unwrap().to_owned();
    let at: i64 = header("webhook", "webhook-timestamp").parse().unwrap();
    let signature = sign::signature(b"hidden-key", &header("webhook", "webhook-id"), at, &call("webhook").body);
    assert_eq!(header("webhook", "webhook-signature"), signature);
    assert_eq!(body("webhook")["type"], "alert.firing");
    assert!(body("discord")["content"].as_str().unwrap().starts_with("[HIGH] failed: job"));
    assert_eq!(body("teams")["attachments"][0]["content"]["body"][0]["text"], "[HIGH] failed: job");
    assert_eq!(header("ntfy", "authorization"), "Bearer hidden-key");
    assert_eq!(body("pagerduty")["routing_key"], "hidden-key");
    assert_eq!(header("opsgenie/v2/alerts", "authorization"), "GenieKey hidden-key");
    let key = body("pagerduty")["dedup_key"].clone();
    watch.run(&[&job], 0).await;
    assert_eq!(watch.pass_after(2).await + watch.pass_after(2).await, 6);
    let calls = service.take();
    let page = calls.iter().find(|call| call.path == "pagerduty").unwrap();
    let page: Value = serde_json::from_str(&page.body).unwrap();
    assert_eq!((&page["event_action"], &page["dedup_key"]), (&json!("resolve"), &key));
}

#[tokio::test]
async fn a_validation_sends_a_message() {
    let watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.slack(&url).await;
    let path = format!("/alert-receivers/{slack}/validate");
    watch.it.client.post(&path, json!({"message": "is anybody there?"})).await.expect(200);
    assert!(service.texts()[0].contains("is anybody there?"));
    service.answers(StatusCode::FORBIDDEN);
    let detail = watch.it.client.post(&path, json!({})).await.detail(400);
    assert!(detail.contains("the receiver answered 403: heard"), "{detail}");
    service.take();
    service.answers(StatusCode::OK);
    let (server, address) = MailServer::start().await;
    let mail = json!({
        "organization_id": watch.it.organization, "name": "m", "description": "", "type": "EMAIL", "send_resolved": false,
        "to": "a@example.com", "from": "b@example.com", "smarthost": address, "auth_password": "", "require_tls": false,
    });
    let body = json!({"alert_receiver": mail, "message": "by mail"});
    watch.it.client.post("/alert-receivers/validate", body).await.expect(200);
    let accepted = server.accepted.lock().unwrap().clone();
    assert!(accepted[0].data.contains("by mail"), "{accepted:?}");
    assert!(accepted[0].login.is_none(), "an empty password is none");
    let listed = watch.it.client.get(&format!("/organization/{}/alert-receivers", watch.it.organization)).await;
    assert_eq!(listed.expect(200)["results"].as_array().unwrap().len(), 1, "a validation stores nothing");
}

#[tokio::test]
async fn messages_go_only_where_they_may() {
    let app = crate::harness::TestApp::new().await;
    let it = app.furnished().await;
    let base = json!({
        "organization_id": it.organization, "name": "x", "description": "", "send_resolved": true, "secret": "k",
        "to": "a@example.com", "from": "b@example.com", "auth_password": "p", "require_tls": true,
    });
    for (kind, field, value) in [
        ("SLACK", "webhook_url", "http://127.0.0.1/x"),
        ("SLACK", "webhook_url", "ftp://example.com"),
        ("WEBHOOK", "url", "http://169.254.169.254/latest"),
        ("PAGERDUTY", "url", "http://[::1]/"),
        ("EMAIL", "smarthost", "127.0.0.1:25"),
        ("EMAIL", "smarthost", "mail.example.com"),
        ("EMAIL", "to", "nobody"),
        ("TEAMS", "type", "TELEGRAM"),
    ] {
        let mut body = base.clone();
        body["type"] = json!(kind);
        body["smarthost"] = json!("smtp.example.com:587");
        body[field] = json!(value);
        let detail = it.client.post("/alert-receivers", body).await.detail(400);
        assert!(detail.contains(field), "{kind} {value}: {detail}");
        if field == "type" {
            for kind in ["SLACK", "EMAIL", "WEBHOOK", "TEAMS", "DISCORD", "NTFY", "PAGERDUTY", "OPSGENIE"] {
                assert!(detail.contains(kind), "{kind}: {detail}");
            }
        }
    }
    // A name that resolves to such an address is refused when the connection is made.
    let mut mail = base.clone();
    mail["type"] = json!("EMAIL");
    mail["smarthost"] = json!("localhost:25");
    let detail = it.client.post("/alert-receivers/validate", json!({"alert_receiver": mail})).await.detail(400);
    assert!(detail.contains("which is not allowed"), "{detail}");
    let slack = json!({
        "organization_id": it.organization, "name": "x", "description": "", "type": "SLACK", "send_resolved": true,
        "webhook_url": "http://localhost/x",
    });
    let detail = it.client.post("/alert-receivers/validate", json!({"alert_receiver": slack})).await.detail(400);
    assert!(detail.contains("which is not allowed"), "{detail}");
}

#[tokio::test]
async fn a_deleted_receiver_leaves_its_rules() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let (gone, stays) = (watch.slack(&url).await, watch.slack(&url).await);
    let rule = watch.rule(&[&gone, &stays], json!({})).await;
    let job = watch.job("job").await;
    watch.run(&[&job], 1).await;
    watch.pass().await;
    watch.it.client.delete(&format!("/alert-receivers/{gone}")).await.expect(204);
    assert_eq!(watch.shown(&rule).await["alert_receiver_ids"], json!([stays]));
    assert_eq!(watch.pass_after(1).await, 1, "the message to the other one is sent");
    assert_eq!(service.take().len(), 1);
}
