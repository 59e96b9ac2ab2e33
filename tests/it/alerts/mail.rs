//! Alerts by mail.

use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
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

/// A server that examines a mail before it accepts it takes its time. Whoever hangs up has to send it again, and it is read twice.
#[tokio::test]
async fn a_slow_mail_server_gets_a_mail_once() {
    let mut watch = Watch::new().await;
    let (server, address) = MailServer::start().await;
    let mail = watch.receiver(receiver(&address)).await;
    let rule = watch.rule(&[&mail], json!({})).await;
    let job = watch.job("nightly").await;
    *server.slowness.lock().unwrap() = Duration::from_secs(41);
    watch.run(&[&job], 1).await;
    assert_eq!(watch.pass_after(1).await, 1);
    let shown = watch.it.client.get(&format!("/alert-receivers/{mail}")).await.expect(200);
    assert!(shown["last_error"].is_null(), "{shown}");
    assert_eq!(watch.shown(&rule).await["state"], "NOTIFIED");
    assert_eq!(watch.pass_after(3600).await, 0);
    assert_eq!(server.accepted.lock().unwrap().len(), 1);
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

/// Tells the test that it runs in a process of its own, which trusts a certificate.
const CHILD: &str = "WINDLASS_TEST_MAIL_CERTIFICATE";

/// Runs in a process of its own, because a process reads once which certificates it trusts.
#[tokio::test]
async fn a_mail_is_encrypted_if_the_certificate_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let Ok(trusted) = std::env::var(CHILD) else {
        let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        std::fs::write(&cert, own.cert.pem()).unwrap();
        std::fs::write(&key, own.signing_key.serialize_pem()).unwrap();
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "alerts::mail::a_mail_is_encrypted_if_the_certificate_is_trusted", "--nocapture"])
            .env(CHILD, folder.path())
            .env("SSL_CERT_FILE", &cert)
            .env_remove("SSL_CERT_DIR")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(
            child.status.success() && said.contains("1 passed"),
            "{said}\n{}",
            String::from_utf8_lossy(&child.stderr)
        );
        return;
    };
    let key = std::fs::read_to_string(format!("{trusted}/key.pem")).unwrap();
    let key = rcgen::KeyPair::from_pem(&key).unwrap();
    let trusted = std::fs::read(format!("{trusted}/cert.pem")).unwrap();
    let trusted = rustls::pki_types::CertificateDer::from_pem_slice(&trusted).unwrap();
    let mut watch = Watch::new().await;
    let (server, address) = MailServer::encrypted(trusted, &key).await;
    let (stranger, other) = MailServer::encrypted(own.cert.der().clone(), &own.signing_key).await;
    let mut settings = receiver(&address.replace("127.0.0.1", "localhost"));
    settings["require_tls"] = json!(true);
    let mail = watch.receiver(settings.clone()).await;
    watch.rule(&[&mail], json!({})).await;
    let job = watch.job("nightly").await;
    watch.run(&[&job], 1).await;
    assert_eq!(watch.pass_after(1).await, 1);
    let accepted = server.accepted.lock().unwrap().clone();
    assert_eq!(accepted.len(), 1);
    assert!(accepted[0].encrypted && accepted[0].login.is_some(), "{accepted:?}");
    // A certificate that nobody vouches for gets neither the mail nor the password, whether TLS is required or not.
    for require_tls in [true, false] {
        settings["smarthost"] = json!(other.replace("127.0.0.1", "localhost"));
        settings["require_tls"] = json!(require_tls);
        let mail = watch.receiver(settings.clone()).await;
        let detail = watch.it.client.post(&format!("/alert-receivers/{mail}/validate"), json!({})).await.detail(400);
        assert!(detail.contains("the test message was not accepted"), "{detail}");
    }
    assert!(stranger.accepted.lock().unwrap().is_empty());
}
