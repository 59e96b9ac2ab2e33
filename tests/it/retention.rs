//! Every table that grows has a setting; what has expired goes, and what states are derived from stays.

use entity::{deployment, deployment_job, event, state_version, webhook_delivery, workspace_job, workspace_step};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue, EntityTrait as _, IntoActiveModel as _, PaginatorTrait as _, QueryOrder as _,
};
use serde_json::json;
use windlass::engine::tick;
use windlass::store;

use crate::harness::TestApp;
use crate::terrakube::House;

const DAY: i64 = 86_400;

async fn prune(app: &TestApp) {
    while tick::prune(&app.app, app.clock.now()).await.more {}
}

/// How many rows of a table the metric says were deleted.
async fn counted(app: &TestApp, table: &str) -> u64 {
    let text = app.app.metrics.text(windlass::observe::metrics::QueueDepths::default(), &[], 0);
    let line = format!("windlass_rows_pruned_total{{table=\"{table}\"}} ");
    text.lines().find_map(|found| found.strip_prefix(&line)).map_or(0, |count| count.parse().unwrap())
}

#[tokio::test]
async fn deployments_go_and_states_stay() {
    let app = TestApp::configured(|config| config.deployment_days = 10).await;
    let it = app.furnished().await;
    let (one, other) = (it.create(it.lifecycle("one")).await, it.create(it.lifecycle("other")).await);
    for job in [&one, &other, &other, &other] {
        it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
        app.settle().await;
        app.runner.exit_all(0);
        app.settle().await;
    }
    let statuses = async || it.client.get(&format!("/environment/{}/statuses", it.environment)).await.expect(200);
    let before = statuses().await;
    prune(&app).await;
    let numbers = async || {
        let rows = deployment::Entity::find().order_by_asc(deployment::Column::Number).all(&app.app.db).await.unwrap();
        rows.into_iter().map(|row| row.number).collect::<Vec<_>>()
    };
    assert_eq!(numbers().await, [1, 2, 3, 4]);
    app.clock.forward(11 * DAY);
    prune(&app).await;
    // The only one of a job, and the newest of the other job and of the environment.
    assert_eq!(numbers().await, [1, 4]);
    assert_eq!(deployment_job::Entity::find().count(&app.app.db).await.unwrap(), 2);
    assert_eq!(statuses().await, before);
    assert_eq!(it.state(&one).await, "DEPLOYED");
    assert_eq!(counted(&app, "deployment").await, 2);
    assert_eq!(entity::run::Entity::find().count(&app.app.db).await.unwrap(), 4, "runs have settings of their own");
    // An open deployment never expires.
    it.client.post(&format!("/job/{one}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    app.clock.forward(11 * DAY);
    prune(&app).await;
    assert_eq!(numbers().await, [4, 5]);
}

/// The state of a job that was stopped, and then run once, is that of the stop.
#[tokio::test]
async fn the_deployment_before_forced_runs_stays() {
    let app = TestApp::configured(|config| config.deployment_days = 10).await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "@yearly")).await;
    for action in ["deploy", "stop", "deploy?forceEvent=CRON", "deploy?forceEvent=CRON"] {
        it.client.post(&format!("/job/{job}/{action}"), json!({})).await.expect(202);
        app.settle().await;
        app.runner.exit_all(0);
        app.settle().await;
    }
    app.clock.forward(11 * DAY);
    prune(&app).await;
    let rows = deployment::Entity::find().order_by_asc(deployment::Column::Number).all(&app.app.db).await.unwrap();
    assert_eq!(rows.into_iter().map(|row| row.number).collect::<Vec<_>>(), [2, 4]);
    assert_eq!(it.state(&job).await, "STOPPED");
}

#[tokio::test]
async fn events_and_deliveries_go() {
    let app = TestApp::configured(|config| (config.event_days, config.webhook_delivery_days) = (10, 3)).await;
    let it = app.furnished().await;
    let hook = json!({"kind": "STANDARD", "target_url": "https://hooks.example.com", "events": ["DEPLOYMENT_STARTED"]});
    it.client.post(&format!("/organization/{}/webhook", it.organization), hook).await.expect(201);
    let job = it.create(it.lifecycle("job")).await;
    for _ in 0..3 {
        it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
        app.settle().await;
        app.runner.exit_all(0);
        app.settle().await;
    }
    let db = &app.app.db;
    let rows = webhook_delivery::Entity::find().order_by_asc(webhook_delivery::Column::Id).all(db).await.unwrap();
    assert_eq!(rows.len(), 3);
    use webhook_delivery::DeliveryState::{Delivered, Failed};
    for (row, state) in rows.into_iter().zip([Delivered, Failed]) {
        let mut row = row.into_active_model();
        row.state = ActiveValue::Set(state);
        row.update(db).await.unwrap();
    }
    let events = async || event::Entity::find().count(db).await.unwrap();
    let all = events().await;
    assert!(all > 3);
    app.clock.forward(4 * DAY);
    prune(&app).await;
    let left = webhook_delivery::Entity::find().count(db).await.unwrap();
    assert_eq!((left, counted(&app, "webhook_delivery").await), (1, 2), "a pending delivery stays");
    assert_eq!(events().await, all);
    app.clock.forward(7 * DAY);
    prune(&app).await;
    assert_eq!((events().await, counted(&app, "event").await), (0, all));
}

#[tokio::test]
async fn workspace_jobs_plans_and_states_go() {
    let house = House::of(
        TestApp::configured(|config| (config.workspace_job_days, config.state_version_days) = (10, 20)).await,
    )
    .await;
    let (app, db) = (&house.app, &house.app.app.db);
    let workspace = house.workspace("a").await;
    let template = house.template("Plan").await;
    let first = house.start(&workspace, json!({"templateReference": template})).await;
    app.settle().await;
    let step = workspace_step::Entity::find().one(db).await.unwrap().unwrap();
    let (organization_id, workspace_id) = (step.organization_id, step.workspace_id);
    let mut row = step.into_active_model();
    row.plan = ActiveValue::Set(Some(b"sealed".to_vec()));
    row.inputs = ActiveValue::Set(Some(b"sealed".to_vec()));
    row.update(db).await.unwrap();
    let plans = async || {
        let rows = workspace_step::Entity::find().all(db).await.unwrap();
        rows.iter().filter(|row| row.plan.is_some() || row.inputs.is_some()).count()
    };
    prune(app).await;
    assert_eq!(plans().await, 1, "the job has not ended");
    app.runner.exit_all(0);
    app.settle().await;
    assert_eq!(house.status(&first).await.0, "completed");
    prune(app).await;
    assert_eq!((plans().await, counted(app, "plan").await), (0, 1));
    for serial in 1..=3 {
        let row = state_version::Model {
            id: entity::id::StateVersionId::create(),
            organization_id,
            workspace_id,
            created_at: app.clock.now(),
            updated_at: app.clock.now(),
            created_by: "a".into(),
            updated_by: "a".into(),
            job_id: None,
            serial,
            lineage: None,
            md5: String::new(),
            sealed: b"sealed".to_vec(),
            pieces: None,
            upload_id: None,
            reason: None,
            resources: None,
        };
        store::row::create(db, row).await.unwrap();
    }
    app.clock.forward(11 * DAY);
    let second = house.start(&workspace, json!({"templateReference": template})).await;
    app.settle().await;
    prune(app).await;
    let jobs = workspace_job::Entity::find().all(db).await.unwrap();
    assert_eq!(jobs.iter().map(|job| job.id.to_string()).collect::<Vec<_>>(), [second], "an open job stays");
    assert_eq!(counted(app, "workspace_job").await, 1);
    prune(app).await;
    assert_eq!(counted(app, "run").await, 1, "its run goes with it");
    assert_eq!(state_version::Entity::find().count(db).await.unwrap(), 3);
    app.clock.forward(10 * DAY);
    prune(app).await;
    let left = state_version::Entity::find().all(db).await.unwrap();
    assert_eq!(left.iter().map(|row| row.serial).collect::<Vec<_>>(), [3], "the newest stays");
    assert_eq!(counted(app, "state_version").await, 2);
}
