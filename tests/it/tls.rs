//! TLS by the server itself: its certificate, reloading it, and what a server says about plain HTTP.

use std::fs;
use std::path::Path;
use std::process::Command;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use reqwest::{Certificate, Client};

use crate::harness::wait_for;
use crate::server::Server;

/// A new certificate for `localhost` and its address, in PEM.
pub(crate) fn certificate() -> (String, String) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    (cert.pem(), signing_key.serialize_pem())
}

fn place(folder: &Path, (certificate, key): &(String, String)) {
    fs::write(folder.join("cert.pem"), certificate).unwrap();
    fs::write(folder.join("key.pem"), key).unwrap();
}

/// A client that trusts one certificate only.
fn trusting(pem: &str) -> Client {
    let _installed = rustls::crypto::ring::default_provider().install_default();
    Client::builder().tls_certs_only([Certificate::from_pem(pem.as_bytes()).unwrap()]).build().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_certificate_is_reloaded_and_connections_stay() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (certificate(), certificate());
    place(folder.path(), &old);
    let words = ["serve", "--runner", "process", "--tls-certificate", "cert.pem", "--tls-key", "key.pem"];
    let server = Server::start(folder.path(), &words, None);
    let port = server.url.rsplit(':').next().unwrap().to_owned();
    assert!(server.url.starts_with("https://"), "{}", server.url);
    let url = |path: &str| format!("https://localhost:{port}{path}");
    let health = async |client: &Client| client.get(url("/health")).send().await?.text().await;
    let kept = trusting(&old.0);
    let answer = kept.get(url("/health/live")).send().await.unwrap();
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
    let listen = format!("127.0.0.1:{port}");
    let checked = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_windlass"));
        command.args(["healthcheck", "--listen", &listen, "--tls-certificate", "cert.pem", "--tls-key", "key.pem"]);
        command.current_dir(folder.path()).status().unwrap().success()
    };
    assert!(checked());

    // What cannot be used changes nothing, and is shown.
    fs::write(folder.path().join("key.pem"), "no key").unwrap();
    wait_for("the fault", async || {
        health(&trusting(&old.0)).await.unwrap().contains("\"certificate\":\"cannot be reloaded\"").then_some(())
    })
    .await;
    assert!(!checked());
    // Neither does a key of another certificate.
    place(folder.path(), &(old.0.clone(), new.1.clone()));
    health(&trusting(&old.0)).await.unwrap();

    place(folder.path(), &new);
    wait_for("the new certificate", async || health(&trusting(&new.0)).await.ok()).await;
    assert!(health(&trusting(&new.0)).await.unwrap().contains("\"certificate\":\"well\""));
    assert!(health(&trusting(&old.0)).await.is_err(), "the old certificate is still in use");
    // The connection from before the change.
    health(&kept).await.unwrap();
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (certificate(), certificate());
    let start = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_windlass"));
        command.current_dir(folder.path()).args(["serve", "--listen", "127.0.0.1:0"]).args(words);
        let output = command.output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let both = ["--tls-certificate", "cert.pem", "--tls-key", "key.pem"];
    let says = start(&both);
    assert!(says.contains("--tls-certificate: cannot read cert.pem: No such file"), "{says}");
    for (pair, expected) in [
        ((String::new(), one.1.clone()), "--tls-certificate: cert.pem has no certificate"),
        ((one.0.clone(), one.0.clone()), "--tls-key: key.pem has no private key in PEM"),
        ((one.0.clone(), other.1.clone()), "--tls-key: key.pem does not fit cert.pem"),
    ] {
        place(folder.path(), &pair);
        let says = start(&both);
        assert!(says.contains(expected), "{says}");
    }
    let says = start(&both[..2]);
    assert!(says.contains("--tls-key"), "{says}");
}

/// Built, but never bound.
#[tokio::test]
async fn plain_http_that_others_can_reach_is_warned_of() {
    let warned = |listen: &str, change: fn(&mut windlass::config::Config)| {
        let mut config = crate::harness::config("unused".into(), "sqlite::memory:");
        config.listen = listen.parse().unwrap();
        change(&mut config);
        windlass::server::plain_http_warning(&config).is_some()
    };
    assert!(warned("0.0.0.0:8080", |_| {}) && warned("[::]:8080", |_| {}) && warned("192.0.2.1:8080", |_| {}));
    assert!(!warned("127.0.0.1:8080", |_| {}) && !warned("[::1]:8080", |_| {}));
    assert!(!warned("0.0.0.0:8080", |config| config.behind_tls_proxy = true));
    assert!(!warned("0.0.0.0:8080", |config| config.tls_certificate = Some("cert.pem".into())));
}
