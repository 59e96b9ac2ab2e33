//! Runs that start or end at the same moment are stored together, and none of them suffers from another.

use std::collections::HashMap;

use chrono::TimeDelta;
use entity::id::RunId;
use entity::run;
use entity::run::{RunState, RunnerKind};
use entity::run_spec::BuiltImage;
use sea_orm::{EntityTrait as _, QueryOrder as _};
use serde_json::json;
use uuid::Uuid;
use windlass::store;
use windlass::store::run::{Follows, HandOverRequest, Handover, RunEnding};

use super::poison::{Rejects, cure, poison, sql};
use crate::harness::{Furnished, TestApp};

const JOBS: usize = 12;

/// Jobs, each with a run that was requested.
async fn requested(it: &Furnished) -> Vec<String> {
    let mut jobs = Vec::new();
    for number in 0..JOBS {
        let job = it.create(it.cron(&format!("job-{number}"), "@daily")).await;
        it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
        jobs.push(job);
    }
    jobs
}

async fn rows(app: &TestApp) -> Vec<run::Model> {
    run::Entity::find().order_by_asc(run::Column::Number).all(&app.app.db).await.unwrap()
}

fn count(rows: &[run::Model], state: RunState) -> usize {
    rows.iter().filter(|row| row.state == state).count()
}

#[tokio::test]
async fn starts_and_ends_cost_few_statements() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    requested(&it).await;
    let before = app.changes();
    app.settle().await;
    let started = app.changes() - before;
    assert_eq!(app.runner.steps().len(), JOBS);
    for step in app.runner.steps() {
        app.runner.write(&step, &["a line"]);
    }
    let before = app.changes();
    app.runner.exit_all(0);
    app.settle().await;
    let ended = app.changes() - before;
    assert_eq!(count(&rows(&app).await, RunState::Succeeded), JOBS);
    // That each of them runs is noted when it is seen.
    assert!(started < 2 * JOBS && ended < JOBS, "{started} changes for the starts, {ended} for the ends");
}

#[tokio::test]
async fn one_that_cannot_be_stored_holds_up_no_other() {
    for rejects in [Rejects::Statement, Rejects::Transaction] {
        let app = TestApp::new().await;
        let it = app.furnished().await;
        requested(&it).await;
        let bad = sql(&app, &rows(&app).await[JOBS / 2].id.to_string());
        poison(&app, "UPDATE ON run", &format!("NEW.id = {bad} AND NEW.place IS NOT NULL"), rejects).await;
        app.settle().await;
        assert_eq!(app.runner.steps().len(), JOBS - 1, "the others were started");
        cure(&app).await;
        app.clock.forward(60);
        app.settle().await;
        assert_eq!(app.runner.steps().len(), JOBS);

        poison(&app, "UPDATE ON run", &format!("NEW.id = {bad} AND NEW.state = 'SUCCEEDED'"), rejects).await;
        app.runner.exit_all(0);
        app.settle().await;
        let states = rows(&app).await;
        assert_eq!((count(&states, RunState::Succeeded), count(&states, RunState::Running)), (JOBS - 1, 1));
        cure(&app).await;
        app.clock.forward(60);
        app.settle().await;
        assert_eq!(count(&rows(&app).await, RunState::Succeeded), JOBS);
        assert_eq!(app.runner.steps().len(), 0);
    }
}

#[tokio::test]
async fn runs_of_one_job_that_end_together_are_counted() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.lifecycle("job")).await;
    let settings = json!({"job.history_succeeded_count": 2});
    it.client.put(&format!("/job/{job}/advancedSettings"), settings).await.expect(201);
    for _ in 0..6 {
        it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
    }
    app.settle().await;
    assert_eq!(app.runner.steps().len(), 6, "they run at the same time");
    app.runner.exit_all(0);
    app.settle().await;
    while windlass::engine::tick::prune(&app.app, app.clock.now()).await.more {}
    assert_eq!(rows(&app).await.iter().map(|row| row.number).collect::<Vec<_>>(), [5, 6]);
}

/// A row with a value in every column that an end may change.
fn ended(row: &run::Model, number: i64) -> run::Model {
    let at = |minutes: i64| row.created_at + TimeDelta::minutes(minutes + number);
    run::Model {
        state: RunState::Failed,
        attempt: 3,
        runner: Some(RunnerKind::Docker),
        not_before: at(1),
        started_at: Some(at(2)),
        attempt_started_at: Some(at(3)),
        finished_at: Some(at(4)),
        updated_at: at(5),
        expires_at: Some(at(6)),
        stop_asked_at: Some(at(7)),
        start_asked_at: Some(at(8)),
        stopping_at: Some(at(9)),
        end_seen_at: Some(at(10)),
        exit_code: Some(17),
        reason: Some(format!("it's number {number}")),
        attempt_lines: number,
        total_lines: number + 1,
        log_bytes: number + 2,
        log_cut: true,
        log_mark: Some(number + 3),
        place: Some("somewhere".into()),
        step: Some("a-step".into()),
        masks: Some(vec![0, 1, 255]),
        built: serde_json::from_value::<BuiltImage>(json!({"image": "a", "commit": null})).ok(),
        lease_owner: None,
        lease_until: None,
        ..row.clone()
    }
}

#[tokio::test]
async fn several_are_stored_as_one_is() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    requested(&it).await;
    app.settle().await;
    let (db, owner) = (&app.app.db, Some(app.app.instance));
    let before = rows(&app).await;
    let stranger = Some(Uuid::now_v7());
    let to = |number: usize| Handover {
        runner: RunnerKind::Process,
        place: format!("place {number}"),
        masks: number.is_multiple_of(2).then(|| vec![7, 0]),
        step: (!number.is_multiple_of(2)).then(|| "step".into()),
    };
    let handed = |number: usize, owner| HandOverRequest { id: before[number].id, owner, to: to(number) };
    let all = [handed(0, owner), handed(1, owner), handed(2, stranger), handed(3, None)];
    let done = store::write(db, async |tx| store::run::hand_over_all(tx, &all).await).await.unwrap();
    assert_eq!(done, [before[0].id, before[1].id].into());
    let after: HashMap<RunId, run::Model> = rows(&app).await.into_iter().map(|row| (row.id, row)).collect();
    for (number, row) in before.iter().enumerate().take(4) {
        let Handover { runner, place, masks, step } = to(number);
        let expected =
            run::Model { runner: Some(runner), place: Some(place), masks, step, attempt_lines: 0, ..row.clone() };
        assert_eq!(after[&row.id], if number < 2 { expected } else { row.clone() });
    }

    let end = |number: usize, owner| {
        let row = ended(&before[number], i64::try_from(number).unwrap());
        RunEnding { owner, row, chunks: Vec::new() }
    };
    let all = [end(4, owner), end(5, owner), end(6, stranger), end(7, owner)];
    let done = store::write(db, async |tx| store::run::advance_all(tx, &all).await).await.unwrap();
    let expected = [4, 5, 7].map(|number| (before[number].id, Follows::default()));
    assert_eq!(done, expected.into());
    let after: HashMap<RunId, run::Model> = rows(&app).await.into_iter().map(|row| (row.id, row)).collect();
    for one in &all {
        let stored = &after[&one.row.id];
        let unchanged = before.iter().find(|row| row.id == one.row.id).unwrap();
        assert_eq!(stored, if one.owner == owner { &one.row } else { unchanged });
    }
    let again = store::write(db, async |tx| store::run::advance_all(tx, &all).await).await.unwrap();
    assert_eq!(again, HashMap::new(), "they have ended");
}
