//! `windlass doctor`: each thing that is wrong is found, with a remedy and the exit code 1, and nothing is changed.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use sea_orm::ConnectionTrait as _;
use serde_json::Value;
use windlass::store;

use crate::harness::TestApp;
use crate::server::Server;

/// What an examination said.
struct Examined {
    code: i32,
    findings: Vec<Value>,
}

impl Examined {
    /// The outcome and the detail of the only finding about a subject.
    #[track_caller]
    fn of(&self, subject: &str) -> (&str, &str) {
        let finding = self.findings.iter().find(|finding| finding["subject"] == subject);
        let finding = finding.unwrap_or_else(|| panic!("nothing about {subject}: {:#?}", self.findings));
        (finding["outcome"].as_str().unwrap(), finding["detail"].as_str().unwrap())
    }

    /// A finding with this outcome, a text in its detail, and a remedy.
    #[track_caller]
    fn has(&self, outcome: &str, subject: &str, text: &str) {
        let found = self.findings.iter().any(|finding| {
            let says = finding["detail"].as_str().unwrap().contains(text);
            finding["subject"] == subject && finding["outcome"] == outcome && says && finding["remedy"].is_string()
        });
        assert!(found, "no {outcome} about {subject} with {text:?}: {:#?}", self.findings);
        assert_eq!(self.code, i32::from(self.findings.iter().any(|finding| finding["outcome"] == "wrong")));
    }
}

fn examine(folder: &Path, words: &[&str]) -> Examined {
    let mut command = Command::new(env!("CARGO_BIN_EXE_windlass"));
    command.args(["doctor", "-o", "json", "--log", "off"]).args(words).current_dir(folder);
    // Flags of a test take precedence.
    command.env("WINDLASS_LISTEN", "127.0.0.1:0").env("WINDLASS_DATA_DIR", folder).env("WINDLASS_RUNNER", "process");
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let answer: Value = serde_json::from_str(&text)
        .unwrap_or_else(|_| panic!("{words:?}: {text}{}", String::from_utf8_lossy(&output.stderr)));
    Examined { code: output.status.code().unwrap(), findings: answer["findings"].as_array().unwrap().clone() }
}

/// A private folder.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    folder
}

/// Answers every request with the document that `of` makes of its path and its own address. Ends with the process.
fn answering(of: impl Fn(&str, &str) -> String + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = format!("http://{}", listener.local_addr().unwrap());
    let address = own.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = [0; 4096];
            let length = stream.read(&mut bytes).unwrap_or_default();
            let request = String::from_utf8_lossy(&bytes[..length]).into_owned();
            let body = of(request.split(' ').nth(1).unwrap_or_default(), &own);
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ";
            let _sent = stream.write_all(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes());
        }
    });
    address
}

#[test]
fn a_new_place_is_in_order_and_stays_as_it_is() {
    let folder = folder();
    let examined = examine(folder.path(), &[]);
    assert_eq!(examined.code, 0, "{:#?}", examined.findings);
    for subject in ["data folder", "database", "keys", "listen address", "plain processes", "time zones"] {
        assert_eq!(examined.of(subject).0, "ok", "{subject}");
    }
    assert!(examined.of("database").1.ends_with("is not there yet; the server creates it"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was created");
    // For people.
    let mut command = Command::new(env!("CARGO_BIN_EXE_windlass"));
    command.args(["doctor", "--log", "off", "--public-url", "nonsense"]).current_dir(folder.path());
    let output = command.env("WINDLASS_DATA_DIR", folder.path()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.starts_with("WRONG    settings ") && text.contains("-> begin it with http:// or https://"), "{text}");
}

#[test]
fn settings_that_do_not_fit_together_are_found() {
    let folder = folder();
    let examined = |words: &[&str]| examine(folder.path(), words);
    let issuer = answering(|_, _| "{}".into());
    for (words, outcome, text) in [
        (vec!["--public-url", "nonsense"], "wrong", "--public-url is \"nonsense\", which is no address"),
        (vec!["--step-url", "ftp://host"], "wrong", "--step-url is \"ftp://host\""),
        (vec!["--oidc-issuer", &issuer], "wrong", "without --oidc-audience"),
        (vec!["--in-cluster"], "wrong", "there is no service account"),
        (vec!["--max-runs", "0"], "warning", "--max-runs is 0"),
        (vec!["--listen", "0.0.0.0:0"], "warning", "plain HTTP on an address that others can reach"),
        (vec!["--behind-tls-proxy", "--public-url", "http://localhost:1"], "warning", "a proxy terminates TLS"),
        (vec!["--runner", "docker"], "warning", "cannot reach the server at a loopback address"),
    ] {
        examined(&words).has(outcome, "settings", text);
    }
}

#[test]
fn a_folder_that_cannot_be_used_is_found() {
    let folder = folder();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let of = |path: &Path| examine(folder.path(), &["--data-dir", &path.display().to_string()]);
    of(&file).has("wrong", "data folder", "is not a folder");
    of(&file.join("folder")).has("wrong", "data folder", "is not there, and cannot be created");
    let open = folder.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
    of(&open).has("warning", "data folder", "other users of this machine can enter");
}

#[test]
fn an_address_that_is_used_is_found_with_its_holder() {
    let folder = folder();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let holder = format!("(process {})", std::process::id());
    let silent = examine(folder.path(), &["--listen", &address]);
    silent.has("wrong", "listen address", &holder);
    examine(folder.path(), &["--listen", "192.0.2.1:8080"]).has("wrong", "listen address", "cannot be used");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_is_no_fault() {
    let folder = folder();
    let url = crate::harness::database(&folder).await;
    let server =
        Server::start(folder.path(), &["--runner", "process", "--database-url", &url, "--data-dir", "."], None);
    let listen = server.url.strip_prefix("http://").unwrap();
    let words = ["--listen", listen, "--database-url", &url, "--public-url", &server.url];
    let examined = examine(folder.path(), &words);
    assert_eq!(examined.code, 0, "{:#?}", examined.findings);
    assert!(examined.of("listen address").1.contains("a server of Windlass listens on"));
    assert!(examined.of("public URL").1.contains("is answered by a server of Windlass"));
    assert!(examined.of("database").1.contains("with the schema of this program"));
    assert!(examined.of("keys").1.starts_with("what is sealed opens with the key "), "{:?}", examined.of("keys"));
    if url.starts_with("postgres") {
        assert_eq!(examined.of("clock of the database").0, "ok");
    }
    // Something else is there.
    let other = answering(|_, _| "{}".into());
    let words = ["--listen", listen, "--database-url", &url, "--public-url", &other];
    examine(folder.path(), &words).has("wrong", "public URL", "something else answers");
    let words = ["--listen", listen, "--database-url", &url, "--public-url", "http://127.0.0.1:1"];
    examine(folder.path(), &words).has("wrong", "public URL", "cannot be reached");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_used_is_found() {
    let folder = folder();
    let of = |url: &str| examine(folder.path(), &["--database-url", url]);
    of("postgres://windlass@127.0.0.1:1/none").has("wrong", "database", "the database cannot be reached");
    let url = crate::harness::database(&folder).await;
    let db = store::connect(&url, 1).await.unwrap();
    assert!(of(&url).of("database").1.contains("empty; the server creates the tables"));
    migration::run_first(&db, 3).await.unwrap();
    of(&url).has("warning", "database", "with the schema of an earlier release");
    migration::run(&db).await.unwrap();
    assert_eq!(of(&url).of("database").0, "ok");
    db.execute_unprepared("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_later', 1)")
        .await
        .unwrap();
    of(&url).has("wrong", "database", "with the schema of a later release");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_do_not_fit_are_found() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    it.client.post(&format!("/organization/{}/webhook", it.organization), crate::world::webhook()).await.expect(201);
    store::seal_key::record(&app.app.db, app.app.keys.fingerprints()[0].clone(), app.clock.now()).await.unwrap();
    let folder = folder();
    let file = folder.path().join("secret.key");
    let of = || examine(folder.path(), &["--database-url", &app.url]);
    of().has("wrong", "keys", "is missing; the database needs the key ");
    fs::write(&file, "7".repeat(64)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    of().has("wrong", "keys", "the database needs the key ");
    fs::write(&file, "no key").unwrap();
    of().has("wrong", "keys", "must have 64 hexadecimal digits");
    fs::copy(app.app.config.data_dir.join("secret.key"), &file).unwrap();
    let report = of();
    let found = report.of("keys").1;
    assert!(found.starts_with("what is sealed opens with the key "), "{found}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    of().has("wrong", "keys", "other users of this machine can read");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644, "it is not changed");
    let zero = if app.url.starts_with("postgres") { "'\\x00'::bytea" } else { "x'00'" };
    app.app.db.execute_unprepared(&format!("UPDATE webhook SET secret = {zero}")).await.unwrap();
    app.app.db.execute_unprepared("UPDATE registry SET credentials = NULL").await.unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    of().has("wrong", "keys", "they open none of the sealed values");
}

#[test]
fn what_runs_jobs_is_examined() {
    let folder = folder();
    let of = |words: &[&str]| examine(folder.path(), words);
    let nowhere = ["--docker-host", "unix:///no/such/docker.sock"];
    of(&[&nowhere[..], &["--runner", "docker"]].concat()).has("wrong", "Docker engine", "");
    of(&[&nowhere[..], &["--runner", "auto"]].concat()).has("warning", "Docker engine", "plain processes instead");
    of(&[&nowhere[..], &["--runner", "auto", "--listen", "0.0.0.0:0"]].concat()).has(
        "wrong",
        "Docker engine",
        "need --runner process",
    );
    assert_eq!(of(&nowhere).of("Docker engine").0, "skipped");
    of(&["--process-user", "nobody-at-all", "--process-dir", "p"]).has(
        "wrong",
        "plain processes",
        "is not a user of this machine",
    );
    of(&["--tools", "/no/such/folder"]).has("wrong", "Terraform and OpenTofu", "which is not a folder");
    let tools = folder.path().join("tools");
    fs::create_dir(&tools).unwrap();
    fs::write(tools.join("tofu-1.2.3"), "#!/bin/sh\necho OpenTofu v1.2.3\n").unwrap();
    fs::set_permissions(tools.join("tofu-1.2.3"), fs::Permissions::from_mode(0o755)).unwrap();
    let examined = of(&["--tools", &tools.display().to_string()]);
    assert!(
        examined.of("Terraform and OpenTofu").1.contains("tofu 1.2.3"),
        "{:?}",
        examined.of("Terraform and OpenTofu")
    );
}

/// Places a certificate that is valid between two years, and a key.
fn certificate(folder: &Path, years: [i32; 2], fits: bool) {
    let mut parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    (parameters.not_before, parameters.not_after) =
        (rcgen::date_time_ymd(years[0], 1, 1), rcgen::date_time_ymd(years[1], 1, 1));
    let [key, other] = std::array::from_fn(|_| rcgen::KeyPair::generate().unwrap());
    fs::write(folder.join("cert.pem"), parameters.self_signed(&key).unwrap().pem()).unwrap();
    fs::write(folder.join("key.pem"), if fits { &key } else { &other }.serialize_pem()).unwrap();
}

#[test]
fn a_certificate_that_cannot_be_used_is_found() {
    let folder = folder();
    let words = ["--tls-certificate", "cert.pem", "--tls-key", "key.pem"];
    let of = || examine(folder.path(), &words);
    of().has("wrong", "TLS certificate", "cannot read cert.pem");
    certificate(folder.path(), [2020, 2099], false);
    of().has("wrong", "TLS certificate", "does not fit");
    certificate(folder.path(), [2020, 2021], true);
    of().has("wrong", "TLS certificate", "the certificate expired on 2021-01-01");
    certificate(folder.path(), [2098, 2099], true);
    of().has("wrong", "TLS certificate", "the certificate is not valid before 2098-01-01");
    certificate(folder.path(), [2020, 2099], true);
    assert_eq!(
        of().of("TLS certificate"),
        ("ok", "the certificate fits its key and is valid until 2099-01-01 00:00 UTC")
    );
    let plain = ["--public-url", "http://localhost:8080"];
    examine(folder.path(), &[&words[..], &plain].concat()).has("wrong", "settings", "the server speaks TLS");
}

#[test]
fn an_issuer_that_cannot_be_used_is_found() {
    let folder = folder();
    let of = |issuer: &str| examine(folder.path(), &["--oidc-issuer", issuer, "--oidc-audience", "windlass"]);
    of("http://127.0.0.1:1").has("wrong", "OIDC issuer", "cannot be reached");
    of(&answering(|_, _| "no JSON".into())).has("wrong", "OIDC issuer", "something that is not JSON");
    let other = answering(|_, _| r#"{"issuer": "https://other.example"}"#.into());
    of(&other).has("wrong", "OIDC issuer", "calls itself https://other.example");
    let issuer = |keys: &'static str| {
        answering(move |path, own| {
            let discovery = format!(r#"{{"issuer": "{own}", "jwks_uri": "{own}/keys"}}"#);
            if path == "/keys" { format!(r#"{{"keys": {keys}}}"#) } else { discovery }
        })
    };
    of(&issuer("[]")).has("wrong", "OIDC issuer", "has no keys");
    let examined = of(&issuer("[{}, {}]"));
    assert!(examined.of("OIDC issuer").1.ends_with("publishes 2 signing keys"), "{:?}", examined.of("OIDC issuer"));
    let collector = ["--otlp-endpoint", "http://127.0.0.1:1"];
    examine(folder.path(), &collector).has("warning", "trace collector", "cannot be reached");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_does_not_respond_is_found() {
    let app = TestApp::with_private_webhooks().await;
    let it = app.furnished().await;
    let silent = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let greets = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = greets.local_addr().unwrap();
    std::thread::spawn(move || {
        greets.incoming().for_each(|stream| stream.unwrap().write_all(b"220 mail\r\n").unwrap())
    });
    for (name, smarthost) in [("one", silent), ("two", address), ("three", address)] {
        let body = serde_json::json!({
            "organization_id": it.organization, "name": name, "description": "", "type": "EMAIL", "send_resolved": true,
            "to": "a@example.com", "from": "b@example.com", "smarthost": smarthost.to_string(), "auth_password": "", "require_tls": false,
        });
        it.client.post("/alert-receivers", body).await.expect(201);
    }
    let examined = examine(&app.app.config.data_dir, &["--database-url", &app.url]);
    examined.has("wrong", "mail server", &format!("{silent}: "));
    let of_greeting = examined.findings.iter().filter(|finding| finding["detail"] == format!("{address} responds"));
    assert_eq!(of_greeting.count(), 1, "each server once");
}
