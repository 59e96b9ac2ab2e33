//! Slots: the server has some, each cluster has some of its own, and organizations take turns.

use entity::cluster::ClusterKind;
use entity::id::ClusterId;
use entity::run::{self, Event, NO_SLOTS, RunState, RunnerKind};
use entity::run_spec::RunSpec;
use entity::{cluster, environment, job};
use sea_orm::{ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde_json::json;
use windlass::engine::tick;
use windlass::{bootstrap, store};

use crate::harness::{Furnished, TestApp, id};

/// Moves an environment to a new cluster that nobody reaches.
async fn on_a_cluster(app: &TestApp, it: &Furnished, kind: ClusterKind) -> ClusterId {
    let row = cluster::Model {
        id: ClusterId::create(),
        name: "far away".into(),
        kind,
        is_default: false,
        ..bootstrap::local_cluster(it.organization, app.clock.now())
    };
    let row = store::cluster::create(&app.app.db, row).await.unwrap();
    let moved = environment::ActiveModel { cluster_id: Set(row.id), ..Default::default() };
    let these = environment::Column::Id.eq(it.environment.parse::<uuid::Uuid>().unwrap());
    environment::Entity::update_many().set(moved).filter(these).exec(&app.app.db).await.unwrap();
    row.id
}

async fn request_runs(it: &Furnished, job: &str, count: usize) -> Vec<String> {
    let mut runs = Vec::new();
    for _ in 0..count {
        runs.push(id(&it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202)));
    }
    runs
}

async fn running(app: &TestApp) -> Vec<run::Model> {
    let running = run::Entity::find().filter(run::Column::State.eq(RunState::Running));
    running.all(&app.app.db).await.unwrap()
}

/// Runs for a cluster that is down fill its slots, and not those of the server.
#[tokio::test]
async fn a_cluster_that_is_down_blocks_no_other_place() {
    let app = TestApp::configured(|config| config.max_runs = 2).await;
    let (far, near) = (app.furnished().await, app.furnished_as("other").await);
    on_a_cluster(&app, &far, ClusterKind::Kubernetes).await;
    let (job, local) = (far.create(far.cron("far", "@yearly")).await, near.create(near.cron("near", "@yearly")).await);
    request_runs(&far, &job, 5).await;
    app.settle().await;
    assert_eq!(running(&app).await.len(), 2, "a cluster has as many slots as the server");
    request_runs(&near, &local, 1).await;
    app.settle().await;
    assert_eq!((running(&app).await.len(), app.runner.started().len()), (3, 1));
}

/// A run needs a slot of the place where it is executed, whoever asked for it.
#[tokio::test]
async fn runs_of_a_cluster_of_agents_take_its_slots() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let cluster = on_a_cluster(&app, &it, ClusterKind::Agent).await;
    let job = it.deployed(&app, it.cron("far", "* * * * *")).await;
    app.clock.set("2026-11-22T10:01:00Z");
    app.settle().await;
    request_runs(&it, &job, 1).await;
    let runs = run::Entity::find().all(&app.app.db).await.unwrap();
    assert_eq!(runs.iter().filter(|run| run.scheduled_for.is_some()).count(), 1, "{runs:?}");
    assert_eq!(runs.len(), 2);
    assert!(runs.iter().all(|run| run.slots == cluster.0), "{runs:?}");
}

/// What CronJobs started needs no slots at all.
#[tokio::test]
async fn what_kubernetes_started_needs_no_slot() {
    let app = TestApp::configured(|config| config.max_runs = 1).await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "@yearly")).await;
    let row = job::Entity::find().one(&app.app.db).await.unwrap().unwrap();
    let started = |number| run::Model {
        state: RunState::Running,
        runner: Some(RunnerKind::Kubernetes),
        step: Some(format!("namespace/job-{number}")),
        lease_owner: Some(app.app.instance),
        slots: NO_SLOTS,
        ..run::Model::queued(row.id, Event::Cron, RunSpec::default(), app.clock.now())
    };
    let rows = (0..3).map(started).collect();
    store::write(&app.app.db, async |tx| store::run::create(tx, rows).await).await.unwrap();
    request_runs(&it, &job, 1).await;
    tick::work(&app.app, app.clock.now()).await;
    assert_eq!(app.runner.started().len(), 1);
}

/// An organization with a long queue shares the slots with one that asks later.
#[tokio::test]
async fn organizations_take_turns() {
    let app = TestApp::configured(|config| config.max_runs = 4).await;
    let (many, few) = (app.furnished().await, app.furnished_as("other").await);
    let (many_job, few_job) =
        (many.create(many.cron("many", "@yearly")).await, few.create(few.cron("few", "@yearly")).await);
    request_runs(&many, &many_job, 10).await;
    app.settle().await;
    app.clock.forward(1);
    let wanted = request_runs(&few, &few_job, 2).await;
    app.settle().await;
    assert!(running(&app).await.iter().all(|run| run.organization_id == many.organization));
    // One slot becomes free after the other.
    for expected in 1..=2 {
        let oldest = app.runner.steps().into_iter().find(|name| !wanted.iter().any(|id| name.contains(id))).unwrap();
        app.runner.set(&oldest, windlass::runner::StepState::Exited { exit_code: 0, reason: None });
        app.settle().await;
        let running = running(&app).await;
        let of_few = running.iter().filter(|run| run.organization_id == few.organization).count();
        assert_eq!((running.len(), of_few), (4, expected));
    }
    app.runner.exit_all(0);
    app.settle().await;
    assert_eq!(running(&app).await.len(), 4, "nobody else waits");
}

/// Scheduled runs have their organization and their slots, like any other.
#[tokio::test]
async fn scheduled_runs_know_their_slots() {
    let app = TestApp::configured(|config| config.max_runs = 0).await;
    let (far, near) = (app.furnished().await, app.furnished_as("other").await);
    let cluster = on_a_cluster(&app, &far, ClusterKind::Kubernetes).await;
    for it in [&far, &near] {
        let mut body = it.cron("minutely", "* * * * *");
        body["max_nb_restart"] = json!(0);
        it.create(body).await;
    }
    let rows = job::Entity::find().all(&app.app.db).await.unwrap();
    for row in rows {
        let change = job::ActiveModel { deployed: Set(Some(row.spec.clone())), ..Default::default() };
        job::Entity::update_many().set(change).filter(job::Column::Id.eq(row.id)).exec(&app.app.db).await.unwrap();
        store::job_schedule::set(&app.app.db, row.id, Some(app.clock.now())).await.unwrap();
    }
    app.settle().await;
    let mut runs = run::Entity::find().all(&app.app.db).await.unwrap();
    runs.sort_by_key(|run| run.slots);
    let found: Vec<_> = runs.iter().map(|run| (run.organization_id, run.slots)).collect();
    assert_eq!(found, [(near.organization, run::SERVER_SLOTS), (far.organization, cluster.0)]);
}

/// The queues are read through their index, whatever their length.
#[tokio::test]
async fn queues_are_read_through_their_index() {
    use sea_orm::{ConnectionTrait as _, DbBackend, Statement, TransactionTrait as _};
    let app = TestApp::new().await;
    let db = &app.app.db;
    let statements = [
        "SELECT slots, organization_id FROM run WHERE state = 'QUEUED' ORDER BY slots, organization_id LIMIT 1"
            .to_owned(),
        "SELECT later.id FROM run AS later WHERE later.state = 'QUEUED' AND (later.slots, later.organization_id) > \
         (SELECT organization_id, id FROM project LIMIT 1) ORDER BY later.slots, later.organization_id LIMIT 1"
            .to_owned(),
        "SELECT id FROM run WHERE state = 'QUEUED' AND slots = (SELECT id FROM project LIMIT 1) AND organization_id = \
         (SELECT organization_id FROM project LIMIT 1) AND not_before <= (SELECT created_at FROM project LIMIT 1) \
         ORDER BY not_before, number LIMIT 16"
            .to_owned(),
    ];
    for sql in statements {
        let tx = db.begin().await.unwrap();
        let explain = match db.get_database_backend() {
            DbBackend::Postgres => {
                // The tables are empty, so that a scan would cost less.
                tx.execute_unprepared("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
                    .await
                    .unwrap();
                format!("EXPLAIN {sql}")
            }
            _ => format!("EXPLAIN QUERY PLAN {sql}"),
        };
        let rows = tx.query_all_raw(Statement::from_string(db.get_database_backend(), explain)).await.unwrap();
        let column = if db.get_database_backend() == DbBackend::Postgres { 0 } else { 3 };
        let plan: Vec<String> = rows.iter().map(|row| row.try_get_by_index(column).unwrap()).collect();
        let plan = plan.join("\n");
        assert!(plan.contains("run_waiting"), "{sql}\n{plan}");
        assert!(!plan.contains("TEMP B-TREE") && !plan.contains("Sort"), "{sql}\n{plan}");
    }
}
