//! The page of the webhook of a workspace, and what the page of a job says about its push.

use entity::member::Role;
use serde_json::{Value, json};

use super::browser::{Browser, between};
use crate::pushes::payloads::{NEW, pull_request, push};
use crate::pushes::{Followed, signature};
use crate::terrakube::House;

#[tokio::test]
async fn the_console_sets_a_webhook_up_and_shows_what_pushed_a_job() {
    let house = House::new().await;
    let me = Browser::new(&house.app, house.organization, Role::Admin).await;
    let attributes = json!({"name": "net", "source": "https://git.example/acme/infra.git", "branch": "main"});
    let workspace = house.create("workspace", "workspace", attributes).await;
    let page = format!("/console/workspace/{workspace}");
    assert!(me.get(&page).await.expect(200).contains("Pushes start nothing."));
    let form = format!("{page}/webhook");
    let template = house.template("Plan").await;
    let fields = |branch: &'static str, poll: &'static str| {
        [
            ("push-on", "on"),
            ("push-branch", branch),
            ("push-path-type", "PATTERN"),
            ("push-template", template.as_str()),
            ("request-on", "on"),
            ("request-path-type", "REGEX"),
            ("request-template", template.as_str()),
            ("pollSeconds", poll),
        ]
    };
    let shown = me.submit(&form, &form, &fields("(", "")).await.expect(400);
    assert!(shown.contains("not a regular expression") && shown.contains("value=\"(\""), "{shown}");
    let shown = me.submit(&form, &form, &fields("main", "1")).await.expect(400);
    assert!(shown.contains("between 60 and 86400"), "{shown}");
    let shown = me.submit(&form, &form, &fields("main", "")).await.expect(200);
    let secret = between(&shown, "not shown again.</p><pre><code>", "</code>").unwrap().to_owned();
    let hook = between(&shown, "/webhook/v2/", "</code>").unwrap().to_owned();
    assert!(!me.get(&form).await.expect(200).contains(&secret));
    let it = Followed { house, workspace, hook };
    let deliver = async |secret: &str, delivery: &str, event: &str, payload: &Value| {
        let body = payload.to_string();
        let signed = format!("sha256={}", signature(secret, &body));
        let headers =
            [("x-github-event", event), ("x-github-delivery", delivery), ("x-hub-signature-256", signed.as_str())];
        it.send(&headers, &body).await
    };
    let request = pull_request("opened", 7, NEW, "acme/infra");
    let job = Followed::started(deliver(&secret, "1", "pull_request", &request).await);
    deliver(&secret, "2", "push", &push("next", NEW, &["a"])).await.expect(200);
    let shown = me.get(&page).await.expect(200);
    for text in ["the branch next is not followed", "ignored", "started", "Set up the webhook", &NEW[..8]] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let shown = me.get(&format!("/console/workspace-job/{job}")).await.expect(200);
    for text in ["pull request 7", "acme/infra", "by ben", NEW, "More nodes"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    me.submit(&form, &form, &fields("next", "600")).await.leads();
    assert!(me.get(&page).await.expect(200).contains("polled every 600 seconds"));
    Followed::started(deliver(&secret, "3", "push", &push("next", NEW, &["b"])).await);
    let shown = me.submit(&form, &format!("{form}/secret"), &[]).await.expect(200);
    let other = between(&shown, "not shown again.</p><pre><code>", "</code>").unwrap();
    assert_eq!(deliver(&secret, "4", "push", &push("next", NEW, &["c"])).await.status, 401);
    assert_eq!(deliver(other, "4", "push", &push("next", NEW, &["c"])).await.status, 200);
    me.submit(&form, &format!("{form}/delete"), &[]).await.leads();
    assert!(me.get(&page).await.expect(200).contains("Pushes start nothing."));
    let viewer = Browser::new(&it.house.app, it.house.organization, Role::Viewer).await;
    viewer.get(&form).await.expect(403);
}
