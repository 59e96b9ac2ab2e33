//! Entity tags: a client that has the current answer of a read is not sent it again.

use entity::member::Role;
use poem::http::{HeaderMap, Method};
use serde_json::json;

use crate::harness::{Client, TestApp};

async fn read(client: &Client, path: &str, known: &[(&str, &str)]) -> (u16, Option<String>, String, HeaderMap) {
    let (status, headers, text) = client.whole("GET", path, None, known).await;
    let tag = headers.get("etag").map(|tag| tag.to_str().unwrap().to_owned());
    (status, tag, text, headers)
}

#[tokio::test]
async fn an_answer_that_the_client_has_is_not_sent_again() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = format!("/job/{}", it.create(it.cron("nightly", "@daily")).await);
    let environment = format!("/environment/{}", it.environment);
    // Of both APIs.
    for path in [job.as_str(), environment.as_str(), "/organization", "/api/v1/organization"] {
        let (status, tag, text, _) = read(&it.client, path, &[]).await;
        let tag = tag.unwrap_or_else(|| panic!("{path} has no tag"));
        assert!(status == 200 && text.starts_with('{') && tag.starts_with('"'), "{path}: {status} {text} {tag}");
        for list in [tag.clone(), format!("\"other\", W/{tag}"), "*".to_owned()] {
            let (status, again, text, headers) = read(&it.client, path, &[("If-None-Match", &list)]).await;
            assert_eq!((status, again.as_deref(), text.as_str()), (304, Some(tag.as_str()), ""), "{path}");
            assert!(!headers.contains_key("content-type"), "{path}");
            assert_eq!(headers["cache-control"], "no-store", "{path}");
        }
        let (status, again, all, _) = read(&it.client, path, &[("If-None-Match", "\"other\"")]).await;
        assert_eq!((status, again.as_deref(), all), (200, Some(tag.as_str()), text), "{path}");
        it.client.call_with(Method::GET, path, None, &[("If-None-Match", &tag)]).await.expect(304);
    }
}

#[tokio::test]
async fn a_tag_changes_with_the_answer_and_grants_nothing() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = format!("/job/{}", it.create(it.cron("nightly", "@daily")).await);
    let tag = read(&it.client, &path, &[]).await.1.unwrap();
    let known = [("If-None-Match", tag.as_str())];
    // Whoever may not read it does not learn whether the tag is right.
    let other = app.organization("other").await;
    let stranger = app.token(other, Role::Admin).await;
    assert_eq!(read(&stranger, &path, &known).await.0, 404);
    assert_eq!(read(&it.client.with(None), &path, &known).await.0, 401);
    it.client.put(&path, json!({"description": "changed"})).await.expect(200);
    let (status, changed, text, _) = read(&it.client, &path, &known).await;
    assert!(status == 200 && text.contains("changed") && changed.as_deref() != Some(tag.as_str()));
    it.client.put(&path, json!({"description": ""})).await.expect(200);
    it.client.delete(&path).await.expect(204);
    assert_eq!(read(&it.client, &path, &[("If-None-Match", "*")]).await.0, 404);
}

/// What is sent in pieces is not held to compute a tag, and what is no JSON has none.
#[tokio::test]
async fn other_answers_have_no_tag() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let list = format!("/environment/{}/job", it.environment);
    for path in [list.as_str(), "/metrics", "/docs"] {
        let (status, tag, text, _) = read(&it.client, path, &[("If-None-Match", "*")]).await;
        assert!(status == 200 && tag.is_none() && !text.is_empty(), "{path}: {status}");
    }
    let headers = [("Content-Type", "application/json"), ("If-None-Match", "*")];
    let body = it.cron("job", "@daily").to_string();
    let (status, headers, _) = it.client.whole("POST", &list, Some(&body), &headers).await;
    assert!(status == 201 && !headers.contains_key("etag"));
}
