//! Container registries: rules of the kinds, and secrets that nobody gets back.

use serde_json::{Value, json};

use crate::harness::{TestApp, id};

#[tokio::test]
async fn credentials_are_sealed_and_never_answered() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = format!("/organization/{}/containerRegistry", it.organization);
    let body = json!({
        "name": "private", "kind": "GENERIC_CR", "url": "https://127.0.0.1:5000", "description": "d",
        "config": {"username": "deploy", "password": "canary-1f9c"},
    });
    let made = it.client.post(&path, body.clone()).await.expect(201);
    assert_eq!(made["config"], json!({"username": "deploy"}));
    assert_eq!((&made["url"], &made["associated_services_count"]), (&json!("https://127.0.0.1:5000"), &json!(0)));
    let own = format!("{path}/{}", id(&made));
    let mut edit = body.clone();
    edit["config"] = json!({"username": "other"});
    it.client.put(&own, edit).await.expect(200);
    let row = windlass::store::registry::by_id(&app.app.db, entity::id::RegistryId(id(&made).parse().unwrap()))
        .await
        .unwrap()
        .unwrap();
    let place = windlass::secret::place("registry", row.id.0);
    let opened = app.app.keys.open(&place, row.credentials.as_ref().unwrap()).unwrap();
    assert_eq!(String::from_utf8_lossy(opened.expose()), "{\"password\":\"canary-1f9c\"}", "an absent secret is kept");
    for text in [format!("{row:?}"), it.client.get(&path).await.text, it.client.get(&own).await.text] {
        assert!(!text.contains("canary"), "{text}");
    }
    let needle: Vec<u8> = b"canary-1f9c".to_vec();
    assert!(!row.credentials.unwrap().windows(needle.len()).any(|window| window == needle));
    // Another kind has other secrets.
    it.client.put(&own, json!({"name": "p", "kind": "DOCKER_HUB", "config": {}})).await.expect(200);
    let row = windlass::store::registry::by_id(&app.app.db, row.id).await.unwrap().unwrap();
    assert_eq!(row.credentials, None);
}

#[tokio::test]
async fn rules_of_the_kinds() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = format!("/organization/{}/containerRegistry", it.organization);
    for (kind, url, expected) in [
        ("DOCKER_HUB", Value::Null, Some("https://docker.io")),
        ("DOCKER_HUB", json!("https://docker.io"), Some("https://docker.io")),
        ("GITHUB_CR", Value::Null, Some("https://ghcr.io")),
        ("GITLAB_CR", Value::Null, Some("https://registry.gitlab.com")),
        ("GITLAB_CR", json!("https://example.com"), None),
        ("GENERIC_CR", Value::Null, None),
        ("GENERIC_CR", json!("http://example.com"), None),
        ("GENERIC_CR", json!("https://"), None),
        ("GENERIC_CR", json!("https://user@example.com"), None),
        ("ECR", json!("https://1.dkr.ecr.eu-west-3.amazonaws.com"), Some("https://1.dkr.ecr.eu-west-3.amazonaws.com")),
        ("DOCR", Value::Null, None),
    ] {
        let answer = it.client.post(&path, json!({"name": "r", "kind": kind, "url": url, "config": {}})).await;
        match expected {
            Some(expected) => assert_eq!(answer.expect(201)["url"], expected),
            None => {
                let detail = answer.detail(400);
                assert!(detail.starts_with("url:") || detail.starts_with("kind:"), "{kind} {url}: {detail}");
            }
        }
    }
    for body in
        [json!({"name": "r", "kind": "NO", "config": {}}), json!({"name": "r", "kind": "DOCKER_HUB"}), json!({})]
    {
        it.client.post(&path, body).await.expect(400);
    }
    let kinds = it.client.get("/availableContainerRegistry").await.expect(200);
    assert_eq!(kinds["results"].as_array().unwrap().len(), 10);
    assert!(kinds["results"][0]["required_config"].as_object().unwrap().contains_key("region"));
}

#[tokio::test]
async fn a_registry_in_use_stays() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("nightly", "@daily")).await;
    let path = format!("/organization/{}/containerRegistry/{}", it.organization, it.registry);
    assert_eq!(it.client.get(&path).await.expect(200)["associated_services_count"], 1);
    let detail = it.client.delete(&path).await.detail(409);
    assert!(detail.contains("jobs use this registry"), "{detail}");
    it.client.delete(&format!("/job/{job}")).await.expect(204);
    it.client.delete(&path).await.expect(204);
    it.client.get(&path).await.expect(404);
}
