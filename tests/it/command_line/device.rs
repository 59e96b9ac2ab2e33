//! People sign in on the command line, by the device flow of an OIDC issuer.

use std::path::Path;

use serde_json::{Value, json};

use super::Client;
use crate::jwt::{AUDIENCE, Issuer};
use crate::server::Server;

fn now() -> i64 {
    chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()).timestamp()
}

/// A token of this person that the server accepts, or one for somebody else.
fn token(issuer: &Issuer, subject: &str, audience: &str) -> String {
    token_for(issuer, subject, audience, 3600)
}

/// The same that ends after some seconds.
fn token_for(issuer: &Issuer, subject: &str, audience: &str, seconds: i64) -> String {
    let claims =
        json!({"sub": subject, "aud": audience, "exp": now() + seconds, "nbf": now() - 5, "email": "a@example.com"});
    issuer.token(0, "one", claims)
}

/// A server whose people sign in at this issuer on the command line.
fn serve(folder: &Path, issuer: &Issuer) -> Server {
    let words = ["serve", "--demo", "--runner", "process", "--oidc-issuer", &issuer.url, "--oidc-audience", AUDIENCE];
    Server::start(folder, &[&words[..], &["--oidc-device-client-id", "cli"]].concat(), None)
}

/// What a command of the person who is signed in ends with, prints and reports.
async fn as_person(client: &Client<'_>, words: &[&str]) -> (Option<i32>, String, String) {
    let mut command = client.command(words);
    command.env_remove("WINDLASS_TOKEN");
    let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (done.status.code(), text(done.stdout), text(done.stderr))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_confirms_a_code_and_stays_signed_in() {
    let issuer = Issuer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path(), &issuer);
    let home = folder.path().join("client");
    let client = Client { server: &server, home: &home };
    let as_person = async |words: &[&str]| as_person(&client, words).await;
    let answer = |values: &[Value]| issuer.answers.lock().unwrap().extend(values.iter().cloned());

    issuer.habits.lock().unwrap().more.push(("scopes_supported", json!(["openid", "groups"])));
    // The access token is for another API, so that the other one is used; and it is not the one that has almost ended.
    let first = json!({
        "access_token": token(&issuer, "alice", "elsewhere"), "id_token": token_for(&issuer, "alice", AUDIENCE, 20),
        "refresh_token": "refresh-1", "expires_in": 86_400, "token_type": "Bearer",
    });
    answer(&[json!({"error": "authorization_pending"}), first]);
    let (code, told, errors) = as_person(&["login", "--device"]).await;
    assert_eq!(code, Some(0), "{told}{errors}");
    assert!(told.contains(&format!("open {}/confirm and enter the code ABCD-EFGH\n", issuer.url)), "{told}");
    let forms = issuer.forms.lock().unwrap().clone();
    assert_eq!((&*forms[0]["client_id"], &*forms[0]["audience"], forms.len()), ("cli", AUDIENCE, 3));
    assert_eq!(forms[0]["scope"], "openid email profile groups offline_access");
    assert_eq!((&*forms[2]["device_code"], &*forms[2]["client_id"]), ("device-1", "cli"));
    let stored = || std::fs::read_to_string(home.join("contexts.json")).unwrap();
    assert!(stored().contains("refresh-1"), "{}", stored());

    // The token has ended: it is renewed, and so is what renews it.
    let second = json!({"access_token": "opaque", "id_token": token(&issuer, "alice", AUDIENCE), "refresh_token": "refresh-2", "expires_in": 3600});
    answer(&[second]);
    let (code, _, errors) = as_person(&["project", "list"]).await;
    assert_eq!(code, Some(3), "the person is signed in, and a member of no organization: {errors}");
    assert!(errors.contains("sees no organization"), "{errors}");
    let forms = issuer.forms.lock().unwrap().clone();
    assert_eq!((&*forms[3]["grant_type"], &*forms[3]["refresh_token"]), ("refresh_token", "refresh-1"));
    assert!(stored().contains("refresh-2") && !stored().contains("refresh-1"), "{}", stored());
    as_person(&["project", "list"]).await;
    assert_eq!(issuer.forms.lock().unwrap().len(), 4, "a token that is valid is not renewed");

    // What cannot be renewed is said.
    let ended = stored().replace("\"expires_at\": \"2", "\"expires_at\": \"1");
    std::fs::write(home.join("contexts.json"), ended).unwrap();
    let (code, _, errors) = as_person(&["project", "list"]).await;
    assert_eq!(code, Some(4), "{errors}");
    assert!(errors.contains("invalid_grant") && errors.contains("windlass login --device"), "{errors}");
    answer(&[json!({"error": "access_denied"})]);
    let (code, _, errors) = as_person(&["login", "--device"]).await;
    assert_eq!((code, errors.contains("was refused at the issuer")), (Some(4), true), "{errors}");
    answer(&[json!({"error": "expired_token"})]);
    assert!(as_person(&["login", "--device"]).await.2.contains("the code has expired"));
    let foreign = token(&issuer, "alice", "elsewhere");
    answer(&[json!({"access_token": foreign})]);
    let (code, _, errors) = as_person(&["login", "--device"]).await;
    assert_eq!((code, errors.contains("request the audience windlass")), (Some(4), true), "{errors}");
}

/// Whatever was said about the end of a token: the server has the last word, and a sign-in that can be renewed goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_the_server_refuses_is_renewed_once() {
    let issuer = Issuer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path(), &issuer);
    let home = folder.path().join("client");
    let client = Client { server: &server, home: &home };
    let answer = |token: &str, refresh: &str| {
        let tokens = json!({"access_token": token, "refresh_token": refresh, "expires_in": 3600});
        issuer.answers.lock().unwrap().push_back(tokens);
    };
    let file = home.join("contexts.json");
    let stored = || serde_json::from_str::<Value>(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let refuse = || {
        let mut contexts = stored();
        contexts["contexts"]["default"]["token"] = json!("withdrawn");
        std::fs::write(&file, contexts.to_string()).unwrap();
    };
    let asked = || issuer.forms.lock().unwrap().len();
    answer(&token(&issuer, "alice", AUDIENCE), "refresh-1");
    assert_eq!(as_person(&client, &["login", "--device"]).await.0, Some(0));

    refuse();
    let (before, renewed) = (asked(), token_for(&issuer, "alice", AUDIENCE, 1800));
    answer(&renewed, "refresh-2");
    let (code, _, errors) = as_person(&client, &["project", "list"]).await;
    assert_eq!((code, asked() - before), (Some(3), 1), "the person is signed in: {errors}");
    assert_eq!(issuer.forms.lock().unwrap().last().unwrap()["refresh_token"], "refresh-1");
    assert_eq!(stored()["contexts"]["default"]["token"], json!(renewed));
    assert_eq!(stored()["contexts"]["default"]["sign_in"]["refresh_token"], "refresh-2");

    // One that is refused as well is the end.
    refuse();
    answer("opaque", "refresh-3");
    let (code, _, errors) = as_person(&client, &["project", "list"]).await;
    assert_eq!((code, asked() - before), (Some(4), 2), "{errors}");
    assert!(errors.contains("does not accept the token"), "{errors}");
    let (code, _, errors) = as_person(&client, &["project", "list"]).await;
    assert_eq!((code, errors.contains("windlass login --device")), (Some(4), true), "{errors}");
}

#[tokio::test]
async fn a_server_without_an_issuer_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let server = super::demo(folder.path());
    let client = Client { server: &server, home: folder.path() };
    let refused = client.fails(&["login", "--device"], 1);
    assert!(refused.contains("--oidc-device-client-id"), "{refused}");
    let told: Value = server.call("GET", "/.well-known/windlass", None).await.1;
    assert_eq!(told, json!({"device_sign_in": null}));
}
