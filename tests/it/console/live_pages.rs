//! The pages that show what happens update by themselves.

use entity::member::Role;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use serde_json::json;

use super::browser::{Browser, between};
use crate::harness::TestApp;
use crate::terrakube::{House, change};

/// The events of an open page.
async fn opened(me: &Browser, page: &str) -> BoxStream<'static, String> {
    let shown = me.get(page).await.expect(200);
    let path = between(&shown, "data-live=\"", "\"").unwrap_or_else(|| panic!("{page} is not live: {shown}"));
    me.events(&path.replace("&amp;", "&")).await
}

/// Waits for a text in one of the next events.
async fn until(events: &mut BoxStream<'static, String>, text: &str) {
    for _ in 0..5 {
        let event = events.next().await.unwrap_or_else(|| panic!("the events ended before {text}"));
        if event.contains(text) {
            return;
        }
    }
    panic!("{text} did not come");
}

#[tokio::test]
async fn runs_appear_in_the_history_and_on_the_timeline() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.deployed(&app, it.cron("nightly", "0 0 1 1 *")).await;
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let mut history = opened(&me, &format!("/console/job/{job}/history")).await;
    until(&mut history, "There are no such runs.").await;
    let mut failed = opened(&me, &format!("/console/job/{job}/history?state=failed")).await;
    until(&mut failed, "There are no such runs.").await;
    let mut timeline = opened(&me, &format!("/console/organization/{}/timeline?span=1h", it.organization)).await;
    until(&mut timeline, "nightly").await;
    it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
    app.settle().await;
    until(&mut history, "data-label=\\\"Run\\\"").await;
    until(&mut timeline, "/console/run/").await;
    let queued = opened(&me, &format!("/console/job/{job}/history?trigger=manual")).await.next().await.unwrap();
    assert!(queued.contains("data-label=\\\"Run\\\""), "the filter counts: {queued}");
    // A page of a zone that nobody knows is an error, and stays one.
    let wrong = format!("/console/organization/{}/timeline?zone=Mars", it.organization);
    assert!(!me.get(&wrong).await.expect(400).contains("data-live"));
}

#[tokio::test]
async fn locks_appear_in_the_list_of_workspaces() {
    let house = House::new().await;
    let me = Browser::new(&house.app, house.organization, Role::Viewer).await;
    let mut events = opened(&me, &format!("/console/organization/{}/workspaces", house.organization)).await;
    until(&mut events, "There is no workspace yet").await;
    let workspace = house.workspace("network").await;
    until(&mut events, "network").await;
    let path = house.path(&format!("workspace/{workspace}"));
    house.client.patch(&path, change("workspace", &workspace, json!({"locked": true}))).await.expect(204);
    until(&mut events, "Locked").await;
}

#[tokio::test]
async fn receivers_and_alerts_appear_on_the_page_of_alerts() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let page = format!("/console/organization/{}/settings/alerts", it.organization);
    let mut events = opened(&me, &page).await;
    let first = events.next().await.unwrap();
    for part in ["alerts-wrong", "alerts-silenced", "alert-rules", "alert-receivers", "alert-messages"] {
        assert!(first.contains(&format!("\"id\":\"{part}\"")), "{part}: {first}");
    }
    assert!(first.contains("First create a receiver"), "{first}");
    let other = app.organization("other").await;
    let stranger = Browser::new(&app, other, Role::Admin).await;
    stranger.get(&format!("{page}/live")).await.expect(404);
}

/// What somebody does on an open page is not taken away.
#[tokio::test]
async fn the_script_keeps_where_somebody_is() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let me = Browser::new(&app, it.organization, Role::Viewer).await;
    let home = format!("/console/organization/{}/timeline", it.organization);
    let page = me.get(&home).await.expect(200);
    let script = me.get(between(&page, "<script src=\"", "\"").unwrap()).await.expect(200);
    let replace = between(&script, "const replace", "const focus = ").unwrap();
    for kept in ["scrollLeft", "scrollTop", "details[open][id]", "getAttribute(\"href\")", "activeElement", "value"] {
        assert!(replace.contains(kept), "{kept}: {replace}");
    }
}
