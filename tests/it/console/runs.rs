//! The pages of runs.

use entity::id::RunId;
use entity::member::Role;
use serde_json::json;
use windlass::runner::StepState;
use windlass::store;
use windlass::store::log_chunk::{ChunkBuilder, LogStream};

use super::browser::{Browser, between};
use crate::harness::{Furnished, TestApp, id};

/// What people would write to harm those who read it.
const HOSTILE: &str = "<script>alert(1)</script>\"'\u{202e}gnp";

/// A run that is being executed, with its job.
async fn running(app: &TestApp, it: &Furnished, name: &str) -> (String, String) {
    let job = it.deployed(app, it.cron(name, "0 0 1 1 *")).await;
    let run = id(&it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202));
    app.settle().await;
    (job, run)
}

/// Ends the only step.
async fn end(app: &TestApp, exit_code: i32) {
    let step = app.runner.steps().remove(0);
    app.runner.set(&step, StepState::Exited { exit_code, reason: None });
    app.settle().await;
}

#[tokio::test]
async fn a_run_with_its_log() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (job, run) = running(&app, &it, &format!("nightly {HOSTILE}")).await;
    let step = app.runner.steps().remove(0);
    app.runner.write(&step, &["first", "\u{1b}[31mred\u{1b}[0m plain", HOSTILE]);
    app.runner.write_errors(&step, &["to stderr"]);
    app.settle().await;
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let path = format!("/console/run/{run}");
    let page = me.get(&path).await.expect(200);
    for text in ["running", "a request", "CRON", "busybox:1.36.1", "id=\"follow\"", "data-live", ">red</span> plain"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("<script>alert") && page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{page}");
    assert!(page.contains("id=\"L1\"") && page.contains("href=\"#L1\""), "{page}");
    assert!(!page.contains('\u{1b}'), "{page}");
    assert!(page.contains(&format!("{path}/log/live?after=4")), "{page}");
    end(&app, 137).await;
    let page = me.get(&path).await.expect(200);
    for text in ["failed", "137", "killed (SIGKILL)", "Run again"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("id=\"follow\"") && !page.contains("data-live"), "{page}");
    let found = me.get(&format!("{path}?q=STDERR")).await.expect(200);
    assert!(found.contains("1 line contains") && found.contains("line stderr hit"), "{found}");
    let link = between(&found, "<ol class=\"matches\"><li><a href=\"", "\"").unwrap();
    assert_eq!(link, format!("{path}?from=1&amp;q=STDERR#L4"));
    let only = me.get(&format!("{path}?stream=stderr&wrap=0&times=0")).await.expect(200);
    assert!(only.contains("to stderr") && !only.contains(">first<"), "{only}");
    assert!(only.contains("class=\"log\""), "neither wrapped nor with times: {only}");
    let text = me.get(&format!("{path}/log")).await.expect(200);
    assert_eq!(text, format!("first\n\u{1b}[31mred\u{1b}[0m plain\n{HOSTILE}\nto stderr\n"));
    let again = me.submit(&path, &format!("{path}/rerun"), &[]).await.leads();
    let page = me.get(&again).await.expect(200);
    assert!(page.contains("The run was queued.") && page.contains("rel=\"prev\""), "{page}");
    assert!(me.get(&path).await.expect(200).contains("rel=\"next\""));
    assert_eq!(it.runs(&job).await.len(), 2);
}

#[tokio::test]
async fn a_run_is_cancelled() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (_, run) = running(&app, &it, "nightly").await;
    let path = format!("/console/run/{run}");
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let to = me.submit(&path, &format!("{path}/cancel"), &[]).await.leads();
    assert!(me.get(&to).await.expect(200).contains("cancellation requested"));
    app.settle().await;
    assert_eq!(it.client.get(&format!("/run/{run}")).await.expect(200)["state"], "CANCELLED");
    let refused = me.post(&format!("{path}/cancel"), &me.csrf().await, &[]).await;
    assert!(refused.expect(409).contains("The run has ended."));
}

#[tokio::test]
async fn new_lines_arrive_as_events_and_resume_where_they_broke_off() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (_, run) = running(&app, &it, "nightly").await;
    let step = app.runner.steps().remove(0);
    app.runner.write(&step, &["one", HOSTILE]);
    end(&app, 0).await;
    let me = Browser::new(&app, it.organization, Role::Viewer).await;
    let events = me.get(&format!("/console/run/{run}/log/live?after=1")).await.expect(200);
    assert!(
        events.contains("id: 2\nevent: lines\ndata: {") && events.ends_with("event: end\ndata: {}\n\n"),
        "{events}"
    );
    assert!(!events.contains(">one<") && !events.contains("<script>alert"), "{events}");
}

#[tokio::test]
async fn a_long_log_has_pages() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (_, run) = running(&app, &it, "nightly").await;
    end(&app, 0).await;
    let run_id = RunId(run.parse().unwrap());
    let stored = store::run::by_id(&app.app.db, run_id).await.unwrap().unwrap();
    let mut chunks = ChunkBuilder::after(run_id, stored.total_lines);
    for line in 1..=30_000 {
        let stream = if line % 10_000 == 0 { LogStream::Stderr } else { LogStream::Stdout };
        let _bytes = chunks.push(app.clock.now(), stream, &format!("line {line} of a log that is long enough"));
    }
    let last = chunks.position();
    store::log_chunk::append(&app.app.db, chunks.finish()).await.unwrap();
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let path = format!("/console/run/{run}");
    let lines = |page: &str| page.matches("<div id=\"L").count();
    let tail = me.get(&path).await.expect(200);
    assert_eq!(lines(&tail), 1000);
    assert!(tail.contains(&format!("id=\"L{last}\"")) && !tail.contains(&format!("id=\"L{}\"", last - 1000)));
    let earlier = between(&tail, "<a id=\"earlier\" href=\"", "\"").unwrap().replace("&amp;", "&");
    let page = me.get(&earlier).await.expect(200);
    assert_eq!(lines(&page), 1000);
    assert!(page.contains(&format!("id=\"L{}\"", last - 1000)) && !page.contains(&format!("id=\"L{}\"", last - 999)));
    let middle = me.get(&format!("{path}?from=12345")).await.expect(200);
    assert_eq!(lines(&middle), 1000);
    assert!(middle.contains("id=\"L12345\"") && middle.contains("id=\"L13344\"") && middle.contains("Later lines"));
    let errors = me.get(&format!("{path}?stream=stderr")).await.expect(200);
    assert_eq!(lines(&errors), 3);
    let found = me.get(&format!("{path}?q=LINE+1999")).await.expect(200);
    assert!(found.contains("11 lines contain"), "1999 and 19990 to 19999");
}

#[tokio::test]
async fn rights_on_runs() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (_, run) = running(&app, &it, "nightly").await;
    let path = format!("/console/run/{run}");
    let viewer = Browser::new(&app, it.organization, Role::Viewer).await;
    let page = viewer.get(&path).await.expect(200);
    assert!(!page.contains("/cancel") && !page.contains("/rerun"), "{page}");
    let csrf = viewer.csrf().await;
    for word in ["cancel", "rerun"] {
        assert_eq!(viewer.post(&format!("{path}/{word}"), &csrf, &[]).await.status, 403, "{word}");
    }
    let other = app.organization("other").await;
    let stranger = Browser::new(&app, other, Role::Admin).await;
    let csrf = stranger.csrf().await;
    for end in ["", "/live", "/log", "/log/live"] {
        assert_eq!(stranger.get(&format!("{path}{end}")).await.status, 404, "{end}");
    }
    assert_eq!(stranger.post(&format!("{path}/cancel"), &csrf, &[]).await.status, 404);
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    assert_eq!(me.post(&format!("{path}/cancel"), "forged", &[]).await.status, 403);
    assert_eq!(it.client.get(&format!("/run/{run}")).await.expect(200)["cancel_requested_at"], json!(null));
}

/// A page of a log, and what is added to it, begin with the colors that the lines before them have set.
#[tokio::test]
async fn colors_go_on_from_line_to_line() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (_, run) = running(&app, &it, "nightly").await;
    let step = app.runner.steps().remove(0);
    app.runner.write(&step, &["\u{1b}[31mred begins", "still red", "red ends\u{1b}[0m", "plain"]);
    app.settle().await;
    end(&app, 0).await;
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let path = format!("/console/run/{run}");
    let added = me.get(&format!("{path}/log/live?after=1")).await.expect(200);
    assert!(!added.contains("red begins"), "{added}");
    for text in [">still red</span>", ">red ends</span>"] {
        assert!(added.contains(text), "{text}: {added}");
    }
    let page = me.get(&format!("{path}?from=2")).await.expect(200);
    assert!(page.contains(">still red</span>") && !page.contains(">plain</span></span>"), "{page}");
    let last = me.get(&format!("{path}/log/live?after=3")).await.expect(200);
    assert!(!last.contains(">plain</span></span>"), "the color has ended: {last}");
}
