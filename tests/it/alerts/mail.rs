//! Alerts by mail.

use serde_json::{Value, json};

use super::Watch;
use super::smtp::MailServer;

fn receiver(address: &str) -> Value {
    json!({
        "type": "EMAIL", "to": "on-call@example.com", "from": "windlass@example.com", "smarthost": address,
        "auth_username": "windlass", "auth_password": "hidden-password", "require_tls": false,
    })
}

#[tokio::test]
async fn an_alert_is_mailed() {
    let mut watch = Watch::new().await;
    let (server, address) = MailServer::start().await;
    let mail = watch.receiver(receiver(&address)).await;
    watch.rule(&[&mail], json!({})).await;
    let job = watch.job("nightly\r\nBcc: other@example.com".replace("\r\n", " ").as_str()).await;
    watch.run(&[&job], 1).await;
    // A failure at the end of the data is a failure.
    *server.refuses.lock().unwrap() = Some("451 try later".into());
    assert_eq!(watch.pass_after(1).await, 1);
    assert!(server.accepted.lock().unwrap().is_empty());
    let shown = watch.it.client.get(&format!("/alert-receivers/{mail}")).await.expect(200);
    assert!(shown["last_error"].as_str().unwrap().contains("try later"), "{shown}");
    assert!(!shown.to_string().contains("hidden-password"));
    *server.refuses.lock().unwrap() = None;
    assert_eq!(watch.pass_after(5).await, 1);
    let accepted = server.accepted.lock().unwrap().clone();
    assert_eq!(accepted.len(), 1);
    let mail = &accepted[0];
    assert!(mail.to.contains("<on-call@example.com>") && mail.from.contains("<windlass@example.com>"), "{mail:?}");
    // \0windlass\0hidden-password
    assert_eq!(mail.login.as_deref(), Some("AHdpbmRsYXNzAGhpZGRlbi1wYXNzd29yZA=="));
    assert!(mail.data.contains("Subject: [HIGH] failed: nightly Bcc: other@example.com"), "{}", mail.data);
    assert!(mail.data.contains("/console/run/"), "{}", mail.data);
    assert_eq!(watch.pass_after(86_400).await, 0);
}

#[tokio::test]
async fn a_mail_server_without_tls_gets_nothing_where_tls_is_required() {
    let watch = Watch::new().await;
    let (server, address) = MailServer::start().await;
    let mut settings = receiver(&address);
    settings["require_tls"] = json!(true);
    let mail = watch.receiver(settings).await;
    let path = format!("/alert-receivers/{mail}/validate");
    let detail = watch.it.client.post(&path, json!({})).await.detail(400);
    assert!(detail.contains("the test message was not accepted"), "{detail}");
    assert!(!detail.contains("hidden-password"), "{detail}");
    assert!(server.accepted.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_password_is_bound_to_its_host() {
    let watch = Watch::new().await;
    let (_server, address) = MailServer::start().await;
    let mail = watch.receiver(receiver(&address)).await;
    let mut edit = receiver("smtp.example.com:587");
    for (key, value) in [("name", json!("x")), ("description", json!("")), ("send_resolved", json!(true))] {
        edit[key] = value;
    }
    edit["require_tls"] = json!(true);
    edit["auth_password"] = Value::Null;
    let path = format!("/alert-receivers/{mail}");
    let detail = watch.it.client.put(&path, edit.clone()).await.detail(400);
    assert!(detail.starts_with("auth_password: must be given again"), "{detail}");
    edit["auth_password"] = json!("hidden-new");
    edit["require_tls"] = json!(false);
    let detail = watch.it.client.put(&path, edit.clone()).await.detail(400);
    assert!(detail.starts_with("require_tls: must be true"), "{detail}");
    edit["require_tls"] = json!(true);
    let shown = watch.it.client.put(&path, edit).await.expect(200);
    assert_eq!(shown["smarthost"], "smtp.example.com:587");
}
