//! Push hooks as settings: who may have them, and that their secrets are shown once.

use entity::member::Role;
use serde_json::{Value, json};

use super::payloads::{NEW, push};
use super::{deliver as send, of_github};
use crate::harness::{TestApp, id};

#[tokio::test]
async fn a_secret_is_shown_once_and_replaced() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let hooks = format!("/organization/{}/pushHook", it.organization);
    let made = it.client.post(&hooks, json!({"name": "forge"})).await.expect(201);
    let (hook, secret) = (id(&made), made["secret"].as_str().unwrap().to_owned());
    assert!(made["url"].as_str().unwrap().ends_with(&format!("/push/{hook}")));
    let listed = it.client.get(&hooks).await.expect(200).to_string();
    assert!(listed.contains("forge") && !listed.contains(&secret), "{listed}");
    let deliver = async |secret: &str, delivery: &str| {
        let body = push("main", NEW, &[delivery]).to_string();
        send(&app, &hook, &of_github(secret, "push", delivery, &body), &body).await.status
    };
    assert_eq!(deliver(&secret, "1").await, 200);
    let rotated = it.client.post(&format!("{hooks}/{hook}/rotateSecret"), json!({})).await.expect(200);
    let newer = rotated["secret"].as_str().unwrap().to_owned();
    assert_eq!((id(&rotated), newer == secret), (hook.clone(), false));
    assert_eq!((deliver(&secret, "2").await, deliver(&newer, "3").await), (401, 200));
    let events = it.client.get(&format!("/organization/{}/events?targetType=WEBHOOK", it.organization)).await;
    let events = events.expect(200);
    let kinds: Vec<&Value> = events["events"].as_array().unwrap().iter().map(|event| &event["event_type"]).collect();
    assert_eq!(kinds, ["UPDATE", "CREATE"]);
    let text = events.to_string();
    assert!(text.contains("forge") && !text.contains(&secret) && !text.contains(&newer), "{text}");
    it.client.delete(&format!("{hooks}/{hook}")).await.expect(204);
    assert_eq!(deliver(&newer, "4").await, 404);
    assert_eq!(it.client.get(&hooks).await.expect(200)["results"], json!([]));
}

#[tokio::test]
async fn names_and_numbers_are_bounded() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let hooks = format!("/organization/{}/pushHook", it.organization);
    let refused = it.client.post(&hooks, json!({"name": " "})).await.detail(400);
    assert!(refused.starts_with("name"), "{refused}");
    assert!(it.client.post(&hooks, json!({"name": "a", "secret": "mine"})).await.detail(400).contains("secret"));
    for number in 0..20 {
        it.client.post(&hooks, json!({"name": format!("forge {number}")})).await.expect(201);
        if number == 0 {
            assert!(it.client.post(&hooks, json!({"name": "Forge 0"})).await.detail(409).contains("this name"));
        }
    }
    assert!(it.client.post(&hooks, json!({"name": "more"})).await.detail(409).contains("at most 20"));
}

#[tokio::test]
async fn only_those_who_manage_the_settings_of_the_organization_have_push_hooks() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let hooks = format!("/organization/{}/pushHook", it.organization);
    let hook = id(&it.client.post(&hooks, json!({"name": "forge"})).await.expect(201));
    let viewer = app.token(it.organization, Role::Viewer).await;
    viewer.post(&hooks, json!({"name": "mine"})).await.detail(403);
    viewer.post(&format!("{hooks}/{hook}/rotateSecret"), json!({})).await.detail(403);
    viewer.get(&format!("{hooks}/{hook}/delivery")).await.detail(403);
    viewer.delete(&format!("{hooks}/{hook}")).await.detail(403);
    let devops = app.token(it.organization, Role::Devops).await;
    devops.post(&format!("{hooks}/{hook}/rotateSecret"), json!({})).await.expect(200);
    let other = app.organization("other").await;
    let stranger = app.token(other, Role::Admin).await;
    stranger.get(&hooks).await.detail(404);
    stranger.delete(&format!("{hooks}/{hook}")).await.detail(404);
    let beside = format!("/organization/{other}/pushHook/{hook}");
    stranger.delete(&beside).await.detail(404);
    stranger.get(&format!("{beside}/delivery")).await.detail(404);
}
