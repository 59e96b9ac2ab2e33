//! People sign in on the command line, by the device flow of an OIDC issuer.

use serde_json::{Value, json};

use super::Client;
use crate::jwt::{AUDIENCE, Issuer};
use crate::server::Server;

fn now() -> i64 {
    chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()).timestamp()
}

/// A token of this person that the server accepts, or one for somebody else.
fn token(issuer: &Issuer, subject: &str, audience: &str) -> String {
    let claims =
        json!({"sub": subject, "aud": audience, "exp": now() + 3600, "nbf": now() - 5, "email": "a@example.com"});
    issuer.token(0, "one", claims)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_confirms_a_code_and_stays_signed_in() {
    let issuer = Issuer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let words = ["serve", "--demo", "--runner", "process", "--oidc-issuer", &issuer.url, "--oidc-audience", AUDIENCE];
    let server = Server::start(folder.path(), &[&words[..], &["--oidc-device-client-id", "cli"]].concat(), None);
    let home = folder.path().join("client");
    let client = Client { server: &server, home: &home };
    let as_person = async |words: &[&str]| {
        let mut command = client.command(words);
        command.env_remove("WINDLASS_TOKEN");
        let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (done.status.code(), text(done.stdout), text(done.stderr))
    };
    let answer = |values: &[Value]| issuer.answers.lock().unwrap().extend(values.iter().cloned());

    // The access token is for another API, so that the other one is used.
    let first = json!({
        "access_token": token(&issuer, "alice", "elsewhere"), "id_token": token(&issuer, "alice", AUDIENCE), "refresh_token": "refresh-1",
        "expires_in": 1, "token_type": "Bearer",
    });
    answer(&[json!({"error": "authorization_pending"}), first]);
    let (code, told, errors) = as_person(&["login", "--device"]).await;
    assert_eq!(code, Some(0), "{told}{errors}");
    assert!(told.contains(&format!("open {}/confirm and enter the code ABCD-EFGH\n", issuer.url)), "{told}");
    let forms = issuer.forms.lock().unwrap().clone();
    assert_eq!((&*forms[0]["client_id"], &*forms[0]["audience"], forms.len()), ("cli", AUDIENCE, 3));
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
