//! Pages that stay open: what they show later on, and what their script and style sheet are made for.

use entity::member::Role;
use futures_util::StreamExt as _;
use serde_json::json;

use super::browser::{Browser, between};
use crate::harness::{TestApp, id};

/// A file of a page: its address is in the page.
async fn asset(me: &Browser, page: &str, before: &str) -> String {
    let text = me.get(page).await.expect(200);
    let path = between(&text, before, "\"").unwrap_or_else(|| panic!("no {before}: {text}")).to_owned();
    me.get(&path).await.expect(200)
}

#[tokio::test]
async fn the_size_of_a_log_grows_with_it() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.deployed(&app, it.cron("nightly", "0 0 1 1 *")).await;
    let run = id(&it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202));
    app.settle().await;
    let me = Browser::new(&app, it.organization, Role::Viewer).await;
    let path = format!("/console/run/{run}");
    let page = me.get(&path).await.expect(200);
    assert!(page.contains("id=\"log-size\"") && page.contains("0 lines, 0 B"), "{page}");
    let mut events = me.events(&format!("{path}/live")).await;
    assert!(events.next().await.unwrap().contains("0 lines, 0 B"));
    let step = app.runner.steps().remove(0);
    app.runner.write(&step, &["a new line"]);
    app.settle().await;
    // Without news, a comment would come.
    let next = events.next().await.unwrap();
    assert!(next.contains("log-size") && next.contains("1 line, "), "{next}");
}

#[tokio::test]
async fn a_notice_is_said_once_and_in_words_of_the_past() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.deployed(&app, it.cron("nightly", "0 0 1 1 *")).await;
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    for (name, said) in [("paused", "The schedule was paused."), ("run-queued", "The run was queued.")] {
        let page = me.get(&format!("/console/job/{job}?notice={name}")).await.expect(200);
        assert!(page.contains(said), "{page}");
    }
    let script = asset(&me, &format!("/console/job/{job}"), "<script src=\"").await;
    assert!(script.contains("searchParams.delete(\"notice\")") && script.contains("history.replaceState"), "{script}");
}

/// The focus goes back to the button of the same time when the table of times is sent again.
#[tokio::test]
async fn buttons_of_times_can_be_found_again() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.deployed(&app, it.cron("often", "* * * * *")).await;
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let page = me.get(&format!("/console/job/{job}")).await.expect(200);
    let second = app.clock.now().timestamp() + 90;
    assert!(page.contains(&format!("id=\"skip-{second}\"")), "skip-{second}: {page}");
}

/// On a narrow screen the cells of a table flow as text, and the marked entry of a navigation is scrolled to.
#[tokio::test]
async fn narrow_screens() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let me = Browser::new(&app, it.organization, Role::Viewer).await;
    let home = format!("/console/organization/{}", it.organization);
    let style = asset(&me, &home, "<link rel=\"stylesheet\" href=\"").await;
    let cells = between(&style, ":is(td, th[scope=row]) {", "}").unwrap();
    assert!(cells.contains("display: flow-root"), "{cells}");
    assert!(style.contains(".sign-in form button { display: block; margin-top"), "the focus ring needs room");
    let script = asset(&me, &home, "<script src=\"").await;
    assert!(script.contains("nav [aria-current]") && script.contains("nav.scrollLeft"), "{script}");
}

#[tokio::test]
async fn the_times_of_a_day_begin_with_the_next_one_and_go_back() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.deployed(&app, it.cron("often", "* * * * *")).await;
    app.clock.set("2026-11-23T10:15:00Z");
    let me = Browser::new(&app, it.organization, Role::Viewer).await;
    let path = format!("/console/job/{job}/explain");
    let times = |page: &str| page.matches(">Why?</a>").count();
    let first = |page: &str| between(page, "Explanation</th></tr></thead><tbody><tr><td>", "<").unwrap().to_owned();
    // The months of the calendar have such links, too.
    let link = |page: &str, rel: &str| {
        let before = format!("rel=\"{rel}\" href=\"");
        let links = page.split(&before).skip(1).filter_map(|rest| rest.split('"').next());
        links.map(|link| link.replace("&amp;", "&")).find(|link| link.contains("&through="))
    };
    let page = me.get(&path).await.expect(200);
    assert_eq!((times(&page), first(&page).as_str()), (300, "2026-11-23 10:16:00 UTC"));
    let later = link(&page, "prev").unwrap();
    assert_eq!(later, format!("{path}?day=2026-11-23&through=2026-11-23T15:16:00Z"));
    assert_eq!(first(&me.get(&later).await.expect(200)), "2026-11-23 15:16:00 UTC");
    let page = me.get(&link(&page, "next").unwrap()).await.expect(200);
    assert_eq!((times(&page), first(&page).as_str()), (300, "2026-11-23 05:16:00 UTC"));
    let page = me.get(&link(&page, "next").unwrap()).await.expect(200);
    assert_eq!((times(&page), first(&page).as_str()), (17, "2026-11-23 00:16:00 UTC"));
    assert_eq!(link(&page, "next"), None);
    // Nothing is said about times before the job was created, except that.
    let page = me.get(&format!("{path}?day=2026-11-22&through=2026-11-22T10:10:00Z")).await.expect(200);
    assert_eq!((times(&page), first(&page).as_str()), (10, "2026-11-22 10:10:00 UTC"));
    assert!(page.contains("The job was created at 2026-11-22 10:00:30 UTC."), "{page}");
}
