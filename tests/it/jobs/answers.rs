//! Answers that show a job are kept, and no read ever returns one that is outdated.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use entity::cluster;
use entity::id::JobId;
use entity::member::Role;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, DatabaseConnection, DbBackend, EntityTrait as _, QueryFilter as _};
use serde_json::{Value, json};
use windlass::error::{Error, Result};
use windlass::store;

use crate::harness::{Client, Furnished, TestApp, id, wait_for};

/// How often each writer changes its value.
const CHANGES: u64 = 40;

/// A value that only grows: a read that begins after a change was answered shows it, and none shows a change before it was requested.
#[derive(Default)]
struct Growing {
    requested: AtomicU64,
    answered: AtomicU64,
}

impl Growing {
    async fn change(&self, make: impl AsyncFn(u64)) {
        for number in 1..=CHANGES {
            self.requested.store(number, Ordering::SeqCst);
            make(number).await;
            self.answered.store(number, Ordering::SeqCst);
            if number % 5 == 0 {
                // Long enough for answers to be kept in between.
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        }
    }

    #[track_caller]
    fn check(&self, what: &str, floor: u64, shown: u64) {
        assert!(shown >= floor, "a read after {what} {floor} was answered shows {shown}");
        assert!(shown <= self.requested.load(Ordering::SeqCst), "{what} {shown} is shown before it was requested");
    }
}

/// The values that the responses for jobs show, each of another table.
#[derive(Default)]
struct Shown {
    description: Growing,
    registry: Growing,
    group: Growing,
    cluster: Growing,
    done: AtomicBool,
}

fn number(value: &Value) -> u64 {
    value.as_str().unwrap().rsplit(' ').next().unwrap().parse().unwrap()
}

async fn set_cluster(db: &DatabaseConnection, number: u64, fails: bool) {
    let memory = i32::try_from(10_000 + number).unwrap();
    let result: Result<()> = store::write(db, async |tx| {
        cluster::Entity::update_many()
            .col_expr(cluster::Column::MaximumMemoryMib, Expr::value(if fails { 1 } else { memory }))
            .filter(cluster::Column::MaximumMemoryMib.gte(10_000))
            .exec(tx)
            .await?;
        if fails { Err(Error::Conflict("undone".into())) } else { Ok(()) }
    })
    .await;
    assert_eq!(result.is_err(), fails);
}

async fn read_until_done(client: Client, path: String, shown: Arc<Shown>) {
    while !shown.done.load(Ordering::SeqCst) {
        let all = [&shown.description, &shown.registry, &shown.group, &shown.cluster];
        let floors = all.map(|growing| growing.answered.load(Ordering::SeqCst));
        let job = client.get(&path).await.expect(200);
        let cluster = job["maximum_memory"].as_u64().unwrap() - 10_000;
        let values = [
            number(&job["description"]),
            number(&job["source"]["image"]["registry"]["name"]),
            number(&job["annotations_groups"][0]["name"]),
            cluster,
        ];
        for (place, what) in ["edit", "registry", "group", "cluster"].into_iter().enumerate() {
            all[place].check(what, floors[place], values[place]);
        }
        tokio::task::yield_now().await;
    }
}

fn group(number: u64) -> Value {
    json!({"name": format!("group {number}"), "annotations": [{"key": "a", "value": "b"}], "scopes": ["PODS"]})
}

async fn furnish(app: &TestApp, it: &Furnished) -> (String, String, String) {
    set_all_clusters(&app.app.db).await;
    let registry = format!("/organization/{}/containerRegistry/{}", it.organization, it.registry);
    it.client.put(&registry, json!({"name": "hub 0", "kind": "DOCKER_HUB", "config": {}})).await.expect(200);
    let groups = format!("/organization/{}/annotationsGroups", it.organization);
    let annotations = id(&it.client.post(&groups, group(0)).await.expect(201));
    let mut job = it.cron("job", "@daily");
    job["description"] = json!("edit 0");
    job["annotations_groups"] = json!([{"id": annotations}]);
    let job = it.create(job).await;
    (format!("/job/{job}"), registry, format!("{groups}/{annotations}"))
}

async fn set_all_clusters(db: &DatabaseConnection) {
    cluster::Entity::update_many()
        .col_expr(cluster::Column::MaximumMemoryMib, Expr::value(10_000))
        .exec(db)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_read_shows_less_than_what_was_answered_before() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (path, registry, annotations) = furnish(&app, &it).await;
    let shown = Arc::new(Shown::default());
    let readers: Vec<_> =
        (0..4).map(|_| tokio::spawn(read_until_done(it.client.clone(), path.clone(), Arc::clone(&shown)))).collect();
    it.create(it.cron("taken", "@daily")).await;
    let (client, db) = (&it.client, &app.app.db);
    tokio::join!(
        shown.description.change(async |number| {
            // One of three is undone within its transaction.
            if number % 3 == 0 {
                client.put(&path, json!({"name": "taken", "description": "edit 0"})).await.expect(409);
            }
            client.put(&path, json!({"description": format!("edit {number}")})).await.expect(200);
        }),
        shown.registry.change(async |number| {
            let body = json!({"name": format!("hub {number}"), "kind": "DOCKER_HUB", "config": {}});
            client.put(&registry, body).await.expect(200);
        }),
        shown.group.change(async |number| {
            client.put(&annotations, group(number)).await.expect(200);
        }),
        shown.cluster.change(async |number| {
            set_cluster(db, number, true).await;
            set_cluster(db, number, false).await;
        }),
        async {
            for number in 0..CHANGES / 4 {
                let other = it.create(it.cron(&format!("other {number}"), "@daily")).await;
                client.post(&format!("/job/{other}/deploy"), json!({})).await.expect(202);
                app.settle().await;
            }
        },
    );
    shown.done.store(true, Ordering::SeqCst);
    for reader in readers {
        reader.await.unwrap();
    }
    let job = it.client.get(&path).await.expect(200);
    assert_eq!(number(&job["description"]), CHANGES);
}

/// Reads a job until its answer is kept: a connection takes a moment to return to its pool.
async fn kept(app: &TestApp, client: &Client, path: &str) -> Value {
    wait_for("an answer that is kept", async || {
        let before = app.statements();
        let job = client.get(path).await.expect(200);
        (app.statements() == before).then_some(job)
    })
    .await
}

#[tokio::test]
async fn what_is_kept_is_forgotten_with_any_change_of_its_rows() {
    let app = TestApp::new().await;
    if app.app.db.get_database_backend() != DbBackend::Sqlite {
        return;
    }
    let it = app.furnished().await;
    let (path, registry, _) = furnish(&app, &it).await;
    let other = it.create(it.cron("other", "@daily")).await;
    kept(&app, &it.client, &path).await;
    // A change of another job leaves it where it is.
    it.client.put(&format!("/job/{other}"), json!({"description": "x"})).await.expect(200);
    let before = app.statements();
    it.client.get(&path).await.expect(200);
    assert_eq!(app.statements(), before);
    it.client.put(&registry, json!({"name": "hub 1", "kind": "DOCKER_HUB", "config": {}})).await.expect(200);
    assert_eq!(kept(&app, &it.client, &path).await["source"]["image"]["registry"]["name"], "hub 1");
    // Rows that are deleted with others.
    store::environment::delete(&app.app.db, entity::id::EnvironmentId(it.environment.parse().unwrap())).await.unwrap();
    it.client.get(&path).await.expect(404);
    it.client.get(&format!("/job/{other}")).await.expect(404);
}

#[tokio::test]
async fn permissions_are_checked_for_each_read_of_what_is_kept() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (path, ..) = furnish(&app, &it).await;
    if app.app.db.get_database_backend() == DbBackend::Sqlite {
        kept(&app, &it.client, &path).await;
    }
    let other = app.organization("other").await;
    app.token(other, Role::Admin).await.get(&path).await.expect(404);
    it.client.with(None).get(&path).await.expect(401);
    let tokens = format!("/organization/{}/apiToken", it.organization);
    let listed = async || -> Vec<String> {
        it.client.get(&tokens).await.expect(200)["results"].as_array().unwrap().iter().map(id).collect()
    };
    let before = listed().await;
    let viewer = app.token(it.organization, Role::Viewer).await;
    viewer.get(&path).await.expect(200);
    for token in listed().await.iter().filter(|token| !before.contains(token)) {
        it.client.delete(&format!("{tokens}/{token}")).await.expect(204);
    }
    viewer.get(&path).await.expect(401);
}

/// On PostgreSQL, reads that come together are one statement; each gets its own job.
#[tokio::test]
async fn reads_that_come_together_get_their_own_jobs() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut jobs = Vec::new();
    for number in 0..20 {
        jobs.push(it.create(it.cron(&format!("job {number}"), "@daily")).await);
    }
    let before = app.statements();
    let missing = JobId::create();
    let paths: Vec<String> = jobs.iter().cycle().take(100).map(|job| format!("/job/{job}")).collect();
    let reads = paths.iter().map(|path| it.client.get(path));
    let none = format!("/job/{missing}");
    let (found, none) = tokio::join!(futures_util::future::join_all(reads), it.client.get(&none));
    none.expect(404);
    for (job, answer) in jobs.iter().cycle().zip(found) {
        assert_eq!(id(&answer.expect(200)), *job);
    }
    if app.app.db.get_database_backend() == DbBackend::Postgres {
        assert!(app.statements() - before < 50, "{} statements", app.statements() - before);
    }
}
