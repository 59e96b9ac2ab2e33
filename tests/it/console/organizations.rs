//! Sessions, and the pages across the jobs of an organization and about its settings.

use entity::member::Role;
use futures_util::StreamExt as _;
use serde_json::json;

use super::browser::{Browser, between};
use crate::harness::TestApp;

#[tokio::test]
async fn a_session_begins_and_ends() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let browser = Browser::new(&app, it.organization, Role::Admin).await;
    // Without a session, a page leads to the sign-in, and from there back.
    let path = format!("/console/organization/{}", it.organization);
    let (status, headers, _) = app.client(None).whole("GET", &path, None, &[]).await;
    assert_eq!(status, 303);
    let to = headers["location"].to_str().unwrap();
    assert!(to.starts_with("/console/sign-in?next=%2Fconsole%2Forganization"), "{to}");
    let page = app.client(None).raw("/console/sign-in").await;
    assert!(page.contains("API token"), "{page}");
    // What is no token signs nobody in.
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let (status, headers, text) =
        app.client(None).whole("POST", "/console/sign-in", Some("token=windlass_wrong"), &form).await;
    assert_eq!((status, headers.get("set-cookie")), (401, None), "{text}");

    let page = browser.get(&path).await.expect(200);
    let (_, headers, _) = app.client(None).whole("GET", "/console/sign-in", None, &[]).await;
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{policy}");
    assert!(!page.contains("style=") && !page.contains("<script>"), "{page}");

    let account = browser.get("/console/account").await.expect(200);
    assert!(account.contains("this one"), "{account}");
    browser.submit("/console/account", "/console/sign-out", &[]).await.leads();
    assert_eq!(browser.get(&path).await.leads().split('?').next(), Some("/console/sign-in"));
}

#[tokio::test]
async fn a_link_signs_in_once() {
    let app = TestApp::new().await;
    let _first = windlass::bootstrap::create_first_organization(&app.app).await.unwrap();
    let link = windlass::console::sign_in_link(&app.app).await.unwrap().unwrap();
    let path = &link[link.find("/console").unwrap()..];
    let (status, headers, _) = app.client(None).whole("GET", path, None, &[]).await;
    assert_eq!(status, 303);
    let cookie = headers["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/console"));
    let cookie = cookie.split(';').next().unwrap();
    let (status, _, _) = app.client(None).whole("GET", "/console", None, &[("cookie", cookie)]).await;
    assert!([200, 303].contains(&status), "{status}");
    // The cookie is no credential of the APIs.
    let secret = cookie.split_once('=').unwrap().1;
    let authorization = format!("Token {secret}");
    let (status, _, _) =
        app.client(None).whole("GET", "/organization", None, &[("authorization", &authorization)]).await;
    assert_eq!(status, 401);
    let (status, headers, text) = app.client(None).whole("GET", path, None, &[]).await;
    assert_eq!((status, headers.get("set-cookie")), (401, None), "{text}");

    let late = windlass::console::sign_in_link(&app.app).await.unwrap().unwrap();
    app.clock.forward(24 * 3600 + 1);
    let (status, _, _) = app.client(None).whole("GET", &late[late.find("/console").unwrap()..], None, &[]).await;
    assert_eq!(status, 401);
}

#[tokio::test]
async fn the_overview_says_what_fails_and_what_comes_next() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("nightly <b>", "30 3 * * *")).await;
    it.client.post(&format!("/environment/{}/deploy", it.environment), json!({})).await.expect(202);
    app.tick().await;
    app.tick().await;
    let browser = Browser::new(&app, it.organization, Role::Viewer).await;
    let path = format!("/console/organization/{}", it.organization);
    let page = browser.get(&path).await.expect(200);
    assert!(page.contains("every day at 03:30 (Etc/UTC)"), "{page}");
    assert!(page.contains(&format!("/console/job/{job}")) && page.contains("nightly &lt;b&gt;"), "{page}");
    assert!(page.contains("2026-11-23 03:30:00 UTC"), "the next time: {page}");
    let found = browser.get(&format!("{path}?q=NIGHT")).await.expect(200);
    assert!(found.contains("nightly &lt;b&gt;"), "{found}");
    let none = browser.get(&format!("{path}?q=nothing")).await.expect(200);
    assert!(none.contains("No job matches."), "{none}");

    let timeline = browser.get(&format!("{path}/timeline?span=48h&zone=Europe/Paris")).await.expect(200);
    assert!(timeline.contains("planned") && timeline.contains("nightly &lt;b&gt;"), "{timeline}");
    assert!(timeline.contains(">Europe/Paris</text>") && timeline.contains("value=\"Europe/Paris\""), "{timeline}");
    let refused = browser.get(&format!("{path}/timeline?zone=Nowhere")).await.expect(400);
    for text in
        ["Time zone must be an IANA time zone", "value=\"Nowhere\" aria-invalid=\"true\"", "name=\"span\"", "Sections"]
    {
        assert!(refused.contains(text), "{text}: {refused}");
    }
    let forecast = browser.get(&format!("{path}/forecast")).await.expect(200);
    assert!(forecast.contains("<strong>1</strong> times are planned"), "{forecast}");
}

#[tokio::test]
async fn settings_are_for_those_who_may_see_them() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let settings = format!("/console/organization/{}/settings", it.organization);
    let admin = Browser::new(&app, it.organization, Role::Admin).await;
    let viewer = Browser::new(&app, it.organization, Role::Viewer).await;
    for page in ["", "/roles", "/logins", "/clusters", "/webhooks", "/events"] {
        admin.get(&format!("{settings}{page}")).await.expect(200);
    }
    for (page, status) in [("", 200), ("/roles", 200), ("/clusters", 200), ("/tokens", 403)] {
        viewer.get(&format!("{settings}{page}")).await.expect(status);
    }
    let role = "00000000-0000-4000-8000-000000000005";
    let tokens = format!("{settings}/tokens");
    let created = admin.submit(&tokens, &tokens, &[("name", "robot"), ("role", role)]).await.expect(200);
    let token = between(&created, "<code>windlass_", "<").unwrap().to_owned();
    let client = app.client(Some(format!("Token windlass_{token}")));
    client.get("/organization").await.expect(200);
    assert!(!admin.get(&tokens).await.expect(200).contains(&token), "a token is shown once");
    assert!(created.contains(&format!("data-reload=\"{tokens}\"")), "a reload creates no second one: {created}");
    let past = [("name", "typed"), ("role", role), ("expires_at", "2001-02-03")];
    let refused = admin.submit(&tokens, &tokens, &past).await.expect(400);
    for text in
        ["aria-invalid=\"true\"", "value=\"typed\"", "value=\"2001-02-03\"", &format!("value=\"{role}\" selected")]
    {
        assert!(refused.contains(text), "{text}: {refused}");
    }

    let page = admin.get(&tokens).await.expect(200);
    let (_, of_robot) = page.split_once("robot").unwrap();
    let to = format!("{settings}/token/{}", between(of_robot, &format!("{settings}/token/"), "\"").unwrap());
    let csrf = viewer.csrf().await;
    viewer.post(&to, &csrf, &[]).await.expect(403);
    admin.post(&to, "another", &[]).await.expect(403);
    admin.submit(&tokens, &to, &[]).await.leads();
    client.get("/organization").await.expect(401);

    let invite = [("email", "Somebody@example.com"), ("role", role)];
    admin.submit(&settings, &settings, &invite).await.leads();
    let page = admin.get(&settings).await.expect(200);
    assert!(page.contains("somebody@example.com"), "{page}");
    let withdraw = between(&page, &format!("action=\"{settings}/invitation/"), "\"").unwrap();
    admin.submit(&settings, &format!("{settings}/invitation/{withdraw}"), &[]).await.leads();
    assert!(!admin.get(&settings).await.expect(200).contains("somebody@example.com"));
    let events = admin.get(&format!("{settings}/events")).await.expect(200);
    assert!(events.contains("robot") && events.contains("invitation"), "{events}");
}

#[tokio::test]
async fn an_open_overview_is_kept_fresh() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.deployed(&app, it.cron("nightly", "30 3 * * *")).await;
    let viewer = Browser::new(&app, it.organization, Role::Viewer).await;
    let path = format!("/console/organization/{}", it.organization);
    assert!(viewer.get(&path).await.expect(200).contains(&format!("data-live=\"{path}/events")));
    let mut events = viewer.events(&format!("{path}/events")).await;
    let first = events.next().await.unwrap();
    assert!(first.starts_with("event: fragment") && first.contains("nightly"), "{first}");
    it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
    app.settle().await;
    let second = events.next().await.unwrap();
    assert!(second.contains("running"), "{second}");
    let stranger = Browser::new(&app, app.organization("other").await, Role::Admin).await;
    stranger.get(&format!("{path}/events")).await.expect(404);
}
