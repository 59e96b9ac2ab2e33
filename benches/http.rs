//! The cost of a request, compared with the least that it could cost.
//!
//! Each server is a process of its own on one core, the load comes from another core, and CPU time is measured by the
//! operating system. `bare` sends fixed bytes; `select` sends the result of a primary-key SELECT through sea-orm.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark may fail"
)]
#![allow(clippy::disallowed_methods, reason = "a benchmark measures time and chooses its surroundings")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use entity::environment::Mode;
use entity::id::JobId;
use entity::job;
use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use poem::{EndpointExt as _, Route, get, handler};
use sea_orm::{DatabaseConnection, EntityTrait as _};
use windlass::store;

const CONNECTIONS: usize = 16;
const ROUND: Duration = Duration::from_secs(3);
const ROUNDS: usize = 3;

#[handler]
fn serve_bytes(body: poem::web::Data<&String>) -> poem::Response {
    poem::Response::builder().content_type("application/json").body(body.0.clone())
}

#[handler]
async fn serve_row(data: poem::web::Data<&(DatabaseConnection, JobId, String)>) -> poem::Response {
    let (db, id, body) = data.0;
    let row = job::Entity::find_by_id(*id).one(db).await.unwrap().unwrap();
    assert!(!row.name.is_empty());
    poem::Response::builder().content_type("application/json").body(body.clone())
}

/// Prints an address and serves `bare` or `select` there until killed.
async fn reference(words: &[String]) {
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
    println!("http://{}", acceptor.local_addr()[0].as_socket_addr().unwrap());
    let body = std::fs::read_to_string(&words[1]).unwrap();
    let server = poem::Server::new_with_acceptor(acceptor);
    if words[0] == "bare" {
        server.run(Route::new().at("/", get(serve_bytes)).data(body)).await.unwrap();
    } else {
        let db = store::connect(&words[2], 10).await.unwrap();
        let id = JobId(words[3].parse().unwrap());
        server.run(Route::new().at("/", get(serve_row)).data((db, id, body))).await.unwrap();
    }
}

struct Server {
    child: Child,
    address: String,
    first_line_after: Duration,
    output: Vec<String>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}

impl Server {
    /// Starts a program on the first core and reads the address that it prints.
    fn start(command: &mut Command, lines: usize) -> Self {
        let begin = Instant::now();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        let mut output = Vec::new();
        while output.len() < lines {
            let mut line = String::new();
            assert!(reader.read_line(&mut line).unwrap() > 0, "the server ended");
            output.push(line);
        }
        let url = output[0].split_whitespace().find(|word| word.starts_with("http://")).unwrap();
        let address = url.trim_start_matches("http://").to_owned();
        std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
        Self { child, address, first_line_after: begin.elapsed(), output }
    }

    fn pinned(program: &str) -> Command {
        let mut command = Command::new("taskset");
        command.args(["-c", "0", program]);
        command
    }

    fn windlass(folder: &Path, url: Option<&str>) -> Self {
        let mut command = Self::pinned(env!("CARGO_BIN_EXE_windlass"));
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--runner", "process", "--log", "off", "--data-dir"])
            .arg(folder);
        if let Some(url) = url {
            command.args(["--database-url", url]);
        }
        let known = folder.join("token").exists();
        let server = Self::start(&mut command, if known { 2 } else { 5 });
        if !known {
            let line = server.output.iter().find(|line| line.contains("TOKEN=")).unwrap();
            std::fs::write(folder.join("token"), line.split("TOKEN=").nth(1).unwrap().trim()).unwrap();
        }
        server
    }

    /// The CPU time so far, in microseconds; a clock tick of Linux is a hundredth of a second.
    fn cpu_micros(&self) -> f64 {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = text.rsplit(')').next().unwrap().split_whitespace().collect();
        (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) * 10_000.0
    }

    fn memory_mib(&self) -> f64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }
}

/// Sends one request on a new connection, and returns the whole response.
fn once(address: &str, path: &str, token: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Token {token}\r\n\r\n")
        .unwrap();
    let mut text = Vec::new();
    stream.read_to_end(&mut text).unwrap();
    let text = String::from_utf8_lossy(&text).into_owned();
    (text.get(9..12).and_then(|code| code.parse().ok()).unwrap_or(0), text)
}

/// Repeats a request on one connection until `end`; returns the number of responses.
fn hammer(address: &str, request: &[u8], end: Instant) -> u64 {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut buffer = vec![0; 1 << 16];
    let mut count = 0;
    while Instant::now() < end {
        stream.write_all(request).unwrap();
        let mut have = 0;
        loop {
            have += stream.read(&mut buffer[have..]).unwrap();
            let head = String::from_utf8_lossy(&buffer[..have]);
            let Some(body) = head.find("\r\n\r\n") else { continue };
            assert!(head.starts_with("HTTP/1.1 200"), "{head}");
            let length: usize = head
                .to_lowercase()
                .split("content-length: ")
                .nth(1)
                .unwrap()
                .split("\r\n")
                .next()
                .unwrap()
                .parse()
                .unwrap();
            if have >= body + 4 + length {
                break;
            }
        }
        count += 1;
    }
    count
}

struct Cost {
    cpu_micros: f64,
    per_second: f64,
}

fn load(server: &Server, path: &str, token: &str, length: Duration) -> Cost {
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Token {token}\r\n\r\n").into_bytes();
    let (before, begin) = (server.cpu_micros(), Instant::now());
    let workers: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (address, request) = (server.address.clone(), request.clone());
            std::thread::spawn(move || hammer(&address, &request, begin + length))
        })
        .collect();
    let count: u64 = workers.into_iter().map(|worker| worker.join().unwrap()).sum();
    let count = f64::from(u32::try_from(count).unwrap());
    Cost { cpu_micros: (server.cpu_micros() - before) / count, per_second: count / begin.elapsed().as_secs_f64() }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Measures several servers in turn, so that noise affects all of them.
fn in_turn(subjects: &[(&str, &Server, &str, &str)]) -> Vec<(String, f64, f64)> {
    for (_, server, path, token) in subjects {
        load(server, path, token, Duration::from_secs(1));
    }
    let mut costs: Vec<Vec<Cost>> = subjects.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        for ((_, server, path, token), costs) in subjects.iter().zip(&mut costs) {
            costs.push(load(server, path, token, ROUND));
        }
    }
    subjects
        .iter()
        .zip(costs)
        .map(|((name, ..), costs)| {
            let cpu = median(costs.iter().map(|cost| cost.cpu_micros).collect());
            ((*name).to_owned(), cpu, median(costs.iter().map(|cost| cost.per_second).collect()))
        })
        .collect()
}

/// A CRON job that was never deployed.
fn sample(environment: &entity::environment::Model, registry: entity::id::RegistryId) -> job::Model {
    let spec = serde_json::json!({
        "description": "a job", "cpu_milli": 500, "memory_mib": 512, "max_nb_restart": 0, "max_duration_seconds": 300,
        "auto_preview": false, "auto_deploy": false, "icon_uri": "app://qovery-console/cron-job",
        "source": {"type": "IMAGE", "image_name": "library/busybox", "tag": "1.36.1", "registry_id": registry},
        "schedule": {
            "type": "CRON", "scheduled_at": "0 3 * * *", "timezone": "Etc/UTC",
            "command": {"entrypoint": "/bin/sh", "arguments": ["-c", "date"]},
        },
    });
    job::Model::new(environment, "", serde_json::from_value(spec).unwrap(), environment.created_at)
}

/// Creates an environment with this many jobs; returns the ids of one of them and of the environment.
async fn fill(url: &str, count: usize) -> (JobId, String) {
    let db = store::connect(url, 2).await.unwrap();
    let organization = store::organization::list(&db).await.unwrap().remove(0);
    let cluster = store::cluster::list_by_organization(&db, organization.id).await.unwrap().remove(0);
    let now = organization.created_at;
    let name = format!("bench {count}");
    let project = entity::project::Model::new(organization.id, name.as_str(), String::new(), now);
    let project = store::project::create(&db, project).await.unwrap();
    let environment = entity::environment::Model::new(&project, cluster.id, name, Mode::Development, now);
    let environment = store::environment::create(&db, environment).await.unwrap();
    let registry = entity::registry::Model {
        id: entity::id::RegistryId::create(),
        organization_id: organization.id,
        created_at: now,
        updated_at: now,
        name: "hub".into(),
        description: None,
        kind: entity::registry::RegistryKind::DockerHub,
        url: "https://docker.io".into(),
        config: entity::registry::RegistryConfig::default(),
        credentials: None,
    };
    let registry = store::registry::create(&db, registry).await.unwrap();
    let rows: Vec<job::Model> = (0..count)
        .map(|number| {
            let row = sample(&environment, registry.id);
            let name = format!("job {number}");
            job::Model { id: JobId::create(), name_key: name.clone(), name, ..row }
        })
        .collect();
    let first = rows[0].id;
    use sea_orm::{ActiveModelTrait as _, IntoActiveModel as _};
    for chunk in rows.chunks(1000) {
        let rows = chunk.iter().cloned().map(|row| row.into_active_model().reset_all());
        job::Entity::insert_many(rows).exec_without_returning(&db).await.unwrap();
    }
    db.close().await.unwrap();
    (first, environment.id.to_string())
}

fn start_to_first_answer(folder: &Path, url: Option<&str>, token: &str) -> f64 {
    let times = (0..5).map(|_| {
        let begin = Instant::now();
        let server = Server::windlass(folder, url);
        assert!(server.first_line_after < Duration::from_secs(10));
        let (status, _) = once(&server.address, "/organization", token);
        assert_eq!(status, 200);
        begin.elapsed().as_secs_f64() * 1000.0
    });
    median(times.collect())
}

struct Table(Vec<(String, String)>);

impl Table {
    fn row(&mut self, what: impl Into<String>, value: impl Into<String>) {
        self.0.push((what.into(), value.into()));
    }

    fn print(&self) {
        let width = self.0.iter().map(|(what, _)| what.chars().count()).max().unwrap_or(0);
        for (what, value) in &self.0 {
            println!("| {what:width$} | {value:>24} |");
        }
    }
}

async fn database(table: &mut Table, title: &str, folder: &Path, url: &str, external: Option<&str>) {
    drop(Server::windlass(folder, external));
    let token = std::fs::read_to_string(folder.join("token")).unwrap();
    let (job, small) = fill(url, 1000).await;
    let server = Server::windlass(folder, external);
    let path = format!("/job/{job}");
    let (status, answer) = once(&server.address, &path, &token);
    assert_eq!(status, 200, "{answer}");
    let body = folder.join("body");
    std::fs::write(&body, answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let own = std::env::current_exe().unwrap();
    let reference = |kind: &str| {
        let mut command = Server::pinned(own.to_str().unwrap());
        command.arg(kind).arg(&body).arg(url).arg(job.to_string());
        Server::start(&mut command, 1)
    };
    let (bare, select) = (reference("bare"), reference("select"));
    let results = in_turn(&[
        ("bare poem, same bytes", &bare, "/", ""),
        ("one SELECT through sea-orm", &select, "/", ""),
        ("GET /job/{jobId} with its token", &server, &path, &token),
    ]);
    for (name, cpu, rate) in &results {
        let (to_bare, to_select) = (cpu / results[0].1, cpu / results[1].1);
        table.row(format!("{title}: {name}"), format!("{cpu:.1} us cpu, {rate:.0}/s"));
        if name.starts_with("GET") {
            table.row(format!("{title}: ... over bare, over one SELECT"), format!("{to_bare:.2} x, {to_select:.2} x"));
        }
    }
    let list = |environment: &str| {
        let times = (0..5).map(|_| {
            let begin = Instant::now();
            let (status, text) = once(&server.address, &format!("/environment/{environment}/job"), &token);
            assert!(status == 200 && text.contains("\"results\""));
            begin.elapsed().as_secs_f64() * 1000.0
        });
        median(times.collect())
    };
    let before = server.memory_mib();
    table.row(format!("{title}: list of 1,000 jobs"), format!("{:.0} ms", list(&small)));
    let (_, large) = fill(url, 100_000).await;
    table.row(format!("{title}: list of 100,000 jobs"), format!("{:.0} ms", list(&large)));
    table.row(format!("{title}: ... memory before, after"), format!("{before:.0} MiB, {:.0} MiB", server.memory_mib()));
    drop(server);
    let first = start_to_first_answer(folder, external, &token);
    table.row(format!("{title}: start to first answer, with these rows"), format!("{first:.0} ms"));
}

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if matches!(words.first().map(String::as_str), Some("bare" | "select")) {
        return reference(&words).await;
    }
    let mut table = Table(Vec::new());
    let folder = tempfile::tempdir().unwrap();
    let server = Server::windlass(folder.path(), None);
    std::thread::sleep(Duration::from_secs(3));
    let idle = server.memory_mib();
    drop(server);
    let token = std::fs::read_to_string(folder.path().join("token")).unwrap();
    let first = start_to_first_answer(folder.path(), None, &token);
    let size = std::fs::metadata(env!("CARGO_BIN_EXE_windlass")).unwrap().len();
    table.row("binary", format!("{:.1} MB", f64::from(u32::try_from(size).unwrap()) / 1e6));
    table.row("idle memory", format!("{idle:.1} MiB"));
    table.row("start to first answer, empty SQLite", format!("{first:.0} ms"));
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("windlass.db").display());
    database(&mut table, "SQLite", folder.path(), &url, None).await;
    match std::env::var("WINDLASS_TEST_DATABASE_URL") {
        Ok(url) => {
            let folder = tempfile::tempdir().unwrap();
            database(&mut table, "PostgreSQL", folder.path(), &url, Some(&url)).await;
        }
        Err(_) => table.row("PostgreSQL", "not there, not measured"),
    }
    table.print();
}
