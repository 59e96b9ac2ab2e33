//! The pages of checks.

use entity::member::Role;
use serde_json::json;

use super::browser::Browser;
use crate::harness::{TestApp, id};

const FIELDS: [(&str, &str); 6] = [
    ("name", "backup <b>"),
    ("schedule.scheduled_at", "0 3 * * *"),
    ("schedule.timezone", "Europe/Paris"),
    ("period_seconds", ""),
    ("grace_seconds", "600"),
    ("max_duration_seconds", "0"),
];

#[tokio::test]
async fn a_check_is_created_shown_changed_and_deleted() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let environment = format!("/console/environment/{}", it.environment);
    let form = format!("{environment}/checks/new");
    assert!(me.get(&environment).await.expect(200).contains(&form));
    let both = FIELDS.map(|(name, value)| if name == "period_seconds" { (name, "3600") } else { (name, value) });
    let refused = me.submit(&form, &form, &both).await.expect(400);
    assert!(refused.contains("must not be given together") && refused.contains("backup &lt;b&gt;"), "{refused}");
    let path = me.submit(&form, &form, &FIELDS).await.leads();
    let path = path.split('?').next().unwrap().to_owned();
    let page = me.get(&path).await.expect(200);
    for text in [
        "curl -fsS",
        "/ping/",
        "Every day at 03:00",
        "with a grace of 10 minutes",
        "No ping has come yet",
        "backup &lt;b&gt;",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let hidden = ["Run now", "Backfill", "Deploy a version"].map(str::to_owned).into_iter();
    for text in hidden.chain(["variables", "settings"].map(|tab| format!("{path}/{tab}"))) {
        assert!(!page.contains(&text), "{text}: {page}");
    }
    for other in ["/edit", "/settings", "/variables", "/run", "/backfill", "/clone", "/deploy-version"] {
        me.get(&format!("{path}{other}")).await.expect(404);
    }
    for own in ["/history", "/explain", "/explain?at=2026-11-22T03:00", "/changes", "/pause"] {
        me.get(&format!("{path}{own}")).await.expect(200);
    }
    assert!(me.get(&environment).await.expect(200).contains("Checks of"));
    let overview = me.get(&format!("/console/organization/{}", it.organization)).await.expect(200);
    assert!(overview.contains("backup &lt;b&gt;"), "{overview}");
    let changed = FIELDS.map(|(name, value)| match name {
        "schedule.scheduled_at" => (name, ""),
        "period_seconds" => (name, "7200"),
        _ => (name, value),
    });
    let edit = format!("{path}/check");
    me.submit(&edit, &edit, &changed).await.leads();
    let page = me.get(&path).await.expect(200);
    assert!(page.contains("A ping every 2 hours"), "{page}");
    me.get(&format!("{path}/explain")).await.expect(200);
    me.submit(&path, &format!("{path}/rotate-key"), &[]).await.leads();
    assert_ne!(me.get(&path).await.expect(200), page);
    me.submit(&path, &format!("{path}/delete"), &[]).await.leads();
    me.get(&path).await.expect(404);
}

#[tokio::test]
async fn a_viewer_of_a_check_sees_no_address() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let body = json!({"name": "backup", "period_seconds": 3600});
    let check = it.client.post(&format!("/environment/{}/check", it.environment), body).await.expect(201);
    let path = format!("/console/job/{}", id(&check));
    let viewer = Browser::new(&app, it.organization, Role::Viewer).await;
    let page = viewer.get(&path).await.expect(200);
    for text in ["/ping/", "New key", "Pause", "/delete", "/check\""] {
        assert!(!page.contains(text), "{text}: {page}");
    }
    viewer.get(&format!("{path}/check")).await.expect(403);
    let csrf = viewer.csrf().await;
    for word in ["delete", "rotate-key", "resume"] {
        viewer.post(&format!("{path}/{word}"), &csrf, &[]).await.expect(403);
    }
}
