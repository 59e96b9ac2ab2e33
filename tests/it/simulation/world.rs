//! One simulated world: a database, an engine, several servers, jobs with random settings, and a clock that jumps.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock};

use chrono::{DateTime, TimeDelta, Utc};
use entity::deployment::{Action, Origin};
use entity::environment::Mode;
use entity::id::{EnvironmentId, JobId};
use entity::{job, job_spec, run_spec};
use futures_util::FutureExt as _;
use serde_json::{Value, json};
use windlass::access::authenticate::Authenticator;
use windlass::app::{App, Parts};
use windlass::clock::Clock;
use windlass::engine::command::{self, JobTarget};
use windlass::engine::cron::Timing;
use windlass::engine::requester::Requester;
use windlass::engine::tick;
use windlass::liveness::wake::Wake;
use windlass::runner::Runners;
use windlass::secret::KeyRing;
use windlass::{bootstrap, store};

use super::engine::{Connection, Crash, Engine, Faults};
use super::random::Random;
use super::workspaces::Workspaces;
use crate::harness::{config, start};
use crate::upgrade;

/// The number of events before the world settles.
const EVENTS: u32 = 45;

pub(super) struct Server {
    pub(super) app: Arc<App>,
    faults: Arc<Faults>,
    /// The pass that stalls.
    stalled: Option<tokio::task::JoinHandle<()>>,
}

pub(super) struct World {
    random: Random,
    folder: tempfile::TempDir,
    pub(super) now: Arc<Mutex<DateTime<Utc>>>,
    pub(super) engine: Arc<Engine>,
    pub(super) servers: Vec<Server>,
    pub(super) jobs: Vec<JobId>,
    environment: EnvironmentId,
    pub(super) workspaces: Workspaces,
    pub(super) deployed_at: DateTime<Utc>,
    log: Vec<String>,
}

/// A folder in memory, if possible.
fn folder() -> tempfile::TempDir {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

fn url(folder: &std::path::Path) -> String {
    format!("sqlite://{}?mode=rwc", folder.join("test.db").display())
}

/// A migrated database with an environment, created once.
fn template() -> &'static (Vec<u8>, Vec<u8>, EnvironmentId) {
    static TEMPLATE: OnceLock<(Vec<u8>, Vec<u8>, EnvironmentId)> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let make = async {
            let folder = folder();
            let db = store::connect(&url(folder.path()), 1).await.unwrap();
            migration::run(&db).await.unwrap();
            let now = start();
            let organization = entity::organization::Model::new("acme", now);
            let cluster = bootstrap::local_cluster(organization.id, now);
            let organization = store::organization::create(&db, organization).await.unwrap();
            let cluster = store::cluster::create(&db, cluster).await.unwrap();
            let project = entity::project::Model::new(organization.id, "p", String::new(), now);
            let project = store::project::create(&db, project).await.unwrap();
            let environment = entity::environment::Model::new(&project, cluster.id, "e", Mode::Development, now);
            let environment = store::environment::create(&db, environment).await.unwrap();
            db.close().await.unwrap();
            let key = folder.path().join("secret.key");
            drop(KeyRing::load_or_create(&key).unwrap());
            let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
            (read("test.db"), read("secret.key"), environment.id)
        };
        // On another thread, because the caller may be inside a runtime.
        std::thread::scope(|scope| {
            let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(make);
            scope.spawn(runtime).join().unwrap()
        })
    })
}

impl World {
    pub(super) async fn new(seed: u64) -> Self {
        let (database, key, environment) = template();
        let folder = folder();
        std::fs::write(folder.path().join("test.db"), database).unwrap();
        std::fs::write(folder.path().join("secret.key"), key).unwrap();
        use std::os::unix::fs::PermissionsExt as _;
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(folder.path().join("secret.key"), private).unwrap();
        let mut world = Self {
            random: Random(seed),
            folder,
            now: Arc::new(Mutex::new(start())),
            engine: Arc::default(),
            servers: Vec::new(),
            jobs: Vec::new(),
            environment: *environment,
            workspaces: Workspaces::default(),
            deployed_at: start(),
            log: Vec::new(),
        };
        for _ in 0..2 + world.random.below(4) {
            let server = world.server().await;
            world.servers.push(server);
        }
        for number in 0..1 + world.random.below(3) {
            world.add_job(number).await;
        }
        world.workspaces = Workspaces::new(&world.servers[0].app, world.environment, world.now()).await;
        world
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap()
    }

    async fn server(&self) -> Server {
        let url = url(self.folder.path());
        let config = windlass::config::Config { max_runs: 8, ..config(self.folder.path().to_owned(), &url) };
        let mut db = store::connect(&url, 1).await.unwrap();
        let faults = Arc::new(Faults::default());
        let counted = Arc::clone(&faults);
        db.set_metric_callback(move |info| {
            upgrade::record::note(info);
            counted.hit();
        });
        let now = Arc::clone(&self.now);
        let clock = Clock::from_fn(move || *now.lock().unwrap());
        let connection = Arc::new(Connection { engine: Arc::clone(&self.engine), faults: Arc::clone(&faults) });
        let app = App::from(Parts {
            keys: KeyRing::load_or_create(&config.secret_key_file()).unwrap(),
            authenticator: Authenticator::new(db.clone(), clock.clone(), None),
            lease_db: db.clone(),
            db,
            clock,
            config,
            runners: Runners {
                docker: connection.clone(),
                process: connection,
                local: Ok(windlass::runner::Target::Docker),
                processes: false,
                clusters: Default::default(),
            },
            wake: Wake::default(),
        });
        Server { app: Arc::new(app), faults, stalled: None }
    }

    async fn add_job(&mut self, number: u64) {
        let random = &mut self.random;
        let bytes: Vec<u8> = (0..16).map(|_| u8::try_from(random.below(256)).unwrap()).collect();
        let id = JobId(uuid::Builder::from_random_bytes(bytes.try_into().unwrap()).into_uuid());
        let settings = json!({
            "cronjob.concurrency_policy": random.one_of(&["Forbid", "Replace", "Queue"]),
            "cronjob.missed_runs": random.one_of(&["none", "latest", "all"]),
            "cronjob.missed_runs_limit": 3,
            "cronjob.jitter_seconds": random.one_of(&[0, 0, 45]),
            "cronjob.starting_deadline_seconds": random.one_of(&[Value::Null, Value::Null, json!(100)].map(|v| v.as_i64())),
            "job.retry_backoff_seconds": random.one_of(&[0, 5]),
        });
        let settings: BTreeMap<String, Value> = serde_json::from_value(settings).unwrap();
        let settings = settings.into_iter().filter(|(_, value)| !value.is_null()).collect::<BTreeMap<_, _>>();
        let spec = json!({
            "cpu_milli": 100, "memory_mib": 64, "max_nb_restart": random.one_of(&[0, 1]), "auto_preview": false,
            "max_duration_seconds": random.one_of(&[0, 0, 120]), "auto_deploy": false, "icon_uri": "x",
            "settings": settings,
            "source": {"type": "DOCKER", "dockerfile_raw": "FROM scratch"},
            "schedule": {"type": "CRON", "scheduled_at": random.one_of(&["* * * * *", "*/2 * * * *", "1-59/3 * * * *"]),
                "timezone": "Europe/Paris", "command": {"entrypoint": "x"}},
        });
        let spec: job_spec::JobSpec = serde_json::from_value(spec).unwrap();
        let timing = Timing::of(id, &spec).unwrap().unwrap();
        let db = &self.servers[0].app.db;
        let environment = store::environment::by_id(db, self.environment).await.unwrap().unwrap();
        let now = *self.now.lock().unwrap();
        let row = job::Model {
            id,
            deployed: Some(spec.clone()),
            deployed_at: Some(now),
            built: Some(run_spec::BuiltImage { image: "built:1".into(), commit: None }),
            ..job::Model::new(&environment, &format!("job {number}"), spec, now)
        };
        store::job::create(db, row).await.unwrap();
        store::job_schedule::set(db, id, timing.next(now)).await.unwrap();
        self.jobs.push(id);
    }

    /// Runs random events.
    pub(super) async fn live(&mut self) {
        for _ in 0..EVENTS {
            self.event().await;
        }
    }

    async fn event(&mut self) {
        let server = usize::try_from(self.random.below(self.servers.len() as u64)).unwrap();
        match self.random.below(24) {
            0..=9 => self.pass(server).await,
            10..=13 => {
                let seconds = self.random.one_of(&[1, 7, 20, 59, 61, 130, 700]);
                *self.now.lock().unwrap() += TimeDelta::seconds(seconds);
                self.log.push(format!("+{seconds}s"));
            }
            14..=17 => self.step_of_a_run(),
            18 => {
                let down = self.random.below(3) == 0;
                *self.engine.down.lock().unwrap() = down;
                self.log.push(format!("engine down: {down}"));
            }
            19 => self.redeploy(server).await,
            _ if self.servers[server].stalled.is_some() => {}
            _ => {
                let (app, choice) = (Arc::clone(&self.servers[server].app), self.random.below(100));
                let event = self.workspaces.event(&app, choice, self.now()).await;
                self.log.push(event);
            }
        }
    }

    /// Runs a pass of a server, which may crash or stall.
    async fn pass(&mut self, server: usize) {
        if self.servers[server].stalled.is_some() {
            self.go_on(server).await;
            return;
        }
        let which = self.random.below(10);
        let (crash, stall) = match self.random.below(8) {
            0..=2 => (1 + self.random.below(25), 0),
            3 => (0, 1 + self.random.below(6)),
            _ => (0, 0),
        };
        let faults = Arc::clone(&self.servers[server].faults);
        faults.crash_in.store(i64::try_from(crash).unwrap(), Ordering::SeqCst);
        faults.stall_in.store(i64::try_from(stall).unwrap(), Ordering::SeqCst);
        self.log.push(format!("server {server} pass {which} crash {crash} stall {stall}"));
        let (app, now) = (Arc::clone(&self.servers[server].app), self.now());
        let pass = async move {
            match which {
                0..=3 => drop(tick::plan(&app, now).await),
                4..=8 => drop(tick::work(&app, now).await),
                _ => drop(tick::prune(&app, now).await),
            }
        };
        let mut task = tokio::spawn(AssertUnwindSafe(pass).catch_unwind().map(|ended| {
            if let Err(why) = ended
                && !why.is::<Crash>()
            {
                std::panic::resume_unwind(why);
            }
        }));
        loop {
            tokio::select! {
                biased;
                ended = &mut task => {
                    ended.unwrap();
                    break;
                }
                () = tokio::time::sleep(std::time::Duration::from_micros(200)) => {
                    if faults.stalled.load(Ordering::SeqCst) == 1 {
                        self.servers[server].stalled = Some(task);
                        return;
                    }
                }
            }
        }
        self.replace_if_dead(server, crash).await;
    }

    async fn replace_if_dead(&mut self, server: usize, crash: u64) {
        let left = self.servers[server].faults.crash_in.swap(0, Ordering::SeqCst);
        self.servers[server].faults.stall_in.store(0, Ordering::SeqCst);
        if crash > 0 && left == 0 {
            self.log.push(format!("server {server} crashed"));
            self.servers[server] = self.server().await;
        }
    }

    /// Resumes a stalled pass.
    async fn go_on(&mut self, server: usize) {
        let Some(task) = self.servers[server].stalled.take() else { return };
        self.log.push(format!("server {server} resumes"));
        self.servers[server].faults.go_on.notify_one();
        task.await.unwrap();
    }

    fn step_of_a_run(&mut self) {
        let running = self.engine.running();
        if running.is_empty() {
            return;
        }
        // By number, because names contain ids that differ between runs of a seed.
        let place = usize::try_from(self.random.below(running.len() as u64)).unwrap();
        let text = format!("line {}", self.log.len());
        self.engine.write(&running[place], &text, self.now());
        if self.random.below(3) > 0 {
            let code = self.random.one_of(&[0, 0, 1]);
            self.engine.exit(&running[place], code);
        }
        self.log.push(format!("step {place} of {} writes", running.len()));
    }

    /// Deploys a job with the same configuration: its schedule continues.
    async fn redeploy(&mut self, server: usize) {
        if self.servers[server].stalled.is_some() {
            return;
        }
        let place = usize::try_from(self.random.below(self.jobs.len() as u64)).unwrap();
        let app = &self.servers[server].app;
        let job = store::job::by_id(&app.db, self.jobs[place]).await.unwrap().unwrap();
        let by = Requester { name: "somebody".into(), origin: Origin::Api, user_agent: None };
        // The deployment runs a build first, and fails if the build fails.
        let asked = command::request_jobs(app, &by, self.environment, vec![JobTarget::from(job)], Action::Deploy).await;
        self.log.push(format!("deploy job {place}: {}", asked.is_ok()));
    }

    /// Stops all faults and ticks until everything has ended.
    pub(super) async fn settle(&mut self) {
        *self.engine.down.lock().unwrap() = false;
        for server in 0..self.servers.len() {
            self.go_on(server).await;
        }
        for round in 0..120 {
            for server in &self.servers {
                let now = self.now();
                while tick::plan(&server.app, now).await.more {}
                tick::work(&server.app, now).await;
            }
            self.workspaces.approve_all(&self.servers[0].app, self.now()).await;
            for name in self.engine.running() {
                self.engine.write(&name, "the end", self.now());
                self.engine.exit(&name, 0);
            }
            // Before the clock moves, so that no scheduled time is left without a pass.
            let open = store::run::count_open(&self.servers[0].app.db).await.unwrap();
            let waiting = self.workspaces.open(&self.servers[0].app).await;
            if open == 0 && waiting == 0 && round > 12 && self.engine.running().is_empty() {
                break;
            }
            if round % 3 == 2 {
                // Lets leases expire and pauses end, in steps that pass no scheduled time unseen.
                *self.now.lock().unwrap() += TimeDelta::seconds(10);
            }
        }
        for server in &self.servers {
            while tick::plan(&server.app, self.now()).await.more {}
        }
    }

    /// The events, which are the same each time a seed is run.
    pub(super) fn trace(&self) -> String {
        self.log.join("\n")
    }
}
