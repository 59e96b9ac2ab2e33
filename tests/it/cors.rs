//! Requests of web pages from other origins, to both APIs.

use std::process::Command;

use entity::member::Role;

use crate::harness::{Client, TestApp};

const PAGE: &str = "https://console.example.com";
const PATHS: [&str; 2] = ["/organization", "/api/v1/organization"];

/// The status, and the headers of CORS.
async fn ask(client: &Client, method: &str, path: &str, headers: &[(&str, &str)]) -> (u16, Vec<(String, String)>) {
    let (status, all, _) = client.whole(method, path, None, headers).await;
    let cors = all.iter().filter(|(name, _)| name.as_str().starts_with("access-control-") || *name == "vary");
    let mut cors: Vec<(String, String)> =
        cors.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    cors.sort();
    (status, cors)
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn preflight(origin: &str) -> [(&str, &str); 3] {
    [
        ("Origin", origin),
        ("Access-Control-Request-Method", "PATCH"),
        ("Access-Control-Request-Headers", "authorization,content-type"),
    ]
}

#[tokio::test]
async fn only_pages_in_the_settings_may_call() {
    let app =
        TestApp::configured(|config| config.cors_origins = vec!["https://other.example.com".into(), PAGE.into()]).await;
    let organization = app.organization("acme").await;
    let client = app.token(organization, Role::Admin).await;
    let nobody = client.with(None);
    let allowed = [
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-origin", PAGE),
        ("access-control-expose-headers", "ETag, Retry-After, Warning"),
    ];
    for path in PATHS {
        let asked = [
            allowed[0],
            ("access-control-allow-headers", "authorization,content-type"),
            ("access-control-allow-methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
            allowed[1],
            allowed[2],
            ("access-control-max-age", "600"),
            ("vary", "Origin"),
        ];
        assert_eq!(ask(&nobody, "OPTIONS", path, &preflight(PAGE)).await, (200, pairs(&asked)), "{path}");
        let read = [allowed[0], allowed[1], allowed[2], ("vary", "Origin")];
        assert_eq!(ask(&client, "GET", path, &[("Origin", PAGE)]).await, (200, pairs(&read)), "{path}");
        // A page can read why its request was rejected.
        assert_eq!(ask(&nobody, "GET", path, &[("Origin", PAGE)]).await, (401, pairs(&read)), "{path}");
        for origin in [
            "https://elsewhere.example",
            "http://console.example.com",
            "null",
            "https://console.example.com.evil.example",
        ] {
            let denied = pairs(&[("vary", "Origin")]);
            assert_eq!(ask(&nobody, "OPTIONS", path, &preflight(origin)).await, (403, denied.clone()), "{origin}");
            assert_eq!(ask(&client, "GET", path, &[("Origin", origin)]).await, (200, denied), "{origin}");
        }
    }
}

#[tokio::test]
async fn no_page_may_call_by_default() {
    let app = TestApp::new().await;
    let organization = app.organization("acme").await;
    let client = app.token(organization, Role::Admin).await;
    for path in PATHS {
        assert_eq!(ask(&client.with(None), "OPTIONS", path, &preflight(PAGE)).await, (403, Vec::new()));
        assert_eq!(ask(&client, "GET", path, &[("Origin", PAGE)]).await, (200, Vec::new()));
    }
}

#[test]
fn an_origin_is_a_scheme_and_a_host() {
    for origin in ["*", "console.example.com", "https://", "https://console.example.com/", "https://a b", "ftp://a"] {
        let output = Command::new(env!("CARGO_BIN_EXE_windlass"))
            .args(["serve", "--cors-origins", origin])
            .env_clear()
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{origin}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("must be http:// or https:// and a host"), "{said}");
    }
}
