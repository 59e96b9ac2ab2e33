//! Databases that are full, locked, read-only or cut off: requests fail with 503 while that lasts, nothing that was accepted is
//! lost, and health checks say so. Then the server continues as before.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use entity::variable;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait as _, DbBackend, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _, TransactionTrait as _,
};
use serde_json::{Value, json};
use windlass::engine::tick;
use windlass::liveness::key_check;
use windlass::liveness::visits::Scope;
use windlass::store;

use crate::engine::poison::{Rejects, cure, poison};
use crate::harness::{Furnished, TestApp, id, wait_for};
use crate::server::Server;

fn is_sqlite(app: &TestApp) -> bool {
    app.app.db.get_database_backend() == DbBackend::Sqlite
}

/// The status and the body of a health check.
async fn health(app: &TestApp, path: &str) -> (u16, Value) {
    let (status, text) = app.client(None).raw_call("GET", path, None, &[]).await;
    (status, serde_json::from_str(&text).unwrap())
}

async fn add_project(it: &Furnished, name: &str) -> u16 {
    let (path, body) = (format!("/organization/{}/project", it.organization), json!({"name": name}).to_string());
    it.client.raw_call("POST", &path, Some(&body), &[("content-type", "application/json")]).await.0
}

/// SQLite ends a transaction by itself when its disk is full. The connections that this happened to must not be used again.
#[tokio::test]
async fn a_transaction_that_the_database_ended_spoils_no_connection() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    poison(&app, "INSERT ON project", "NEW.name LIKE 'bad%'", Rejects::Transaction).await;
    let bad: Vec<String> = (0..12).map(|number| format!("bad {number}")).collect();
    let answers = futures_util::future::join_all(bad.iter().map(|name| add_project(&it, name))).await;
    assert!(answers.iter().all(|status| *status == 500), "{answers:?}");
    cure(&app).await;
    for number in 0..12 {
        assert_eq!(add_project(&it, &format!("good {number}")).await, 200);
    }
    assert_eq!(entity::project::Entity::find().count(&app.app.db).await.unwrap(), 13);
}

#[tokio::test]
async fn nothing_that_a_full_database_accepted_is_lost() {
    let app = TestApp::with_one_connection().await;
    if !is_sqlite(&app) {
        return;
    }
    let it = app.furnished().await;
    let mut stored = 1;
    let mut refused = 0;
    for number in 0..60 {
        // The limit is one of the connection, and this server has only one.
        app.app.db.execute_unprepared("PRAGMA max_page_count = 1").await.unwrap();
        let name = format!("{number} {}", "x".repeat(200));
        match add_project(&it, &name).await {
            200 => stored += 1,
            503 => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert!(refused > 0, "the database never was full");
    app.app.db.execute_unprepared("PRAGMA max_page_count = 1000000").await.unwrap();
    for number in 0..10 {
        assert_eq!(add_project(&it, &format!("after {number}")).await, 200);
        stored += 1;
    }
    assert_eq!(entity::project::Entity::find().count(&app.app.db).await.unwrap(), stored);
}

#[tokio::test]
async fn a_database_that_cannot_be_written_is_not_healthy() {
    let app = TestApp::with_one_connection().await;
    let it = app.furnished().await;
    let (off, on) = match is_sqlite(&app) {
        true => ("PRAGMA query_only = ON", "PRAGMA query_only = OFF"),
        false => ("SET default_transaction_read_only = on", "SET default_transaction_read_only = off"),
    };
    app.app.db.execute_unprepared(off).await.unwrap();
    assert_eq!(add_project(&it, "while read-only").await, 503);
    for path in ["/health", "/health/ready"] {
        let (status, body) = health(&app, path).await;
        assert_eq!((status, &body["database"]), (503, &json!("cannot be written")), "{path}");
    }
    assert_eq!(health(&app, "/health/live").await.0, 200, "a restart would not help");
    app.app.db.execute_unprepared(on).await.unwrap();
    assert_eq!((add_project(&it, "again").await, health(&app, "/health").await.0), (200, 200));
}

#[tokio::test]
async fn a_database_that_somebody_else_locked_is_not_healthy() {
    let app = TestApp::new().await;
    let other = app.restarted().await;
    let lock = other.app.db.begin().await.unwrap();
    lock.execute_unprepared("UPDATE counter SET value = value + 0").await.unwrap();
    // All rows are locked, including that of health checks, which the first one creates.
    if !is_sqlite(&app) {
        lock.execute_unprepared("LOCK TABLE counter IN EXCLUSIVE MODE").await.unwrap();
    }
    assert_eq!(health(&app, "/health").await.0, 503);
    lock.rollback().await.unwrap();
    wait_for("a healthy database", async || (health(&app, "/health").await.0 == 200).then_some(())).await;
}

/// All connections are cut off, as by a restart of PostgreSQL.
#[tokio::test]
async fn connections_that_were_cut_off_are_replaced() {
    let app = TestApp::new().await;
    if is_sqlite(&app) {
        return;
    }
    let it = app.furnished().await;
    let statuses = futures_util::future::join_all((0..8).map(|_| add_project(&it, "same"))).await;
    assert!(statuses.contains(&200));
    let other = app.restarted().await;
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()";
    other.app.db.execute_unprepared(cut).await.unwrap();
    let mut refused = 0;
    for number in 0..20 {
        match add_project(&it, &format!("after {number}")).await {
            200 => {}
            503 => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert!(refused <= 4, "{refused} requests failed, one for each connection at most");
    assert_eq!(add_project(&it, "at last").await, 200);
}

#[tokio::test]
async fn a_pass_that_keeps_failing_is_named() {
    let app = TestApp::new().await;
    let db = &app.app.db;
    // Afterwards, only the pass over the rules reads them.
    app.tick().await;
    db.execute_unprepared("ALTER TABLE deployment_rule RENAME TO elsewhere").await.unwrap();
    for _ in 0..3 {
        assert_eq!(health(&app, "/health").await.0, 200, "not yet");
        app.clock.forward(6);
        app.tick().await;
    }
    let (status, body) = health(&app, "/health").await;
    assert_eq!((status, &body["failing_passes"]), (503, &json!(["deployment_rules"])));
    assert_eq!(health(&app, "/health/ready").await.0, 200, "requests are answered");
    let text = app.client(None).raw("/metrics").await;
    assert!(text.contains("windlass_pass_errors_total{pass=\"deployment_rules\"} 3"), "{text}");
    db.execute_unprepared("ALTER TABLE elsewhere RENAME TO deployment_rule").await.unwrap();
    app.tick().await;
    assert_eq!(health(&app, "/health").await.0, 200);
}

/// What makes a pass succeed again need not be something to do, so an idle server has to find it out by itself.
#[tokio::test]
async fn a_failed_pass_is_tried_again_while_nothing_is_due() {
    let app = TestApp::new().await;
    let (db, mut visitors) = (&app.app.db, tick::Visitors::default());
    app.tick().await;
    // The first rests once nothing is called any more.
    while !tick::work_with(&app.app, &mut visitors, Scope::Look, app.clock.now()).await.rests {}
    assert!(!tick::ahead(&app.app, app.clock.now()).await.unwrap().now, "nothing is due");
    for table in ["deployment_rule", "run"] {
        db.execute_unprepared(&format!("ALTER TABLE {table} RENAME TO elsewhere")).await.unwrap();
        for _ in 0..3 {
            app.clock.forward(6);
            tick::plan(&app.app, app.clock.now()).await;
            tick::work_with(&app.app, &mut visitors, Scope::Look, app.clock.now()).await;
        }
        assert_eq!(health(&app, "/health").await.0, 503, "{table}");
        db.execute_unprepared(&format!("ALTER TABLE elsewhere RENAME TO {table}")).await.unwrap();
        assert!(tick::ahead(&app.app, app.clock.now()).await.unwrap().now, "{table}");
        assert!(!tick::work_with(&app.app, &mut visitors, Scope::Look, app.clock.now()).await.rests, "{table}");
        tick::plan(&app.app, app.clock.now()).await;
        let (status, body) = health(&app, "/health").await;
        assert_eq!(status, 200, "{table}: {body}");
    }
    visitors.finish().await;
}

#[tokio::test]
async fn a_key_that_does_not_fit_is_named() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "@daily")).await;
    it.client.post(&format!("/job/{job}/secret"), json!({"key": "PASSWORD", "value": "x"})).await.expect(201);
    key_check::run_once(&app.app).await.unwrap();
    assert_eq!(health(&app, "/health").await.0, 200);
    let file = app.app.config.secret_key_file();
    let key = std::fs::read_to_string(&file).unwrap();
    let other = "ab".repeat(32);
    std::fs::write(&file, &other).unwrap();
    let wrong = app.restarted().await;
    key_check::run_once(&wrong.app).await.unwrap();
    for path in ["/health", "/health/ready"] {
        let (status, body) = health(&wrong, path).await;
        assert_eq!((status, &body["key"]), (503, &json!("does not fit the database")), "{path}");
    }
    // A ring with both keys fits.
    std::fs::write(&file, format!("{other}\n{key}\n")).unwrap();
    let both = app.restarted().await;
    key_check::run_once(&both.app).await.unwrap();
    assert_eq!(health(&both, "/health").await.0, 200);
    // One damaged value is no sign of a wrong key.
    let second = json!({"key": "OTHER", "value": "x"});
    let second = it.client.post(&format!("/job/{job}/secret"), second).await.expect(201);
    let damaged = variable::ActiveModel { sealed: Set(Some(b"damaged".to_vec())), ..Default::default() };
    let these = variable::Column::Id.eq(id(&second).parse::<uuid::Uuid>().unwrap());
    variable::Entity::update_many().set(damaged).filter(these).exec(&app.app.db).await.unwrap();
    key_check::run_once(&app.app).await.unwrap();
    assert_eq!(health(&app, "/health").await.0, 200);
}

/// A disk of 48 MiB that is filled up while runs are requested, and then emptied.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    // A disk that only the server sees needs no privileges.
    let unshare = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]).arg(&disk);
        command
    };
    const MOUNT: &str = "mount -t tmpfs -o size=48m,mode=700 tmpfs \"$1\"";
    if !unshare(MOUNT).output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: a user may not mount a disk here");
        return;
    }
    let script = format!("{MOUNT} && shift && exec \"$@\"");
    let mut command = unshare(&script);
    command.arg(env!("CARGO_BIN_EXE_windlass")).args([
        "serve",
        "--demo",
        "--runner",
        "process",
        "--max-runs",
        "0",
        "--log",
        "off",
    ]);
    command.arg("--data-dir").arg(&disk);
    let server = Server::start_by(folder.path(), command, None);
    let inside = PathBuf::from(format!("/proc/{}/root{}", server.process(), disk.display()));
    let (_, jobs, _) = server.call("GET", &server.jobs_path(), None).await;
    let job = jobs["results"][0]["id"].as_str().unwrap().to_owned();
    let run = format!("/job/{job}/run");
    let body = || Some(json!({"environment": {"TEXT": "x".repeat(20_000)}}));
    let mut accepted = Vec::new();
    let (mut refused, mut ill) = (0, 0);
    let mut fill = std::fs::File::create(inside.join("fill")).unwrap();
    let piece = vec![0; 1 << 20];
    while fill.write_all(&piece).is_ok() {}
    while fill.write_all(&piece[..4096]).is_ok() {}
    for _ in 0..200 {
        let (status, row, text) = server.call("POST", &run, body()).await;
        match status {
            202 => accepted.push(row["id"].as_str().unwrap().to_owned()),
            503 => refused += 1,
            _ => panic!("{status}: {text}"),
        }
        ill += usize::from(server.call("GET", "/health", None).await.0 == 503);
    }
    assert!(refused > 100, "the disk never was full: {refused} were refused");
    assert!(ill > 0, "the health check did not notice");
    std::fs::remove_file(inside.join("fill")).unwrap();
    drop(fill);
    wait_for("the end of the trouble", async || {
        let (status, _, text) = server.call("GET", "/health", None).await;
        if status != 200 {
            eprintln!("still ill: {text}");
        }
        (status == 200).then_some(())
    })
    .await;
    for _ in 0..20 {
        let (status, row, text) = server.call("POST", &run, body()).await;
        assert_eq!(status, 202, "{text}");
        accepted.push(row["id"].as_str().unwrap().to_owned());
    }
    for id in accepted {
        assert_eq!(server.call("GET", &format!("/run/{id}"), None).await.0, 200, "run {id} was accepted");
    }
}

/// What `store::probe` writes is not visible anywhere.
#[tokio::test]
async fn health_checks_leave_numbers_alone() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "@daily")).await;
    for _ in 0..3 {
        store::probe(&app.app.db).await.unwrap();
    }
    let run = it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
    assert_eq!(run["number"], 1);
}
