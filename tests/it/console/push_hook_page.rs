//! The page of push hooks.

use entity::member::Role;

use super::browser::{Browser, between};
use super::settings_scene::Scene;
use crate::pushes::payloads::{NEW, pull_request, push};
use crate::pushes::{deliver as send, of_github};

#[tokio::test]
async fn push_hooks_with_what_was_delivered() {
    let scene = Scene::new(Role::Devops).await;
    let Scene { app, it, me, settings } = &scene;
    let page = format!("{settings}/push-hooks");
    assert!(me.get(&page).await.expect(200).contains("There are no push hooks yet"));
    let shown = me.submit(&page, &page, &[("name", " ")]).await.expect(400);
    assert!(shown.contains("class=\"problem\""), "{shown}");
    let long = "y".repeat(1000);
    let shown = me.submit(&page, &page, &[("name", &long)]).await.expect(400);
    assert!(shown.contains(&format!("value=\"{long}\"")), "what was typed is kept: {shown}");
    let shown = me.submit(&page, &page, &[("name", "forge <b>")]).await.expect(200);
    assert!(shown.contains("forge &lt;b&gt;"), "{shown}");
    assert!(shown.contains(&format!("data-reload=\"{page}\"")), "a reload makes no second one: {shown}");
    let secret = between(&shown, "not shown again.</p><pre><code>", "</code>").unwrap().to_owned();
    let hook = between(&shown, "/push/", "</code>").unwrap().to_owned();
    assert!(!me.get(&page).await.expect(200).contains(&secret));
    let deliver = async |event: &str, delivery: &str, body: &str| {
        send(app, &hook, &of_github(&secret, event, delivery, body), body).await.status
    };
    assert_eq!(deliver("push", "1", &push("<main>", NEW, &["x"]).to_string()).await, 200);
    assert_eq!(deliver("pull_request", "2", &pull_request("opened", 7, NEW, "acme/infra").to_string()).await, 200);
    let shown = me.get(&page).await.expect(200);
    for text in ["&lt;main&gt;", "acme/infra", &NEW[..8], "Github", "ignored", "a pull request deploys nothing"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    // Those who may only read the settings see neither deliveries nor buttons.
    let viewer = Browser::new(app, it.organization, Role::Viewer).await;
    let seen = viewer.get(&page).await;
    let own = format!("{settings}/push-hook/{hook}");
    let csrf = viewer.csrf().await;
    for to in [format!("{own}/secret"), format!("{own}/delete"), page.clone()] {
        viewer.post(&to, &csrf, &[("name", "mine")]).await.expect(403);
    }
    let seen = seen.expect(200);
    assert!(seen.contains("forge") && !seen.contains("acme/infra") && !seen.contains("New secret"), "{seen}");
    let shown = me.submit(&page, &format!("{own}/secret"), &[]).await.expect(200);
    let newer = between(&shown, "not shown again.</p><pre><code>", "</code>").unwrap().to_owned();
    assert_ne!(newer, secret);
    assert_eq!(deliver("push", "3", &push("main", NEW, &["y"]).to_string()).await, 401);
    me.submit(&page, &format!("{own}/delete"), &[]).await.leads();
    assert!(me.get(&page).await.expect(200).contains("There are no push hooks yet"));
}
