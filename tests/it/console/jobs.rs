//! The pages of jobs.

use entity::member::Role;
use serde_json::{Value, json};
use windlass::runner::StepState;

use super::browser::{Browser, between};
use crate::harness::{Furnished, TestApp, id};

/// What people would write to harm those who read it.
const HOSTILE: &str = "<script>alert(1)</script>\"'\u{202e}gnp";

/// A deployed job with one succeeded and one failed run of its schedule.
async fn with_history(app: &TestApp, it: &Furnished, name: &str) -> String {
    let job = it.deployed(app, it.cron(name, "*/5 * * * *")).await;
    for (minute, exit_code) in [("10:05", 0), ("10:10", 3)] {
        app.clock.set(&format!("2026-11-22T{minute}:00Z"));
        app.settle().await;
        let step = app.runner.steps().remove(0);
        app.clock.forward(20);
        app.runner.set(&step, StepState::Exited { exit_code, reason: None });
        app.settle().await;
    }
    job
}

#[tokio::test]
async fn the_pages_of_a_job() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = with_history(&app, &it, &format!("report {HOSTILE}")).await;
    let path = format!("/job/{job}");
    let variable = |key: &str, value: &str| json!({"key": key, "value": value});
    it.client.post(&format!("{path}/environmentVariable"), variable("GREETING", HOSTILE)).await.expect(201);
    it.client.post(&format!("{path}/secret"), variable("PASSWORD", "hunter2hunter2")).await.expect(201);
    it.client.post(&format!("{path}/environmentVariable"), variable("URL", "x://{{PASSWORD}}")).await.expect(201);
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let page = me.get(&format!("/console{path}")).await.expect(200);
    for text in [
        "Every 5 minutes",
        "Etc/UTC",
        "2026-11-22 10:15:00 UTC",
        "failed",
        "Clear failures",
        "out of date",
        "Its variables were changed since.",
        "svg class=\"strip\"",
        "svg class=\"durations\"",
        "Backfill…",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert_eq!(page.matches("aria-label=\"Skip ").count(), 10);
    let history = me.get(&format!("/console{path}/history?state=failed&trigger=schedule")).await.expect(200);
    assert_eq!(history.matches("data-label=\"Run\"").count(), 1, "{history}");
    assert!(history.contains("data-label=\"Exit code\">3<"), "{history}");
    let variables = me.get(&format!("/console{path}/variables")).await.expect(200);
    for text in ["GREETING", "PASSWORD", "secret", "the job", "built in", "QOVERY_"] {
        assert!(variables.contains(text), "{text}: {variables}");
    }
    // What the job sees has a secret in it; the forms show how the value was written.
    assert!(!variables.contains("hunter2") && variables.matches("x://").count() == 1, "{variables}");
    assert!(variables.contains(&format!("href=\"/console/variables/job/{job}/new\"")), "{variables}");
    let settings = me.get(&format!("/console{path}/settings")).await.expect(200);
    assert!(settings.contains("cronjob.jitter_seconds") && settings.contains("Which occurrence"), "{settings}");
    let changes = me.get(&format!("/console{path}/changes")).await.expect(200);
    assert!(changes.contains("CREATE") && changes.contains("with the API"), "{changes}");
    for page in [page, history, variables, settings, changes] {
        assert!(!page.contains("<script>alert") && page.contains("&lt;script&gt;"), "{page}");
        assert!(!page.contains(" style="), "{page}");
    }
}

#[tokio::test]
async fn an_explanation_of_any_time() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = with_history(&app, &it, "report").await;
    let me = Browser::new(&app, it.organization, Role::Viewer).await;
    let path = format!("/console/job/{job}/explain");
    let page = me.get(&path).await.expect(200);
    assert!(page.contains("November 2026") && page.contains("?day=2026-11-30"), "{page}");
    assert!(page.contains(&format!("{path}?at=2026-11-22T10:05:00Z")), "{page}");
    let answer = me.get(&format!("{path}?at=2026-11-22T10:10:00Z")).await.expect(200);
    assert!(answer.contains("was created for this time and failed"), "{answer}");
    let local = me.get(&format!("{path}?at=2026-11-22T10:07")).await.expect(200);
    assert!(local.contains("Nothing is scheduled for this minute."), "{local}");
    assert!(me.get(&format!("{path}?at=soon")).await.expect(400).contains("must be a date"));
    let other = me.get(&format!("{path}?day=2026-11-30")).await.expect(200);
    assert!(other.contains("Monday, 30 November 2026") && other.contains("planned"), "{other}");
    let events = it.create(it.lifecycle("events")).await;
    assert!(me.get(&format!("/console/job/{events}/explain")).await.expect(200).contains("has no schedule"));
}

#[tokio::test]
async fn actions() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = with_history(&app, &it, "report").await;
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let path = format!("/console/job/{job}");
    let to = |word: &str| format!("{path}/{word}");
    let press = async |word: &str| me.submit(&path, &to(word), &[]).await.leads();

    assert_eq!(press("clear-failures").await, to("").trim_end_matches('/').to_owned() + "?notice=failures-cleared");
    me.submit(&path, &to("skip"), &[("at", "2026-11-22T10:15:00Z")]).await.leads();
    assert!(me.get(&path).await.expect(200).contains("will be skipped: requested by"));
    let refused = me.submit(&to("pause"), &to("pause"), &[("until", "2026-11-22T09:00")]).await.expect(400);
    assert!(refused.contains("must be in the future") && refused.contains("2026-11-22T09:00"), "{refused}");
    me.submit(&to("pause"), &to("pause"), &[("until", "2026-11-23T09:00")]).await.leads();
    assert!(me.get(&path).await.expect(200).contains("Paused by"));
    press("resume").await;
    assert!(!me.get(&path).await.expect(200).contains("Paused by"));

    let fields = [
        ("arguments", "-c\necho other"),
        ("environment", "A=1"),
        ("secret_environment", "B=hidden"),
        ("image_tag", "1.37"),
        ("timeout_seconds", "5"),
    ];
    let run = me.submit(&to("run"), &to("run"), &fields).await.leads();
    let run = between(&run, "/console/run/", "?").unwrap().to_owned();
    let queued = it.client.get(&format!("/run/{run}")).await.expect(200);
    assert_eq!(queued["arguments"], json!(["-c", "echo other"]));
    assert_eq!((&queued["image"], &queued["trigger"]), (&json!("library/busybox:1.37"), &json!("MANUAL")));
    let bad = [("timeout_seconds", "soon"), ("environment", "1A=2"), ("secret_environment", "B=hidden")];
    let refused = me.submit(&to("run"), &to("run"), &bad).await.expect(400);
    assert!(
        refused.contains("whole number") && refused.contains("value=\"soon\"") && refused.contains("1A=2"),
        "{refused}"
    );
    assert!(!refused.contains("B=hidden"), "a secret is not sent back: {refused}");

    let span = [("from", "2026-11-22T08:00"), ("until", "2026-11-22T09:00"), ("limit", "10")];
    let preview = me.submit(&to("backfill"), &to("backfill"), &span).await.expect(200);
    assert!(preview.contains("10 runs will be queued") && preview.contains("more times than the limit"), "{preview}");
    assert_eq!(it.runs(&job).await.len(), 3, "a preview queues nothing");
    let refused = me.submit(&to("backfill"), &to("backfill"), &[span[1], span[0], span[2]]).await;
    assert_eq!(refused.status, 200, "the order of fields does not matter");
    let confirmed = [span[0], span[1], span[2], ("confirmed", "1")];
    let history = me.submit(&to("backfill"), &to("backfill"), &confirmed).await.leads();
    assert_eq!(it.runs(&job).await.len(), 13);
    let page = me.get(&history).await.expect(200);
    let backfill = between(&page, "name=\"backfill\" value=\"", "\"").unwrap().to_owned();
    me.submit(&history, &to("cancel-backfill"), &[("backfill", &backfill)]).await.leads();
    app.settle().await;

    press("deploy").await;
    app.settle().await;
    press("stop").await;
    app.settle().await;
    assert_eq!(it.state(&job).await, "STOPPED");
    assert_eq!(me.post(&to("nonsense"), &me.csrf().await, &[]).await.status, 404);
    let gone = press("delete").await;
    assert_eq!(gone, format!("/console/environment/{}?notice=job-deleted", it.environment));
    app.settle().await;
    it.client.get(&format!("/job/{job}")).await.expect(404);
}

pub(super) fn definition<'a>(registry: &'a str, name: &'a str, scheduled_at: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("type", "cron"),
        ("name", name),
        ("description", "about it"),
        ("scheduled_at", scheduled_at),
        ("timezone", "Europe/Berlin"),
        ("source.image.image_name", "library/busybox"),
        ("source.image.tag", "1.36.1"),
        ("source.image.registry_id", registry),
        ("schedule.cronjob.entrypoint", "/bin/sh"),
        ("schedule.cronjob.arguments", "-c\necho hi"),
        ("cpu", "100"),
        ("memory", "64"),
        ("max_nb_restart", "2"),
        ("max_duration_seconds", "60"),
    ]
}

#[tokio::test]
async fn a_job_is_created() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let new = format!("/console/environment/{}/jobs/new", it.environment);
    assert!(me.get(&new).await.expect(200).contains("Create the job"));
    let mut wrong = definition(&it.registry, HOSTILE, "61 * * * *");
    wrong[10].1 = "5";
    let refused = me.submit(&new, &new, &wrong).await.expect(400);
    for text in
        ["Cron expression ", "must be at least 10", "value=\"61 * * * *\"", "&lt;script&gt;", "aria-invalid=\"true\""]
    {
        assert!(refused.contains(text), "{text}: {refused}");
    }
    assert!(!refused.contains("<script>alert"), "{refused}");
    let mut previewed = definition(&it.registry, "report", "30 3 * * *");
    previewed.push(("preview", "1"));
    let preview = me.submit(&new, &new, &previewed).await.expect(200);
    assert!(preview.contains("Every day at 03:30") && preview.contains("2026-11-23 03:30:00 CET"), "{preview}");
    let fragment = me.get("/console/schedule/preview?scheduled_at=0+4+*+*+*&timezone=Nowhere").await.expect(200);
    assert!(fragment.starts_with("<div id=\"preview\"") && fragment.contains("class=\"problem\""), "{fragment}");
    let to = me.submit(&new, &new, &definition(&it.registry, "report", "30 3 * * *")).await.leads();
    let job = between(&to, "/console/job/", "?").unwrap().to_owned();
    let stored = it.client.get(&format!("/job/{job}")).await.expect(200);
    let cron = &stored["schedule"]["cronjob"];
    assert_eq!((&cron["timezone"], &cron["arguments"]), (&json!("Europe/Berlin"), &json!(["-c", "echo hi"])));
    assert_eq!((&stored["cpu"], &stored["max_nb_restart"]), (&json!(100), &json!(2)));
    let taken = me.submit(&new, &new, &definition(&it.registry, "Report", "30 3 * * *")).await.expect(400);
    assert!(taken.contains("already taken"), "{taken}");
    let events = [
        ("type", "lifecycle"),
        ("name", "setup"),
        ("source.image.image_name", "library/busybox"),
        ("source.image.tag", "1.36.1"),
        ("source.image.registry_id", &it.registry),
        ("schedule.on_start", "on"),
        ("schedule.on_start.arguments", "[\"-c\", \"a\\nb\"]"),
        ("cpu", "100"),
        ("memory", "64"),
        ("max_nb_restart", "0"),
        ("max_duration_seconds", "0"),
    ];
    let to = me.submit(&new, &new, &events).await.leads();
    let job = between(&to, "/console/job/", "?").unwrap().to_owned();
    let stored = it.client.get(&format!("/job/{job}")).await.expect(200);
    assert_eq!(stored["schedule"]["on_start"]["arguments"], json!(["-c", "a\nb"]));
    assert_eq!(stored["schedule"].get("on_stop").unwrap_or(&Value::Null), &Value::Null);
    assert!(me.get(&to).await.expect(200).contains("Runs when its environment is started."));
}

#[tokio::test]
async fn an_edit_changes_only_what_the_form_names() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut body = it.cron("report", "0 3 * * *");
    body["schedule"]["cronjob"]["arguments"] = json!(["-c", "echo one\necho two", ""]);
    body["port"] = json!(8080);
    let job = it.create(body).await;
    it.client.put(&format!("/job/{job}/advancedSettings"), json!({"cronjob.jitter_seconds": 7})).await.expect(201);
    let before = it.client.get(&format!("/job/{job}")).await.expect(200);
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let edit = format!("/console/job/{job}/edit");
    let page = me.get(&edit).await.expect(200);
    let seen = between(&page, "name=\"seen\" value=\"", "\"").unwrap().to_owned();
    let list = between(&page, "name=\"schedule.cronjob.arguments\"", "</textarea>").unwrap();
    let list = list.split_once('>').unwrap().1.trim_start().replace("&quot;", "\"").replace("&amp;", "&");
    let mut fields = definition(&it.registry, "renamed", "0 4 * * *");
    fields[4].1 = "Etc/UTC";
    fields[9].1 = &list;
    fields.push(("seen", &seen));
    app.clock.forward(1);
    me.submit(&edit, &edit, &fields).await.leads();
    let after = it.client.get(&format!("/job/{job}")).await.expect(200);
    assert_eq!((&after["name"], &after["port"]), (&json!("renamed"), &json!(8080)));
    assert_eq!(after["schedule"]["cronjob"]["arguments"], before["schedule"]["cronjob"]["arguments"]);
    assert_eq!(after["schedule"]["cronjob"]["scheduled_at"], "0 4 * * *");
    let settings = it.client.get(&format!("/job/{job}/advancedSettings")).await.expect(200);
    assert_eq!(settings["cronjob.jitter_seconds"], 7);
    fields[1].1 = "again";
    let stale = me.submit(&edit, &edit, &fields).await.expect(400);
    assert!(stale.contains("changed by somebody else in the meantime") && stale.contains("value=\"again\""), "{stale}");
    assert_eq!(it.client.get(&format!("/job/{job}")).await.expect(200)["name"], "renamed");

    let settings = format!("/console/job/{job}/settings");
    let refused =
        me.submit(&settings, &settings, &[("settings", "{\"cronjob.jitter_seconds\": -1}")]).await.expect(400);
    assert!(refused.contains("cronjob.jitter_seconds"), "{refused}");
    me.submit(&settings, &settings, &[("settings", "{\"cronjob.jitter_seconds\": 9}")]).await.leads();
    let changed = it.client.get(&format!("/job/{job}/advancedSettings")).await.expect(200);
    assert_eq!(changed["cronjob.jitter_seconds"], 9);

    let clone = format!("/console/job/{job}/clone");
    let fields = [("name", "copy"), ("environment_id", it.environment.as_str())];
    let copy = me.submit(&clone, &clone, &fields).await.leads();
    assert!(me.get(&copy).await.expect(200).contains("This is the copy."));
    assert!(me.submit(&clone, &clone, &fields).await.expect(400).contains("already taken"));
}

#[tokio::test]
async fn what_is_not_deployed_yet_is_shown() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.deployed(&app, it.cron("report", "0 3 * * *")).await;
    it.client.put(&format!("/job/{job}"), json!({"cpu": 250})).await.expect(200);
    let me = Browser::new(&app, it.organization, Role::Viewer).await;
    let page = me.get(&format!("/console/job/{job}")).await.expect(200);
    assert!(page.contains("cpu_milli") && page.contains(">500</del>") && page.contains(">250</ins>"), "{page}");
}

#[tokio::test]
async fn rights_on_jobs() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = with_history(&app, &it, "report").await;
    let path = format!("/console/job/{job}");
    let new = format!("/console/environment/{}/jobs/new", it.environment);
    let other = app.organization("other").await;
    let viewer = Browser::new(&app, it.organization, Role::Viewer).await;
    let stranger = Browser::new(&app, other, Role::Admin).await;
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let (csrf, strange) = (viewer.csrf().await, stranger.csrf().await);
    for end in ["", "/history", "/explain", "/variables", "/settings"] {
        let page = viewer.get(&format!("{path}{end}")).await.expect(200);
        let forms = page.matches("method=\"post\"").count();
        assert_eq!(forms, 1, "only that which signs out, on {end}: {page}");
        assert_eq!(stranger.get(&format!("{path}{end}")).await.status, 404, "{end}");
    }
    assert_eq!(stranger.get(&format!("{path}/live")).await.status, 404);
    for form in ["run", "pause", "backfill", "edit", "clone"] {
        assert_eq!(viewer.get(&format!("{path}/{form}")).await.status, 403, "{form}");
        assert_eq!(stranger.get(&format!("{path}/{form}")).await.status, 404, "{form}");
    }
    let words = [
        "run",
        "pause",
        "backfill",
        "edit",
        "clone",
        "deploy",
        "stop",
        "resume",
        "skip",
        "cancel-backfill",
        "clear-failures",
        "delete",
        "settings",
    ];
    for word in words {
        let to = format!("{path}/{word}");
        assert_eq!(viewer.post(&to, &csrf, &[]).await.status, 403, "{word}");
        assert_eq!(stranger.post(&to, &strange, &[]).await.status, 404, "{word}");
        assert_eq!(me.post(&to, "forged", &[]).await.status, 403, "{word}");
    }
    assert_eq!((viewer.get(&new).await.status, stranger.get(&new).await.status), (403, 404));
    assert_eq!(viewer.post(&new, &csrf, &[]).await.status, 403);
    assert_eq!(me.post(&new, "forged", &[]).await.status, 403);
    assert_eq!(it.runs(&job).await.len(), 2);
    assert_eq!(id(&it.client.get(&format!("/job/{job}")).await.expect(200)), job);
}

#[tokio::test]
async fn another_version_is_deployed() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("nightly", "0 3 * * *")).await;
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let path = format!("/console/job/{job}");
    let form = format!("{path}/deploy-version");
    assert!(me.get(&path).await.expect(200).contains(&form));
    assert!(me.get(&form).await.expect(200).contains("value=\"1.36.1\""));
    for (tag, said) in [("", "must not be empty"), ("no tag!", "value=\"no tag!\"")] {
        let shown = me.submit(&form, &form, &[("image_tag", tag)]).await.expect(400);
        assert!(shown.contains(said) && shown.contains("class=\"problem\""), "{shown}");
    }
    let tag = async || {
        let job = it.client.get(&format!("/job/{job}")).await.expect(200);
        job["source"]["image"]["tag"].as_str().unwrap().to_owned()
    };
    me.submit(&form, &form, &[("image_tag", "1.37")]).await.leads();
    app.settle().await;
    assert_eq!((tag().await.as_str(), it.state(&job).await.as_str()), ("1.37", "DEPLOYED"));

    // Some jobs of an environment together.
    let other = it.create(it.cron("weekly", "0 3 * * 1")).await;
    let form = format!("/console/environment/{}/deploy-jobs", it.environment);
    let page = me.get(&form).await.expect(200);
    assert!(page.contains("nightly") && page.contains("weekly"), "{page}");
    assert!(me.submit(&form, &form, &[]).await.expect(400).contains("choose at least one job"));
    let version = format!("version-{job}");
    let shown = me.submit(&form, &form, &[("job", &*job), (&*version, "no tag!")]).await.expect(400);
    assert!(shown.contains("checked") && shown.contains("value=\"no tag!\""), "{shown}");
    let to = me.submit(&form, &form, &[("job", &*job), (&*version, "1.38")]).await.leads();
    assert!(me.get(&to).await.expect(200).contains("The deployment was requested."));
    app.settle().await;
    assert_eq!((tag().await.as_str(), it.state(&other).await.as_str()), ("1.38", "READY"));
}
