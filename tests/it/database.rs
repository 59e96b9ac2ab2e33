//! What the server does when the database is contended, cut off, used by another server, or sealed with other keys.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use entity::{run, server_lease};
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DbBackend, EntityTrait as _, Statement, TransactionTrait as _,
};
use serde_json::json;
use tokio::sync::Barrier;
use windlass::clock::Clock;
use windlass::engine::tick;
use windlass::error::{Error, Result};
use windlass::server::DatabaseLock;
use windlass::store::server_lease::Lease;
use windlass::{app::App, server, store};

use crate::harness::{TestApp, config, database};

fn on_postgres(app: &TestApp) -> bool {
    app.app.db.get_database_backend() == DbBackend::Postgres
}

/// A running run of this server.
async fn running(app: &TestApp) -> run::Model {
    let it = app.furnished().await;
    let job = it.create(it.lifecycle("job")).await;
    it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
    app.tick().await;
    let row = the_run(app).await;
    assert_eq!(row.lease_owner, Some(app.app.instance));
    row
}

async fn the_run(app: &TestApp) -> run::Model {
    run::Entity::find().one(&app.app.db).await.unwrap().unwrap()
}

/// The end of the lease of a server.
async fn lease_of(app: &TestApp) -> chrono::DateTime<chrono::Utc> {
    let row = server_lease::Entity::find_by_id(app.app.instance).one(&app.app.db).await.unwrap();
    row.expect("the server has a lease").until
}

#[tokio::test]
async fn a_lease_never_moves_backwards() {
    let app = TestApp::new().await;
    let row = running(&app).await;
    assert_eq!(row.lease_until, None, "a server of release 0.2 must not take it over");
    let until = lease_of(&app).await;
    let older = Lease { owner: app.app.instance, until: until - chrono::TimeDelta::seconds(9) };
    store::server_lease::renew(&app.app.db, older).await.unwrap();
    assert_eq!(lease_of(&app).await, until);
    app.clock.forward(4);
    tick::renew(&app.app).await.unwrap();
    assert_eq!(lease_of(&app).await, until + chrono::TimeDelta::seconds(4));
}

#[tokio::test]
async fn a_lease_is_renewed_while_all_connections_are_in_use() {
    let app = TestApp::new().await;
    running(&app).await;
    let until = lease_of(&app).await;
    app.clock.forward(4);
    let mut held = Vec::new();
    for _ in 0..app.app.config.database_connections {
        held.push(app.app.db.begin().await.unwrap());
    }
    let renewal = tokio::time::timeout(Duration::from_secs(5), tick::renew(&app.app));
    renewal.await.expect("the renewal waits for a connection").unwrap();
    drop(held);
    assert!(lease_of(&app).await > until);
}

async fn touch(tx: &impl sea_orm::ConnectionTrait, name: &str) -> Result<()> {
    let sql = format!("UPDATE organization SET description = 'touched' WHERE name = '{name}'");
    tx.execute_unprepared(&sql).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_is_repeated_once() {
    let app = TestApp::new().await;
    if !on_postgres(&app) {
        // SQLite has a single writer.
        return;
    }
    app.organization("a").await;
    app.organization("b").await;
    let (attempts, both) = (Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(2)));
    let change = async |first: &str, second: &str| {
        let (attempts, both) = (Arc::clone(&attempts), Arc::clone(&both));
        store::write(&app.app.db, async move |tx| {
            let attempt = attempts.fetch_add(1, Ordering::SeqCst);
            if attempt >= 2 {
                // With two rows it could meet the other one again on a slow machine: what was undone can be faster than what waited for it.
                return touch(tx, "a").await;
            }
            touch(tx, first).await?;
            both.wait().await;
            touch(tx, second).await
        })
        .await
    };
    let (one, other) = tokio::join!(change("a", "b"), change("b", "a"));
    one.unwrap();
    other.unwrap();
    // PostgreSQL may undo both, if both look for a deadlock at the same time.
    let attempts = attempts.load(Ordering::SeqCst);
    assert!((3..=4).contains(&attempts), "what was undone is repeated once, not {attempts} times");
}

async fn backend(tx: &impl sea_orm::ConnectionTrait) -> i32 {
    let sql = Statement::from_string(DbBackend::Postgres, "SELECT pg_backend_pid()");
    tx.query_one_raw(sql).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

async fn cut(db: &DatabaseConnection, backend: i32) {
    db.execute_unprepared(&format!("SELECT pg_terminate_backend({backend}, 5000)")).await.unwrap();
}

#[tokio::test]
async fn a_cut_connection_is_repeated_unless_the_commit_was_sent() {
    let app = TestApp::new().await;
    if !on_postgres(&app) {
        return;
    }
    app.organization("a").await;
    let other = store::connect(&app.url, 1).await.unwrap();
    let attempts = AtomicUsize::new(0);
    store::write(&app.app.db, async |tx| {
        if attempts.fetch_add(1, Ordering::SeqCst) == 0 {
            cut(&other, backend(tx).await).await;
        }
        touch(tx, "a").await
    })
    .await
    .unwrap();
    assert_eq!(attempts.load(Ordering::SeqCst), 2);
    let failed = store::write(&app.app.db, async |tx| {
        attempts.fetch_add(1, Ordering::SeqCst);
        touch(tx, "a").await?;
        cut(&other, backend(tx).await).await;
        Ok(())
    })
    .await;
    let Err(Error::Unavailable { reason, .. }) = failed else { panic!("{failed:?}") };
    assert!(reason.contains("the database"), "{reason}");
    assert_eq!(attempts.load(Ordering::SeqCst), 3, "nobody knows whether the commit was carried out");
}

#[tokio::test]
async fn reads_survive_a_restart_of_the_database() {
    let app = TestApp::new().await;
    if !on_postgres(&app) {
        return;
    }
    let it = app.furnished().await;
    let other = store::connect(&app.url, 1).await.unwrap();
    for _ in 0..3 {
        let all = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        other.execute_unprepared(all).await.unwrap();
        // A restart takes longer than this.
        tokio::time::sleep(Duration::from_millis(150)).await;
        it.client.get(&format!("/project/{}", it.project)).await.expect(200);
    }
}

#[tokio::test]
async fn a_busy_database_is_503() {
    let app = TestApp::with_one_connection().await;
    if on_postgres(&app) {
        return;
    }
    let it = app.furnished().await;
    app.app.db.execute_unprepared("PRAGMA busy_timeout = 20").await.unwrap();
    let other = store::connect(&app.url, 1).await.unwrap();
    other.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
    let path = format!("/organization/{}/project", it.organization);
    let answer = it.client.post(&path, json!({"name": "other"})).await.expect(503);
    assert_eq!(answer["detail"], "the database is busy; try again");
    other.execute_unprepared("ROLLBACK").await.unwrap();
    it.client.post(&path, json!({"name": "other"})).await.expect(200);
}

/// Otherwise the connections of a server wait for each other whenever one of them allocates memory. See .cargo/config.toml.
#[tokio::test]
async fn sqlite_counts_no_allocations() {
    let app = TestApp::new().await;
    if on_postgres(&app) {
        return;
    }
    let statement = Statement::from_string(DbBackend::Sqlite, "PRAGMA compile_options");
    let rows = app.app.db.query_all_raw(statement).await.unwrap();
    let options: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    let has = |option: &str| options.iter().any(|found| found == option);
    assert!(has("DEFAULT_MEMSTATUS=0") && !has("ENABLE_MEMORY_MANAGEMENT"), "{options:?}");
}

/// A stage of a deployment creates many runs in one transaction; others need numbers meanwhile.
#[tokio::test]
async fn run_numbers_do_not_wait_for_a_transaction() {
    let app = TestApp::new().await;
    let row = running(&app).await;
    if !on_postgres(&app) {
        return;
    }
    let new = || run::Model {
        id: entity::id::RunId::create(),
        state: run::RunState::Queued,
        lease_owner: None,
        lease_until: None,
        ..row.clone()
    };
    let open = app.app.db.begin().await.unwrap();
    store::run::create(&open, vec![new(), new()]).await.unwrap();
    let other = tokio::time::timeout(Duration::from_secs(5), store::run::create(&app.app.db, vec![new()]));
    other.await.expect("the number is locked").unwrap();
    open.commit().await.unwrap();
    // As a server of an earlier release takes numbers.
    let sql = "UPDATE counter SET value = value + 3 WHERE name = 'run' RETURNING value";
    let earlier = app.app.db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap().unwrap();
    let last: i64 = earlier.try_get_by_index(0).unwrap();
    store::run::create(&app.app.db, vec![new()]).await.unwrap();
    let numbers: Vec<i64> = run::Entity::find().all(&app.app.db).await.unwrap().iter().map(|run| run.number).collect();
    let mut numbers = numbers.into_iter().filter(|number| *number > row.number).collect::<Vec<_>>();
    numbers.sort_unstable();
    let next = row.number + 1;
    assert_eq!((numbers, last), (vec![next, next + 1, next + 2, next + 6], next + 5));
}

/// Starts a server in a folder, with a database of this URL.
async fn start(folder: &Path, url: &str) -> Result<(Arc<App>, DatabaseLock)> {
    server::build(config(folder.to_owned(), url), Clock::system()).await
}

async fn refused(folder: &Path, url: &str) -> String {
    match start(folder, url).await {
        Err(Error::Internal(source)) => source.to_string(),
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("the server has started"),
    }
}

/// Stores a sealed value.
async fn seal(app: &App) {
    let row = entity::organization::Model::new("acme", app.clock.now());
    let organization = store::organization::create(&app.db, row).await.unwrap();
    let id = entity::id::ClusterId::create();
    let kubeconfig = app.keys.seal(&windlass::secret::place("cluster", id.0), b"secret").unwrap();
    let local = windlass::bootstrap::local_cluster(organization.id, app.clock.now());
    let cluster = entity::cluster::Model { id, kubeconfig: Some(kubeconfig), ..local };
    store::cluster::create(&app.db, cluster).await.unwrap();
}

#[tokio::test]
async fn a_server_without_the_keys_of_its_database_does_not_start() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let url = database(&folder).await;
    let (app, lock) = start(folder.path(), &url).await.unwrap();
    let first = app.keys.fingerprints().remove(0);
    drop((app, lock));
    // Nothing is sealed yet, but a server may seal at any time.
    let text = refused(elsewhere.path(), &url).await;
    assert!(text.contains("is missing") && text.contains(&first), "{text}");
    let key = elsewhere.path().join("secret.key");
    assert!(!key.exists(), "a new key was created");
    std::fs::write(&key, format!("{}\n", "2".repeat(64))).unwrap();
    let text = refused(elsewhere.path(), &url).await;
    assert!(text.contains(&first) && text.contains("secret.key"), "{text}");
    let (app, lock) = start(folder.path(), &url).await.unwrap();
    seal(&app).await;
    // A database of an earlier release has no record of its keys.
    app.db.execute_unprepared("DELETE FROM seal_key").await.unwrap();
    drop((app, lock));
    assert!(refused(elsewhere.path(), &url).await.contains(&first));
    std::fs::remove_file(&key).unwrap();
    assert!(refused(elsewhere.path(), &url).await.contains(&first));
    assert!(!key.exists(), "a new key was created");
    drop(start(folder.path(), &url).await.unwrap());
}

#[tokio::test]
async fn a_key_can_be_removed_once_nothing_needs_it() {
    let folder = tempfile::tempdir().unwrap();
    let url = database(&folder).await;
    let (app, lock) = start(folder.path(), &url).await.unwrap();
    seal(&app).await;
    let first = app.keys.fingerprints().remove(0);
    drop((app, lock));
    let path = folder.path().join("secret.key");
    let (old, new) = (std::fs::read_to_string(&path).unwrap(), "3".repeat(64));
    std::fs::write(&path, format!("{new}\n{old}")).unwrap();
    drop(start(folder.path(), &url).await.unwrap());
    std::fs::write(&path, &new).unwrap();
    assert!(refused(folder.path(), &url).await.contains(&first), "a kubeconfig needs it");
    std::fs::write(&path, &old).unwrap();
    assert!(!refused(folder.path(), &url).await.contains(&first), "the newest key is missing");
    std::fs::write(&path, format!("{old}\n{new}")).unwrap();
    let (app, lock) = start(folder.path(), &url).await.unwrap();
    app.db.execute_unprepared("UPDATE cluster SET kubeconfig = NULL").await.unwrap();
    drop((app, lock));
    std::fs::write(&path, &new).unwrap();
    drop(start(folder.path(), &url).await.unwrap());
}

/// A key file that is permanently lost: what it sealed is deleted as docs/operations.md says.
#[tokio::test]
async fn a_lost_key_can_be_given_up() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let url = database(&folder).await;
    let (app, lock) = start(folder.path(), &url).await.unwrap();
    seal(&app).await;
    let page = include_str!("../../docs/operations.md");
    let statements = page.split("```sql\n").nth(1).unwrap().split("\n```").next().unwrap();
    for (table, column) in store::seal_key::SEALED {
        let cleared = statements.lines().any(|line| {
            line == format!("DELETE FROM {table};")
                || line.starts_with(&format!("UPDATE {table} SET")) && line.contains(&format!("{column} = NULL"))
        });
        assert!(cleared, "{table}.{column} stays");
    }
    app.db.execute_unprepared(statements).await.unwrap();
    drop((app, lock));
    drop(start(elsewhere.path(), &url).await.unwrap());
}

/// Every column of bytes is sealed, and known as such.
#[tokio::test]
async fn the_sealed_columns_are_known() {
    let app = TestApp::new().await;
    let sql = if on_postgres(&app) {
        "SELECT table_name::text, column_name::text FROM information_schema.columns \
         WHERE table_schema = 'public' AND data_type = 'bytea' ORDER BY 1, 2"
    } else {
        "SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p \
         WHERE m.type = 'table' AND lower(p.type) = 'blob' ORDER BY 1, 2"
    };
    let statement = Statement::from_string(app.app.db.get_database_backend(), sql);
    let rows = app.app.db.query_all_raw(statement).await.unwrap();
    let found: Vec<(String, String)> =
        rows.iter().map(|row| (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap())).collect();
    let known = store::seal_key::SEALED.map(|(table, column)| (table.to_owned(), column.to_owned()));
    assert_eq!(found, known);
    assert!(store::seal_key::list_used(&app.app.db).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_second_server_on_an_sqlite_database_does_not_start() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = folder.path().join("a.db");
    let url = |path: &Path| format!("sqlite://{}?mode=rwc", path.display());
    let (_app, lock) = start(folder.path(), &url(&file)).await.unwrap();
    std::fs::copy(folder.path().join("secret.key"), elsewhere.path().join("secret.key")).unwrap();
    let link = elsewhere.path().join("link.db");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    for (folder, path) in [(folder.path(), &file), (elsewhere.path(), &file), (elsewhere.path(), &link)] {
        let text = refused(folder, &url(path)).await;
        assert!(text.contains("another server is using the database") && text.contains("a.db"), "{text}");
    }
    let settings = config(elsewhere.path().to_owned(), &url(&file));
    assert!(server::migrate(&settings).await.is_err(), "a newer program would migrate under the server");
    drop(lock);
    server::migrate(&settings).await.unwrap();
}

/// What a server was starting when it was killed holds a copy of its lock for a moment.
#[tokio::test]
async fn a_lock_that_is_released_at_once_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let held = std::fs::File::create(folder.path().join("windlass.db.lock")).unwrap();
    held.try_lock().unwrap();
    let release = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        drop(held);
    });
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("windlass.db").display());
    drop(start(folder.path(), &url).await.unwrap());
    release.join().unwrap();
}

/// A server of an earlier release locks the data folder. A newer program must not touch its schema.
#[tokio::test]
async fn a_server_of_an_earlier_release_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let held = std::fs::File::create(folder.path().join("server.lock")).unwrap();
    held.try_lock().unwrap();
    let file = folder.path().join("windlass.db");
    let text = refused(folder.path(), &format!("sqlite://{}?mode=rwc", file.display())).await;
    assert!(text.contains("another server is using the database"), "{text}");
    assert!(!file.exists());
    let elsewhere = tempfile::tempdir().unwrap();
    let text = refused(elsewhere.path(), &format!("sqlite://{}?mode=rwc", file.display())).await;
    assert!(text.contains("server.lock") && !file.exists(), "{text}");
}

/// Commands that use a database create none, and change no schema.
#[tokio::test]
async fn commands_need_a_database_with_this_schema() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let settings = config(data.clone(), &format!("sqlite://{}?mode=rwc", data.join("windlass.db").display()));
    let text = server::open_existing(&settings).await.unwrap_err();
    assert!(matches!(text, Error::Internal(source) if source.to_string().contains("there is no database at")));
    assert!(!data.exists());
    std::fs::create_dir(&data).unwrap();
    let db = store::connect(&settings.database_url(), 1).await.unwrap();
    migration::run_first(&db, 3).await.unwrap();
    let older = migration::pending(&db).await.unwrap();
    let text = server::open_existing(&settings).await.unwrap_err();
    assert!(matches!(text, Error::Internal(source) if source.to_string().contains("older than this program")));
    assert_eq!(migration::pending(&db).await.unwrap(), older);
    migration::run(&db).await.unwrap();
    server::open_existing(&settings).await.unwrap();
    db.execute_unprepared("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_later', 1)")
        .await
        .unwrap();
    let text = server::open_existing(&settings).await.unwrap_err();
    assert!(matches!(text, Error::Internal(source) if source.to_string().contains("newer than this program")));
}

/// While thousands of schedules are settled, other writers get their turn between two transactions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_take_turns() {
    let app = TestApp::new().await;
    app.organization("a").await;
    let (order, db) = (Arc::new(std::sync::Mutex::new(Vec::new())), &app.app.db);
    let (began, go) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let writer = async |name: &'static str, waits: bool| {
        let (order, began, go) = (Arc::clone(&order), Arc::clone(&began), Arc::clone(&go));
        store::write(db, async move |tx| {
            touch(tx, "a").await?;
            if waits {
                began.wait().await;
                go.wait().await;
            }
            order.lock().unwrap().push(name);
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
    };
    let first = writer("first", true);
    let rest = async {
        began.wait().await;
        // One writer asks, and then another one asks again and again.
        let second = writer("second", false);
        let third = async {
            for _ in 0..3 {
                writer("third", false).await;
            }
        };
        let release = async {
            tokio::task::yield_now().await;
            go.wait().await;
        };
        tokio::join!(second, third, release);
    };
    tokio::join!(first, rest);
    if !on_postgres(&app) {
        assert_eq!(*order.lock().unwrap(), ["first", "second", "third", "third", "third"]);
    }
}
