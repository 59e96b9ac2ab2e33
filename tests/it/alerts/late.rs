//! Runs that have not started in time, and those that take too long: what counts, and that many of one organization hide none of another.

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::{JobId, RunId};
use entity::run::{self, Event, RunState, Trigger};
use entity::run_spec::RunSpec;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde_json::{Value, json};
use windlass::error::Error;
use windlass::store;

use super::{Service, Watch};
use crate::harness::{Furnished, TestApp, start};

fn condition(name: &str, threshold: i64) -> Value {
    json!({"condition": {"kind": "BUILT", "promql": name, "threshold": threshold}})
}

fn minute(minute: i64) -> DateTime<Utc> {
    start() + TimeDelta::minutes(minute)
}

/// A scheduled run that waits since a minute.
fn waiting(it: &Furnished, job: &str, since: i64) -> run::Model {
    run::Model {
        trigger: Trigger::Schedule,
        scheduled_for: Some(minute(since)),
        organization_id: it.organization,
        ..run::Model::queued(JobId(job.parse().unwrap()), Event::Cron, RunSpec::default(), minute(since))
    }
}

/// A scheduled run that has been running since a minute.
fn running(it: &Furnished, job: &str, since: i64) -> run::Model {
    run::Model { state: RunState::Running, started_at: Some(minute(since)), ..waiting(it, job, since) }
}

/// Stores runs, and returns their ids.
async fn stored(app: &TestApp, rows: Vec<run::Model>) -> Vec<RunId> {
    let ids = rows.iter().map(|row| row.id).collect();
    store::write(&app.app.db, async |tx| store::run::create(tx, rows).await.map_err(Error::from)).await.unwrap();
    ids
}

/// As when its first attempt has failed, and it waits for the next one.
async fn started(app: &TestApp, run: RunId) {
    let these = run::Entity::update_many().col_expr(run::Column::StartedAt, Expr::value(app.clock.now()));
    these.filter(run::Column::Id.eq(run)).exec(&app.app.db).await.unwrap();
}

#[tokio::test]
async fn runs_of_backfills_are_not_late() {
    let mut watch = Watch::new().await;
    let rule = watch.rule(&[], condition("run_late", 60)).await;
    let job = watch.it.deployed(&watch.app, watch.it.cron("hourly", "0 * * * *")).await;
    let span = json!({"from": "2026-11-21T00:00:00Z", "until": "2026-11-22T00:00:00Z", "limit": 24});
    let made = watch.it.client.post(&format!("/job/{job}/backfill"), span).await.expect(202);
    assert_eq!(made["runs"], 24);
    watch.pass_after(600).await;
    assert_eq!(watch.shown(&rule).await["state"], "OK");
}

#[tokio::test]
async fn late_runs_of_a_job_are_one_alert() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.slack(&url).await;
    watch.rule(&[&slack], condition("run_late", 60)).await;
    let job = watch.job("job").await;
    let runs = (0..3).map(|since| waiting(&watch.it, &job, since)).collect();
    let runs = stored(&watch.app, runs).await;
    let only = async |watch: &Watch| {
        let rows = entity::alert::Entity::find().all(&watch.app.app.db).await.unwrap();
        assert_eq!(rows.len(), 1, "{rows:?}");
        (rows[0].run_id.unwrap(), rows[0].times)
    };
    assert_eq!(watch.pass_after(600).await + watch.pass_after(2).await, 1);
    assert!(service.texts()[0].contains("the run for 2026-11-22 10:00:30 UTC has not started after 600 s"));
    assert_eq!(only(&watch).await, (runs[0], 1));
    let changes = watch.app.changes();
    for _ in 0..5 {
        assert_eq!(watch.pass_after(2).await, 0);
    }
    assert_eq!(watch.app.changes(), changes, "it is written once");
    // The next one is late, too, so it is not over, and not told again.
    started(&watch.app, runs[0]).await;
    assert_eq!(watch.pass_after(2).await + watch.pass_after(2).await, 0);
    assert_eq!(only(&watch).await, (runs[1], 2));
    started(&watch.app, runs[1]).await;
    started(&watch.app, runs[2]).await;
    assert_eq!(watch.pass_after(2).await + watch.pass_after(2).await, 1, "one that waits for an attempt has started");
    assert!(service.texts()[0].starts_with("[RESOLVED]"));
}

#[tokio::test]
async fn long_runs_of_a_job_are_one_alert() {
    let mut watch = Watch::new().await;
    watch.rule(&[], condition("run_too_long", 60)).await;
    let job = watch.job("job").await;
    let runs = (0..3).map(|since| running(&watch.it, &job, since)).collect();
    let runs = stored(&watch.app, runs).await;
    watch.pass_after(600).await;
    let changes = watch.app.changes();
    for _ in 0..5 {
        watch.pass_after(2).await;
    }
    assert_eq!(watch.app.changes(), changes, "it is written once");
    let rows = entity::alert::Entity::find().all(&watch.app.app.db).await.unwrap();
    assert_eq!((rows.len(), rows[0].run_id, rows[0].times), (1, Some(runs[0]), 1));
}

#[tokio::test]
async fn each_organization_has_a_share_of_what_is_looked_at() {
    let app = TestApp::new().await;
    let (busy, calm, other) =
        (app.furnished_as("busy").await, app.furnished_as("calm").await, app.furnished_as("other").await);
    let (mut late, mut long) = (Vec::new(), Vec::new());
    for (it, jobs, since) in [(&busy, 5, 0), (&calm, 1, 20), (&other, 1, 0)] {
        for name in 0..jobs {
            let job = it.create(it.cron(&format!("job-{name}"), "@yearly")).await;
            late.extend([waiting(it, &job, since), waiting(it, &job, since + 1)]);
            let job = it.create(it.cron(&format!("long-{name}"), "@yearly")).await;
            long.push(running(it, &job, since));
        }
    }
    stored(&app, late).await;
    stored(&app, long).await;
    let (db, now) = (&app.app.db, minute(60));
    let asked = [busy.organization, calm.organization];
    let counts = |found: Vec<store::alert::WatchedRun>| {
        asked.map(|organization| found.iter().filter(|run| run.organization == organization).count())
    };
    let found = store::alert::list_late_runs(db, &asked, now, 3).await.unwrap();
    assert!(found.iter().all(|run| run.since != minute(1) && run.since != minute(21)), "the oldest of each job");
    assert_eq!((found.len(), counts(found)), (4, [3, 1]));
    let found = store::alert::list_long_runs(db, &asked, now, 3).await.unwrap();
    assert_eq!((found.len(), counts(found)), (4, [3, 1]));
    let found = store::alert::list_late_runs(db, &asked, now, 100).await.unwrap();
    assert_eq!(counts(found), [5, 1]);
    assert!(store::alert::list_late_runs(db, &[], now, 100).await.unwrap().is_empty());
}
