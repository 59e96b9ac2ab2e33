//! The queries behind the pages of an organization: pages of jobs, newest runs, durations, what needs attention, and lanes.

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::{EnvironmentId, JobId};
use entity::job_spec::JobType;
use entity::member::Role;
use entity::run::{self, Event, RunState};
use entity::run_spec::RunSpec;
use entity::skipped_time::{self, SkipReason};
use serde_json::json;
use uuid::Uuid;
use windlass::store;
use windlass::store::overview::{self, JobFilter, Sight};

use crate::harness::{Furnished, TestApp, start};

fn job_id(text: &str) -> JobId {
    JobId(text.parse().unwrap())
}

fn minute(minute: i64) -> DateTime<Utc> {
    start() + TimeDelta::minutes(minute)
}

/// A run that began at a minute; one that has ended took so many seconds.
fn run(it: &Furnished, job: JobId, state: RunState, began: i64, seconds: i64) -> run::Model {
    let finished_at = state.is_final().then(|| minute(began) + TimeDelta::seconds(seconds));
    run::Model {
        state,
        started_at: (state != RunState::Queued).then(|| minute(began)),
        finished_at,
        organization_id: it.organization,
        ..run::Model::queued(job, Event::Cron, RunSpec::default(), minute(began))
    }
}

async fn store_runs(app: &TestApp, rows: Vec<run::Model>) {
    store::write(&app.app.db, async |tx| store::run::create(tx, rows).await).await.unwrap();
}

#[tokio::test]
async fn jobs_are_paged_by_name_with_filters() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let other = it.with_environment("production").await;
    let hidden = app.furnished_as("other").await;
    hidden.create(hidden.cron("alpha", "@daily")).await;
    for name in ["Beta", "alpha", "gamma_1"] {
        it.create(it.cron(name, "0 3 * * *")).await;
    }
    let second = other.deployed(&app, other.cron("alpha", "@hourly")).await;
    let lifecycle = other.create(other.lifecycle("delta")).await;
    let db = &app.app.db;
    let all = Sight::Organization(it.organization);
    let page = async |sight: &Sight, filter: JobFilter, limit: u64| {
        let (mut names, mut after) = (Vec::new(), None);
        loop {
            let found = overview::job_page(db, sight, &filter, after.as_ref(), limit).await.unwrap();
            let Some(last) = found.last() else { return names };
            after = Some(last.position());
            names.extend(found.iter().map(|job| format!("{} in {}", job.name, job.environment_name)));
        }
    };
    let mut expected =
        ["alpha in production", "alpha in staging", "Beta in staging", "delta in production", "gamma_1 in staging"];
    for limit in [1, 2, 50] {
        let mut found = page(&all, JobFilter::default(), limit).await;
        // Jobs of one name are in the order of their environments' ids.
        found[..2].sort();
        assert_eq!(found, expected, "{limit}");
    }
    expected.sort_unstable();
    let environments = [&it, &other].map(|it| EnvironmentId(it.environment.parse().unwrap()));
    let some = Sight::Environments(environments[1..].to_vec());
    assert_eq!(page(&some, JobFilter::default(), 50).await, ["alpha in production", "delta in production"]);
    assert_eq!(page(&Sight::Environments(Vec::new()), JobFilter::default(), 50).await, Vec::<String>::new());
    let text = |text: &str| JobFilter { text: Some(text.into()), ..JobFilter::default() };
    assert_eq!(page(&all, text("A_"), 50).await, ["gamma_1 in staging"], "no wildcard");
    assert_eq!(page(&all, text("ET"), 50).await, ["Beta in staging"], "in any case");
    let kind = JobFilter { kind: Some(JobType::Lifecycle), ..JobFilter::default() };
    assert_eq!(page(&all, kind, 50).await, ["delta in production"]);
    let environment = JobFilter { environment: Some(environments[0]), ..text("alpha") };
    assert_eq!(page(&all, environment, 50).await, ["alpha in staging"]);
    let project = JobFilter { project: Some(entity::id::ProjectId(Uuid::now_v7())), ..JobFilter::default() };
    assert_eq!(page(&all, project, 50).await, Vec::<String>::new());
    let failed = run(&it, job_id(&lifecycle), RunState::Failed, 0, 5);
    store_runs(&app, vec![run(&it, job_id(&lifecycle), RunState::Succeeded, 0, 5), failed]).await;
    let outcome = JobFilter { outcome: Some(RunState::Failed), ..JobFilter::default() };
    assert_eq!(page(&all, outcome, 50).await, ["delta in production"]);
    let rows = overview::job_page(db, &all, &JobFilter::default(), None, 50).await.unwrap();
    let deployed: Vec<_> = rows.iter().filter(|job| job.is_deployed).collect();
    assert_eq!(deployed.iter().map(|job| job.id).collect::<Vec<_>>(), [job_id(&second)]);
    assert!(deployed[0].next_run_at.is_some() && rows.iter().filter(|job| job.next_run_at.is_some()).count() == 1);
}

#[tokio::test]
async fn newest_runs_and_durations_of_many_jobs() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (one, two) = (it.create(it.cron("one", "@daily")).await, it.create(it.cron("two", "@daily")).await);
    let (one, two) = (job_id(&one), job_id(&two));
    let quiet = store::run::activity(&app.app.db).await.unwrap();
    assert_eq!(store::run::activity(&app.app.db).await.unwrap(), quiet);
    let (shared, hour) = (store::run::SharedActivity::default(), std::time::Duration::from_secs(3600));
    assert_eq!(shared.read(&app.app.db, hour).await.unwrap(), quiet);
    let mut rows: Vec<_> = (0..40).map(|place| run(&it, one, RunState::Succeeded, place, place)).collect();
    rows.push(run(&it, one, RunState::Failed, 50, 9));
    rows.push(run::Model { event: Event::Build, ..run(&it, one, RunState::Succeeded, 51, 900) });
    rows.push(run(&it, two, RunState::Running, 52, 0));
    store_runs(&app, rows).await;
    assert_ne!(store::run::activity(&app.app.db).await.unwrap(), quiet);
    assert_eq!(shared.read(&app.app.db, hour).await.unwrap(), quiet, "pages share what one of them has asked for");
    assert_ne!(shared.read(&app.app.db, std::time::Duration::ZERO).await.unwrap(), quiet);
    let newest = overview::newest_runs(&app.app.db, &[one, two], 30).await.unwrap();
    assert_eq!(newest.iter().filter(|run| run.job_id == one).count(), 30);
    assert_eq!(
        newest.iter().map(|run| run.state).take(3).collect::<Vec<_>>(),
        [RunState::Running, RunState::Failed, RunState::Succeeded]
    );
    assert!(newest.windows(2).all(|pair| pair[0].number > pair[1].number) && newest[0].finished_at.is_none());
    let durations = overview::success_durations(&app.app.db, &[one, two], 10).await.unwrap();
    let mut of_one = durations[&one].clone();
    of_one.sort_unstable();
    assert_eq!(
        of_one,
        (30..40).map(|seconds| seconds * 1000).collect::<Vec<u64>>(),
        "builds and failures do not count"
    );
    assert!(!durations.contains_key(&two));
    assert_eq!(overview::newest_runs(&app.app.db, &[], 30).await.unwrap(), []);
}

#[tokio::test]
async fn what_needs_attention() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let create = async |name: &str| job_id(&it.create(it.cron(name, "@daily")).await);
    let (failing, recovered, cancelled, late) =
        (create("failing").await, create("recovered").await, create("cancelled").await, create("late").await);
    let cleared = create("cleared").await;
    let mut rows = vec![run(&it, failing, RunState::Failed, 0, 1), run(&it, failing, RunState::Succeeded, 1, 1)];
    rows.extend((2..5).map(|place| run(&it, failing, RunState::Failed, place, 30)));
    rows.push(run(&it, failing, RunState::Running, 9, 0));
    rows.extend([run(&it, recovered, RunState::Failed, 0, 1), run(&it, recovered, RunState::Succeeded, 1, 1)]);
    rows.extend([run(&it, cancelled, RunState::Failed, 0, 1), run(&it, cancelled, RunState::Cancelled, 1, 1)]);
    rows.extend([run(&it, late, RunState::Queued, 3, 0), run(&it, late, RunState::Queued, 8, 0)]);
    rows.push(run(&it, cleared, RunState::Failed, -600, 1));
    store_runs(&app, rows).await;
    let db = &app.app.db;
    let all = Sight::Organization(it.organization);
    store::job::clear_failures(db, vec![cleared], minute(-1)).await.unwrap();
    let found = overview::failing_jobs(db, &all).await.unwrap();
    let names: Vec<_> = found.rows.iter().map(|row| row.place.job_name.as_str()).collect();
    assert_eq!((found.count, names), (2, vec!["cancelled", "failing"]));
    let row = &found.rows[1];
    assert_eq!((row.in_a_row, row.since), (3, Some(minute(2) + TimeDelta::seconds(30))));
    assert_eq!(
        (row.finished_at, row.place.environment_name.as_str()),
        (Some(minute(4) + TimeDelta::seconds(30)), "staging")
    );
    let found = overview::late_runs(db, &all, minute(5)).await.unwrap();
    assert_eq!((found.count, found.rows[0].place.job_id, found.rows[0].not_before), (1, late, minute(3)));
    let found = overview::running(db, &all).await.unwrap();
    assert_eq!(found.iter().map(|run| run.place.job_id).collect::<Vec<_>>(), [failing]);
    let nothing = Sight::Environments(Vec::new());
    assert_eq!(overview::failing_jobs(db, &nothing).await.unwrap().count, 0);
    assert_eq!(overview::late_runs(db, &nothing, minute(500)).await.unwrap().count, 0);
    assert_eq!(overview::running(db, &nothing).await.unwrap(), []);
    assert_eq!(overview::failed_deployments(db, &all).await.unwrap().count, 0);
    let lifecycle = it.create(it.lifecycle("deployed")).await;
    it.client.post(&format!("/job/{lifecycle}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    app.runner.exit_all(1);
    app.settle().await;
    let found = overview::failed_deployments(db, &all).await.unwrap();
    assert_eq!((found.count, found.rows[0].environment_name.as_str()), (1, "staging"));
    assert_eq!(overview::failed_deployments(db, &nothing).await.unwrap().count, 0);
}

#[tokio::test]
async fn lanes_have_what_reaches_into_a_span() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (job, other) = (it.create(it.cron("job", "@daily")).await, it.create(it.cron("other", "@daily")).await);
    let (job, other) = (job_id(&job), job_id(&other));
    let mut rows = vec![run(&it, job, RunState::Succeeded, 0, 6000), run(&it, other, RunState::Running, 1, 0)];
    rows.extend((2..90).map(|place| run(&it, job, RunState::Succeeded, place, 10)));
    store_runs(&app, rows).await;
    let skipped = [(10, 61), (70, 70), (95, 95)].map(|(from, through)| skipped_time::Model {
        job_id: job,
        scheduled_for: minute(from),
        through: minute(through),
        reason: SkipReason::Missed,
        recorded_at: minute(100),
        requested_by: None,
        detail: None,
    });
    store::run::skipped::create(&app.app.db, skipped.to_vec()).await.unwrap();
    let lanes = async |from: i64, until: i64, most: usize| {
        let found = overview::lane_rows(&app.app.db, &[job, other], (minute(from), minute(until)), most).await.unwrap();
        (found.runs.len(), found.skipped.len(), found.more)
    };
    // Ten runs of the span; the long run is too far back among the runs before it, the running one of the other job is not.
    assert_eq!(lanes(60, 70, 100).await, (11, 1, false));
    assert_eq!(lanes(5, 10, 100).await, (7, 0, false), "five, the long one and the running one");
    assert_eq!(lanes(60, 100, 5).await, (5, 3, true), "the newest, and a sign that there are more");
    assert_eq!(lanes(-100, -50, 100).await, (0, 0, false));
    assert_eq!(lanes(200, 300, 100).await, (1, 0, false), "what still runs");
    assert_eq!(lanes(70, 70, 100).await, (0, 0, false));
}

#[tokio::test]
async fn sight_follows_the_role() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    it.deployed(&app, it.cron("job", "0 0 * * *")).await;
    let path = format!("/organization/{}/forecast", it.organization);
    let role = json!({"name": "nothing"});
    let role = it.client.post(&format!("/organization/{}/customRole", it.organization), role).await.expect(201);
    let token = json!({"name": "t", "role_id": role["id"]});
    let token = it.client.post(&format!("/organization/{}/apiToken", it.organization), token).await.expect(201);
    let blind = app.client(Some(format!("Token {}", token["token"].as_str().unwrap())));
    assert_eq!(it.client.get(&path).await.expect(200)["planned_runs"], 1);
    assert_eq!(blind.get(&path).await.expect(200)["planned_runs"], 0);
    assert_eq!(app.token(it.organization, Role::Viewer).await.get(&path).await.expect(200)["planned_runs"], 1);
}
