//! The console: what its pages cost, how large they are, and what 200 tabs cost that are left open.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use chrono::TimeDelta;
use entity::id::JobId;
use entity::run::{self, RunState};
use entity::{environment, job};
use sea_orm::{DatabaseConnection, EntityTrait as _};
use windlass::clock::Clock;
use windlass::{engine, store};

use super::bench::Bench;
use super::rows;
use super::server::Server;
use super::table::{Pair, Rounds, median};
use super::usage::{cpu_percent, fine_cpu_seconds};

/// The jobs of an installation whose overview is measured, and of one where tabs are open.
const JOBS: [usize; 2] = [1000, 10_000];
/// The ended runs of each of the first jobs, which its page and the overview show.
const RUNS: usize = 30;
const WITH_RUNS: usize = 50;
const TABS: usize = 200;
const REPEATED: usize = 20;
const WATCHED: Duration = Duration::from_secs(30);

pub(crate) async fn measure(bench: &mut Bench) {
    let [few, many] = JOBS.map(|count| count / bench.divisor.min(count / 100));
    let mut overview: [Rounds; 2] = Default::default();
    let mut pages: Vec<(&str, Rounds)> = Vec::new();
    let (mut largest, mut tabs) = (Rounds::default(), Rounds::default());
    for database in bench.databases() {
        for count in [few, many] {
            let installation = bench.install(database).await;
            let environment = rows::environment(&installation.db).await;
            let never = Clock::system().now() + TimeDelta::hours(20);
            let jobs = rows::jobs(&installation.db, &environment, count, &bench.program, never).await;
            ended(&installation.db, &jobs).await;
            let server = installation.serve(&["--runner", "process"]);
            let visitor = Visitor::new(&server, &installation.token);
            let named = addresses(&environment, jobs[0]);
            if count == few {
                let (cpu, bytes) = visitor.load(&named[0].1);
                overview[0].add(database, cpu);
                overview[1].add(database, bytes);
            } else {
                let loads: Vec<_> = named.iter().map(|(name, path)| (*name, visitor.load(path))).collect();
                for (at, (name, (cpu, _))) in loads.iter().enumerate() {
                    if pages.len() <= at {
                        pages.push((name, Rounds::default()));
                    }
                    pages[at].1.add(database, *cpu);
                }
                largest.add(database, loads.iter().map(|(_, (_, bytes))| *bytes).fold(0.0, f64::max));
                tabs.add(database, visitor.tabs(&named[0].1).await);
            }
            drop(server);
            installation.end().await;
        }
    }
    let [cpu, bytes] = overview.map(Rounds::median);
    bench.table.row(&format!("Overview of {few} jobs, CPU"), "ms", cpu, None);
    bench.table.row("... compressed", "kB", bytes, None);
    for (name, rounds) in pages {
        bench.table.row(&format!("{name} of {many} jobs, CPU"), "ms", rounds.median(), None);
    }
    bench.table.row("... the largest of them, compressed", "kB", largest.median(), None);
    let Pair(all) = tabs.median();
    bench.table.row(&format!("{TABS} open tabs on {many} jobs, CPU"), "% of a core", Pair(all), None);
    let one = all.map(|all| Some(all? / f64::from(u32::try_from(TABS).unwrap())));
    bench.table.row("... one of them", "% of a core", Pair(one), None);
}

/// The pages with the most on them.
fn addresses(environment: &environment::Model, job: JobId) -> [(&'static str, String); 6] {
    let organization = format!("/console/organization/{}", environment.organization_id);
    [
        ("Overview", organization.clone()),
        ("Timeline", format!("{organization}/timeline")),
        ("Timeline of 30 days", format!("{organization}/timeline?span=30d")),
        ("Forecast", format!("{organization}/forecast")),
        ("Environment", format!("/console/environment/{}", environment.id)),
        ("Page of a job", format!("/console/job/{job}")),
    ]
}

/// Runs of the first jobs that have ended, some of them failed.
async fn ended(db: &DatabaseConnection, jobs: &[JobId]) {
    let now = Clock::system().now();
    let of = job::Entity::find_by_id(jobs[0]).one(db).await.unwrap().unwrap();
    let spec = engine::deployment::run_spec(&of.spec, None, run::Event::Cron).unwrap();
    for job in jobs.iter().take(WITH_RUNS) {
        let row = |number: usize| {
            let began = now - TimeDelta::minutes(i64::try_from(number).unwrap() * 20);
            run::Model {
                state: if number % 7 == 3 { RunState::Failed } else { RunState::Succeeded },
                exit_code: Some(i32::from(number % 7 == 3)),
                started_at: Some(began),
                finished_at: Some(began + TimeDelta::seconds(40)),
                ..run::Model::queued(*job, run::Event::Cron, spec.clone(), began)
            }
        };
        let rows: Vec<_> = (1..=RUNS).rev().map(row).collect();
        store::write(db, async |tx| store::run::create(tx, rows).await).await.unwrap();
    }
}

/// Somebody who is signed in.
struct Visitor<'a> {
    server: &'a Server,
    cookie: String,
}

impl<'a> Visitor<'a> {
    fn new(server: &'a Server, token: &str) -> Self {
        let body = format!("token={token}");
        let head = format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n", body.len());
        let answer = exchange(&server.address, &format!("POST /console/sign-in HTTP/1.1\r\n{head}"), &body);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let cookie = answer.split("windlass_session=").nth(1).and_then(|rest| rest.split(';').next());
        Self { server, cookie: format!("windlass_session={}", cookie.unwrap()) }
    }

    fn head(&self, path: &str) -> String {
        format!("GET {path} HTTP/1.1\r\nAccept-Encoding: gzip\r\nCookie: {}\r\n", self.cookie)
    }

    /// Loads a page several times; returns the CPU milliseconds of one, and its size in kB.
    fn load(&self, path: &str) -> (f64, f64) {
        let (mut cpu, mut size) = (Vec::new(), 0);
        for _ in 0..REPEATED {
            let before = fine_cpu_seconds(self.server.id());
            let answer = exchange(&self.server.address, &self.head(path), "");
            assert!(answer.starts_with(b"HTTP/1.1 200"), "{path}: {}", String::from_utf8_lossy(&answer));
            cpu.push((fine_cpu_seconds(self.server.id()) - before) * 1000.0);
            size = answer.len();
        }
        (median(cpu), f64::from(u32::try_from(size).unwrap()) / 1000.0)
    }

    /// The share of a core that open tabs add, in percent.
    async fn tabs(&self, page: &str) -> f64 {
        let id = self.server.id();
        let watch = move || cpu_percent(id, WATCHED);
        let alone = tokio::task::spawn_blocking(watch).await.unwrap();
        let streams: Vec<TcpStream> = (0..TABS)
            .map(|_| {
                let mut stream = TcpStream::connect(&self.server.address).unwrap();
                write!(stream, "{}Host: x\r\n\r\n", self.head(&format!("{page}/events"))).unwrap();
                let mut first = [0; 512];
                assert!(stream.read(&mut first).unwrap() > 0, "a tab was refused");
                assert!(first.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&first));
                stream
            })
            .collect();
        // The first fragments are sent at once.
        let drains: Vec<_> = streams.into_iter().map(|stream| std::thread::spawn(move || drain(stream))).collect();
        tokio::time::sleep(Duration::from_secs(10)).await;
        let busy = tokio::task::spawn_blocking(watch).await.unwrap();
        assert!(drains.iter().all(|drain| !drain.is_finished()), "a tab has ended");
        (busy - alone).max(0.0)
    }
}

/// Reads until the other side ends.
fn drain(mut stream: TcpStream) {
    let mut buffer = vec![0; 1 << 16];
    while stream.read(&mut buffer).is_ok_and(|count| count > 0) {}
}

/// One request on a connection of its own, and the whole response.
fn exchange(address: &str, head: &str, body: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{head}Host: x\r\nConnection: close\r\n\r\n{body}").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}
