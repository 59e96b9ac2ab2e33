//! The lists of runs across jobs: filters, pages, and what a caller sees.

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::JobId;
use entity::run::{self, Event, RunState, Trigger};
use entity::run_spec::RunSpec;
use serde_json::{Value, json};

use crate::harness::{Furnished, TestApp, id, start};

fn minute(minute: i64) -> DateTime<Utc> {
    start() + TimeDelta::minutes(minute)
}

fn run(it: &Furnished, job: &str, state: RunState, created: i64) -> run::Model {
    let job = JobId(job.parse().unwrap());
    run::Model {
        state,
        started_at: Some(minute(created)),
        finished_at: state.is_final().then(|| minute(created)),
        reason: (state == RunState::Failed).then(|| "exit code 3: Disk 100%_full".into()),
        organization_id: it.organization,
        ..run::Model::queued(job, Event::Cron, RunSpec::default(), minute(created))
    }
}

async fn store(app: &TestApp, rows: Vec<run::Model>) {
    windlass::store::write(&app.app.db, async |tx| windlass::store::run::create(tx, rows).await).await.unwrap();
}

/// The names of the jobs and the states of the runs of a page.
fn shown(page: &Value) -> Vec<String> {
    let of = |run: &Value| format!("{} {}", run["job_name"].as_str().unwrap(), run["state"].as_str().unwrap());
    page["results"].as_array().unwrap().iter().map(of).collect()
}

#[tokio::test]
async fn runs_are_listed_across_jobs_with_filters() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let other = it.with_environment("production").await;
    let hidden = app.furnished_as("other").await;
    let strange = hidden.create(hidden.cron("strange", "@daily")).await;
    let labels =
        json!({"name": "team", "labels": [{"key": "team", "value": "data", "propagate_to_cloud_provider": false}]});
    let group = it.client.post(&format!("/organization/{}/labelsGroups", it.organization), labels).await.expect(201);
    let mut labelled = it.cron("Alpha", "@daily");
    labelled["labels_groups"] = json!([{"id": id(&group)}]);
    let (alpha, beta) = (it.create(labelled).await, other.create(other.cron("beta", "@daily")).await);
    store(&app, vec![run(&hidden, &strange, RunState::Failed, 0)]).await;
    let manual = run::Model { trigger: Trigger::Manual, ..run(&it, &alpha, RunState::Cancelled, 3) };
    for row in [
        run(&it, &alpha, RunState::Succeeded, 1),
        run(&it, &beta, RunState::Failed, 2),
        manual,
        run(&it, &beta, RunState::Running, 4),
    ] {
        store(&app, vec![row]).await;
    }

    let of_organization = format!("/organization/{}/run", it.organization);
    let list = async |query: &str| shown(&it.client.get(&format!("{of_organization}{query}")).await.expect(200));
    let all = ["beta RUNNING", "Alpha CANCELLED", "beta FAILED", "Alpha SUCCEEDED"];
    assert_eq!(list("").await, all);
    assert_eq!(list("?state=FAILED").await, [all[2]]);
    assert_eq!(list("?trigger=MANUAL").await, [all[1]]);
    assert_eq!(list("?trigger=MANUAL&state=FAILED").await, Vec::<String>::new());
    assert_eq!(list("?event=START").await, Vec::<String>::new());
    assert_eq!(list(&format!("?jobId={alpha}")).await, [all[1], all[3]]);
    assert_eq!(list("?label=team").await, [all[1], all[3]]);
    assert_eq!(list("?label=team=data").await, [all[1], all[3]]);
    assert_eq!(list("?label=team=other").await, Vec::<String>::new());
    assert_eq!(list("?text=ALPHA").await, [all[1], all[3]]);
    // The characters of patterns have no meaning.
    assert_eq!(list("?text=disk%20100%25_f").await, [all[2]]);
    assert_eq!(list("?text=disk%25full").await, Vec::<String>::new());
    let at = |time: i64| minute(time).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    assert_eq!(list(&format!("?from={}&until={}", at(2), at(4))).await, [all[1], all[2]]);
    assert_eq!(list(&format!("?until={}", at(1))).await, Vec::<String>::new());
    assert_eq!(shown(&it.client.get(&format!("/project/{}/run", it.project)).await.expect(200)), all);
    let of_environment = it.client.get(&format!("/environment/{}/run", other.environment)).await.expect(200);
    assert_eq!(shown(&of_environment), [all[0], all[2]]);
    let found = &of_environment["results"][1];
    assert_eq!((&found["environment_name"], &found["project_id"]), (&json!("production"), &json!(it.project)));
    assert_eq!((&found["reason"], &found["job"]["id"]), (&json!("exit code 3: Disk 100%_full"), &json!(beta)));

    // Pages follow each other without gaps or repetitions.
    let (mut seen, mut query) = (Vec::new(), "?count=3".to_owned());
    loop {
        let page = it.client.get(&format!("{of_organization}{query}")).await.expect(200);
        seen.extend(shown(&page));
        let Some(next) = page["next_before"].as_i64() else { break };
        query = format!("?count=3&before={next}");
    }
    assert_eq!(seen, all);
    let refused = it.client.get(&format!("{of_organization}?count=201")).await.detail(400);
    assert!(refused.contains("count") && refused.contains("between 1 and 200"), "{refused}");
    let refused = it.client.get(&format!("{of_organization}?state=LOST")).await.detail(400);
    assert!(refused.contains("state"), "{refused}");
}

#[tokio::test]
async fn a_filter_that_matches_nothing_goes_through_a_bounded_number_of_runs() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("old", "@daily")).await;
    let row = |number: i64, state: RunState| run::Model { number, ..run(&it, &job, state, 1) };
    // Numbers of runs that retention deleted are missing; `create` gives new ones, so they are stored as they are.
    for (number, state) in [(7, RunState::Failed), (250_000, RunState::Succeeded)] {
        use sea_orm::{ActiveModelTrait as _, IntoActiveModel as _};
        let db: &sea_orm::DatabaseConnection = &app.app.db;
        row(number, state).into_active_model().insert(db).await.unwrap();
    }
    let (mut pages, mut found, mut query) = (0, Vec::new(), String::new());
    loop {
        let page =
            it.client.get(&format!("/organization/{}/run?state=FAILED{query}", it.organization)).await.expect(200);
        pages += 1;
        found.extend(shown(&page));
        let Some(next) = page["next_before"].as_i64() else { break };
        query = format!("&before={next}");
    }
    assert_eq!((pages, found), (3, vec!["old FAILED".to_owned()]));
}

#[tokio::test]
async fn the_status_of_a_job_has_its_last_run() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (job, idle) = (it.create(it.cron("nightly", "@daily")).await, it.create(it.cron("idle", "@daily")).await);
    let failed = run(&it, &job, RunState::Failed, 1);
    let failed = run::Model { exit_code: Some(3), ..failed };
    store(&app, vec![run(&it, &job, RunState::Succeeded, 0)]).await;
    store(&app, vec![failed.clone()]).await;
    // A build is no execution.
    let build = run::Model { event: Event::Build, ..run(&it, &job, RunState::Succeeded, 2) };
    store(&app, vec![build]).await;
    let one = it.client.get(&format!("/job/{job}/status")).await.expect(200);
    let last = &one["last_run"];
    assert_eq!((&last["state"], &last["exit_code"]), (&json!("FAILED"), &json!(3)));
    assert_eq!((&last["id"], &last["reason"]), (&json!(failed.id), &json!("exit code 3: Disk 100%_full")));
    let all = it.client.get(&format!("/environment/{}/job/status", it.environment)).await.expect(200);
    let of = |id: &str| all["results"].as_array().unwrap().iter().find(|status| status["id"] == id).unwrap().clone();
    assert_eq!(of(&job)["last_run"], *last);
    assert_eq!(of(&idle).get("last_run"), None);
}

/// The names of the jobs of a page.
fn named(page: &Value) -> Vec<String> {
    page["results"].as_array().unwrap().iter().map(|job| job["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn jobs_of_an_organization_are_listed_with_their_last_runs() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let other = it.with_environment("production").await;
    let hidden = app.furnished_as("other").await;
    hidden.create(hidden.cron("strange", "@daily")).await;
    let alpha = it.create(it.cron("Alpha: daily", "30 3 * * *")).await;
    let beta = other.deployed(&app, other.cron("beta", "@daily")).await;
    it.create(it.lifecycle("gamma")).await;
    store(&app, vec![run(&it, &alpha, RunState::Failed, 1)]).await;
    store(&app, vec![run(&it, &beta, RunState::Failed, 2), run(&it, &beta, RunState::Succeeded, 3)]).await;

    let path = format!("/organization/{}/job", it.organization);
    let all = it.client.get(&path).await.expect(200);
    assert_eq!(named(&all), ["Alpha: daily", "beta", "gamma"]);
    let [first, second, third] = [0, 1, 2].map(|place| &all["results"][place]);
    assert_eq!(
        (&first["last_run"]["state"], &first["deployed"], &first["next_run_at"]),
        (&json!("FAILED"), &json!(false), &Value::Null)
    );
    assert_eq!(first["schedule"], "every day at 03:30 (Etc/UTC)");
    assert_eq!((&first["environment_name"], &first["project_name"]), (&json!("staging"), &json!("shop")));
    assert_eq!((&second["last_run"]["state"], &second["deployed"]), (&json!("SUCCEEDED"), &json!(true)));
    assert_eq!(second["next_run_at"], "2026-11-23T00:00:00.000000Z");
    assert_eq!((&third["job_type"], &third["last_run"]), (&json!("LIFECYCLE"), &Value::Null));

    let page = it.client.get(&format!("{path}?count=1")).await.expect(200);
    let after = page["next_after"].as_str().unwrap().replace(' ', "%20");
    assert_eq!(named(&page), ["Alpha: daily"]);
    let rest = it.client.get(&format!("{path}?count=2&after={after}")).await.expect(200);
    assert_eq!((named(&rest), &rest["next_after"]), (vec!["beta".to_owned(), "gamma".into()], &Value::Null));
    assert_eq!(named(&it.client.get(&format!("{path}?state=FAILED")).await.expect(200)), ["Alpha: daily"]);
    assert_eq!(named(&it.client.get(&format!("{path}?text=MM")).await.expect(200)), ["gamma"]);
    for (wrong, field) in [("after=beta", "after"), ("count=0", "count"), ("count=1001", "count")] {
        let detail = it.client.get(&format!("{path}?{wrong}")).await.detail(400);
        assert!(detail.contains(field), "{detail}");
    }
    hidden.client.get(&path).await.expect(404);
}
