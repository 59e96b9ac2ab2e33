//! Which running runs a pass visits: those that something happened to at once, all others within a few seconds.

use std::time::Duration;

use serde_json::{Value, json};
use windlass::engine::tick::{self, Visitors};
use windlass::liveness::visits::Scope;
use windlass::runner::StepState;

use crate::harness::{Furnished, TestApp, id};

/// Jobs whose runs are running and quiet, and the number of runs.
async fn quiet(app: &TestApp, it: &Furnished, runs: usize) -> String {
    let job = it.create(it.lifecycle("job")).await;
    for _ in 0..runs {
        it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
    }
    app.settle().await;
    assert_eq!(app.runner.steps().len(), runs);
    app.runner.take_polls();
    pass(app, Scope::News).await;
    assert_eq!(app.runner.take_polls(), 0, "they are quiet");
    job
}

async fn pass(app: &TestApp, scope: Scope) {
    tick::work_on(&app.app, scope, app.clock.now()).await;
}

async fn states(it: &Furnished, job: &str, state: &str) -> usize {
    it.runs(job).await.iter().filter(|run| run["state"] == state).count()
}

async fn many() -> (TestApp, Furnished) {
    let app = TestApp::configured(|config| config.max_runs = 40).await;
    let it = app.furnished().await;
    (app, it)
}

fn ended() -> StepState {
    StepState::Exited { exit_code: 0, reason: None }
}

#[tokio::test]
async fn a_pass_visits_only_the_run_that_its_runner_reports() {
    let (app, it) = many().await;
    let job = quiet(&app, &it, 30).await;
    let name = app.runner.steps().remove(7);
    app.runner.write(&name, &["the last line"]);
    app.runner.set(&name, ended());
    app.app.wake.step(&name);
    pass(&app, Scope::News).await;
    assert_eq!(states(&it, &job, "SUCCEEDED").await, 1);
    assert!(app.runner.take_polls() <= 2, "the others were polled, too");
    assert_eq!(app.runner.steps().len(), 29);
}

#[tokio::test]
async fn a_run_whose_news_were_lost_is_seen_within_ten_looks() {
    let (app, it) = many().await;
    let job = quiet(&app, &it, 30).await;
    app.runner.exit_all(0);
    for look in 1..=10 {
        pass(&app, Scope::Look).await;
        assert_eq!(states(&it, &job, "SUCCEEDED").await, look * 3, "a look takes its share");
    }
}

#[tokio::test]
async fn new_lines_of_which_the_news_were_lost_are_stored() {
    let (app, it) = many().await;
    quiet(&app, &it, 1).await;
    let name = app.runner.steps().remove(0);
    app.runner.write(&name, &["a line"]);
    pass(&app, Scope::News).await;
    pass(&app, Scope::Look).await;
    let run = crate::engine::rows(&app).await;
    assert!(run.contains("a line"), "{run}");
}

#[tokio::test]
async fn a_cancelled_run_is_stopped_by_the_next_pass() {
    let (app, it) = many().await;
    let job = quiet(&app, &it, 5).await;
    let run = it.runs(&job).await.remove(2);
    it.client.post(&format!("/run/{}/cancel", run["id"].as_str().unwrap()), json!({})).await.expect(202);
    pass(&app, Scope::News).await;
    assert_eq!(app.runner.stopped().len(), 1);
    assert!(app.runner.take_polls() <= 2, "the others were polled, too");
    pass(&app, Scope::Look).await;
    assert_eq!(states(&it, &job, "CANCELLED").await, 1);
}

#[tokio::test]
async fn a_run_is_stopped_at_its_time_limit() {
    let (app, it) = many().await;
    let mut job = it.lifecycle("job");
    job["max_duration_seconds"] = json!(60);
    let job = it.create(job).await;
    it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
    app.settle().await;
    app.clock.forward(59);
    pass(&app, Scope::News).await;
    assert!(app.runner.stopped().is_empty());
    app.clock.forward(1);
    pass(&app, Scope::News).await;
    assert_eq!(app.runner.stopped().len(), 1);
}

/// Runs that do nothing cost no writes, however long they run.
#[tokio::test]
async fn quiet_runs_are_not_written() {
    let (app, it) = many().await;
    quiet(&app, &it, 30).await;
    let (changes, statements) = (app.changes(), app.statements());
    for _ in 0..60 {
        app.clock.forward(2);
        tick::renew(&app.app).await.unwrap();
        pass(&app, Scope::Look).await;
    }
    assert_eq!(app.changes(), changes);
    assert!(app.statements() - statements < 60 * 12, "{}", app.statements() - statements);
    assert_eq!(app.runner.take_polls(), 6 * 30, "each is glanced at in turn");
}

/// The time without an answer counts from the last glance, although nothing was written then.
#[tokio::test]
async fn a_silent_runner_is_noticed_after_its_last_answer() {
    let (app, it) = many().await;
    let job = quiet(&app, &it, 1).await;
    let reason = async || it.runs(&job).await.remove(0)["reason"].clone();
    app.clock.forward(4000);
    pass(&app, Scope::Look).await;
    app.runner.set_down(true);
    app.clock.forward(899);
    tick::renew(&app.app).await.unwrap();
    pass(&app, Scope::Look).await;
    assert_eq!(reason().await, Value::Null);
    app.clock.forward(1);
    pass(&app, Scope::Look).await;
    assert_eq!(reason().await, "the runner does not answer: the engine is down");
    app.runner.set_down(false);
    pass(&app, Scope::Look).await;
    assert_eq!(reason().await, Value::Null, "it answers again");
}

/// A row that this server owns without knowing it, because the answer to its claim was lost.
#[tokio::test]
async fn a_run_that_the_server_does_not_know_is_found() {
    let (app, it) = many().await;
    let job = it.create(it.lifecycle("job")).await;
    let run = id(&it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202));
    for _ in 0..2 {
        pass(&app, Scope::Look).await;
    }
    app.app.visits.gone(entity::id::RunId(run.parse().unwrap()));
    app.runner.exit_all(0);
    for _ in 0..25 {
        pass(&app, Scope::Look).await;
    }
    assert_eq!(it.runs(&job).await[0]["state"], "SUCCEEDED");
}

/// Waits until a number of runs have succeeded, while passes begin visits and do not wait for them.
async fn until_succeeded(app: &TestApp, it: &Furnished, (job, count): (&str, usize), visitors: &mut Visitors) {
    for _ in 0..1000 {
        tick::work_with(&app.app, visitors, Scope::News, app.clock.now()).await;
        if states(it, job, "SUCCEEDED").await == count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{count} runs never succeed");
}

/// A runner that does not answer for one run holds up only this run, and its slot is the only one that stays taken.
#[tokio::test]
async fn runs_proceed_beside_a_visit_that_hangs() {
    let app = TestApp::configured(|config| config.max_runs = 2).await;
    let it = app.furnished().await;
    let job = quiet(&app, &it, 2).await;
    for _ in 0..3 {
        it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
    }
    let silent = app.runner.steps().remove(0);
    app.runner.set_silent(Some(silent.clone()));
    let mut visitors = Visitors::default();
    app.app.wake.step(&silent);
    for ended_before in 0..4 {
        let next = app.runner.steps().into_iter().find(|name| *name != silent).expect("another one was started");
        app.runner.set(&next, ended());
        app.app.wake.step(&next);
        until_succeeded(&app, &it, (&job, ended_before + 1), &mut visitors).await;
        // The next one is started in its slot.
        for _ in 0..1000 {
            if app.runner.started().len() >= (ended_before + 3).min(5) {
                break;
            }
            tick::work_with(&app.app, &mut visitors, Scope::News, app.clock.now()).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    // The other visits have stored their ends, and are about to remove their steps.
    for _ in 0..1000 {
        if visitors.left() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
        tick::work_with(&app.app, &mut visitors, Scope::News, app.clock.now()).await;
    }
    assert_eq!(visitors.left(), 1, "one visit hangs");
    app.runner.take_polls();
    app.app.wake.step(&silent);
    tick::work_with(&app.app, &mut visitors, Scope::Look, app.clock.now()).await;
    assert_eq!(app.runner.take_polls(), 0, "a run has one visit at a time");
    app.runner.set(&silent, ended());
    app.runner.set_silent(None);
    visitors.finish().await;
    until_succeeded(&app, &it, (&job, 5), &mut visitors).await;
    assert_eq!(app.runner.started().len(), 5, "none is started twice");
}

/// What a run costs from its request to its end; the statements of a pass are shared by many runs.
#[tokio::test]
async fn a_run_takes_few_statements() {
    let (app, it) = many().await;
    let job = it.create(it.lifecycle("job")).await;
    for _ in 0..30 {
        it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
    }
    let before = app.statements();
    pass(&app, Scope::News).await;
    app.runner.exit_all(0);
    for name in app.runner.steps() {
        app.app.wake.step(&name);
    }
    pass(&app, Scope::News).await;
    let statements = app.statements() - before;
    assert_eq!(states(&it, &job, "SUCCEEDED").await, 30);
    assert!(statements < 30 * 6, "{statements} statements");
}
