//! Environments with many jobs: their statuses, and creating jobs one by one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait as _, EntityTrait as _};
use serde_json::json;
use windlass::clock::Clock;

use super::bench::Bench;
use super::database::SQLITE;
use super::http_client::{Connection, request};
use super::rows;
use super::table::Rounds;
use super::usage::{anonymous_mib, cpu_seconds};

const MANY: usize = 100_000;
const CREATED: usize = 1000;

pub(crate) async fn statuses(bench: &mut Bench) {
    let (mut cpu, mut memory) = (Rounds::default(), Rounds::default());
    for database in bench.databases() {
        let installation = bench.install(database).await;
        let environment = rows::environment(&installation.db).await;
        let never = Clock::system().now() + chrono::TimeDelta::days(20);
        rows::jobs(&installation.db, &environment, MANY, &bench.program, never).await;
        let server = installation.serve(&["--runner", "process"]);
        tokio::time::sleep(Duration::from_secs(2)).await;
        let request = request("GET", &format!("/environment/{}/statuses", environment.id), &installation.token, None);
        for _ in 0..bench.rounds {
            let (before, cpu_before) = (anonymous_mib(server.id()), cpu_seconds(server.id()));
            let (address, request) = (server.address.clone(), request.clone());
            let ended = Arc::new(AtomicBool::new(false));
            let (id, watched) = (server.id(), Arc::clone(&ended));
            let most = tokio::task::spawn_blocking(move || {
                let mut most = 0.0_f64;
                while !watched.load(Ordering::Relaxed) {
                    most = most.max(anonymous_mib(id));
                    std::thread::sleep(Duration::from_millis(5));
                }
                most
            });
            let length =
                tokio::task::spawn_blocking(move || Connection::open(&address).send(&request).len()).await.unwrap();
            assert!(length > MANY * 50, "{length} bytes");
            ended.store(true, Ordering::Relaxed);
            memory.add(database, most.await.unwrap() - before);
            cpu.add(database, cpu_seconds(server.id()) - cpu_before);
        }
        drop(server);
        installation.end().await;
    }
    bench.table.row(&format!("Statuses of {MANY} jobs, CPU"), "s", cpu.median(), None);
    bench.table.row("... growth of anonymous memory", "MiB", memory.median(), None);
}

pub(crate) async fn create(bench: &mut Bench) {
    let (mut seconds, mut floor) = (Rounds::default(), Rounds::default());
    for database in bench.databases() {
        let installation = bench.install(database).await;
        let environment = rows::environment(&installation.db).await;
        let never = Clock::system().now() + chrono::TimeDelta::days(20);
        // With the registry that it needs.
        rows::jobs(&installation.db, &environment, 1, &bench.program, never).await;
        let server = installation.serve(&["--runner", "process"]);
        let (address, token) = (server.address.clone(), installation.token.clone());
        let registry = entity::registry::Entity::find().one(&installation.db).await.unwrap().unwrap().id;
        let body = |name: String| {
            let source = json!({"image": {"image_name": "library/busybox", "tag": "1.36.1", "registry_id": registry}});
            let schedule =
                json!({"cronjob": {"scheduled_at": "0 3 1 1 *", "timezone": "Etc/UTC", "entrypoint": "/bin/sh"}});
            json!({"name": name, "cpu": 500, "memory": 512, "source": source, "schedule": schedule, "healthchecks": {}})
                .to_string()
        };
        let path = format!("/environment/{}/job", environment.id);
        for round in 0..bench.rounds {
            floor.add(database, commits(&installation.db, database, &body(String::new())).await);
            let requests: Vec<_> = (0..CREATED)
                .map(|number| request("POST", &path, &token, Some(&body(format!("job {round} {number}")))))
                .collect();
            let address = address.clone();
            let took = tokio::task::spawn_blocking(move || {
                let (mut connection, begin) = (Connection::open(&address), Instant::now());
                for request in &requests {
                    connection.send(request);
                }
                begin.elapsed().as_secs_f64()
            });
            seconds.add(database, took.await.unwrap());
        }
        drop(server);
        installation.end().await;
    }
    let what = format!("Create {CREATED} jobs one by one");
    bench.table.row(&what, "s", seconds.median(), Some(("as many commits of one row", floor.median())));
}

/// The seconds of as many transactions that insert one row each into a table without indexes.
async fn commits(db: &sea_orm::DatabaseConnection, database: usize, text: &str) -> f64 {
    db.execute_unprepared("CREATE TABLE IF NOT EXISTS bench_floor (text TEXT)").await.unwrap();
    let sql =
        if database == SQLITE { "INSERT INTO bench_floor VALUES (?)" } else { "INSERT INTO bench_floor VALUES ($1)" };
    let begin = Instant::now();
    for _ in 0..CREATED {
        let statement = sea_orm::Statement::from_sql_and_values(db.get_database_backend(), sql, [text.into()]);
        db.execute_raw(statement).await.unwrap();
    }
    begin.elapsed().as_secs_f64()
}
