//! Every scheduled time becomes one run, whatever happens in between.

use serde_json::json;

use super::rows;
use crate::harness::TestApp;

#[tokio::test]
async fn one_row_for_each_time() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    it.deployed(&app, it.cron("minutely", "* * * * *")).await;
    insta::assert_snapshot!("deployed", rows(&app).await);
    app.clock.set("2026-11-22T10:01:00Z");
    app.tick().await;
    insta::assert_snapshot!("started", rows(&app).await);
    let name = app.runner.steps().remove(0);
    app.runner.write(&name, &["one", "two"]);
    app.tick().await;
    app.runner.exit_all(0);
    app.clock.set("2026-11-22T10:01:20Z");
    app.tick().await;
    insta::assert_snapshot!("ended", rows(&app).await);
    app.tick().await;
    assert_eq!(app.runner.started().len(), 1, "the same time was started twice");
}

#[tokio::test]
async fn a_run_that_is_not_over_keeps_the_next_one_out() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.deployed(&app, it.cron("slow", "* * * * *")).await;
    for minute in 1..4 {
        app.clock.set(&format!("2026-11-22T10:0{minute}:00Z"));
        app.settle().await;
    }
    assert_eq!(it.runs(&job).await.len(), 1);
    app.runner.exit_all(0);
    app.settle().await;
    app.clock.set("2026-11-22T10:04:00Z");
    app.settle().await;
    let runs = it.runs(&job).await;
    assert_eq!((runs.len(), &runs[0]["scheduled_for"]), (2, &json!("2026-11-22T10:04:00.000000Z")));
}

#[tokio::test]
async fn of_missed_times_only_the_newest_is_started() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.deployed(&app, it.cron("hourly", "15 * * * *")).await;
    app.clock.set("2027-03-02T07:40:00Z");
    let again = app.restarted().await;
    again.settle().await;
    let runs = it.runs(&job).await;
    assert_eq!((runs.len(), &runs[0]["scheduled_for"]), (1, &json!("2027-03-02T07:15:00.000000Z")));
    let next = it.client.get(&format!("/job/{job}/nextRun?count=1")).await.expect(200);
    assert_eq!(next["results"][0]["at"], "2027-03-02T08:15:00.000000Z");
}

/// Several servers tick at the same time, again and again: every time has one run, and every run is started once.
#[tokio::test]
async fn servers_that_tick_together_start_each_time_once() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    for number in 0..12 {
        it.deployed(&app, it.cron(&format!("job {number}"), "* * * * *")).await;
    }
    let others = [app.restarted().await, app.restarted().await];
    for minute in 1..5 {
        app.clock.set(&format!("2026-11-22T10:0{minute}:00Z"));
        tokio::join!(app.settle(), others[0].settle(), others[1].settle());
        app.runner.exit_all(0);
        tokio::join!(app.settle(), others[0].settle(), others[1].settle());
        app.settle().await;
    }
    let mut names: Vec<String> = app.runner.started().into_iter().map(|step| step.name).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!((names.len(), count), (12 * 4, 12 * 4));
    use entity::run;
    use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};
    let succeeded = run::Entity::find().filter(run::Column::State.eq(run::RunState::Succeeded));
    assert_eq!(succeeded.count(&app.app.db).await.unwrap(), 12 * 4);
}

/// A time that already has a run is passed over, and the schedule continues.
#[tokio::test]
async fn the_same_time_cannot_be_stored_twice() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.deployed(&app, it.cron("minutely", "* * * * *")).await;
    app.clock.set("2026-11-22T10:01:00Z");
    app.settle().await;
    app.runner.exit_all(0);
    app.settle().await;
    // As if the update of the next time had been lost.
    use entity::id::JobId;
    let id = JobId(job.parse().unwrap());
    let at = "2026-11-22T10:01:00Z".parse().unwrap();
    let row = windlass::store::job::by_id(&app.app.db, id).await.unwrap().unwrap();
    windlass::store::job::set_deployed(&app.app.db, id, row.deployed, Some(at), app.clock.now()).await.unwrap();
    app.settle().await;
    assert_eq!((it.runs(&job).await.len(), app.runner.started().len()), (1, 1));
    let next = windlass::store::job_schedule::of_job(&app.app.db, id).await.unwrap();
    assert_eq!(next, Some("2026-11-22T10:02:00Z".parse().unwrap()), "the schedule is stuck");
}
