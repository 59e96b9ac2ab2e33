//! One simulated world: a database, an engine, some servers, jobs with random settings, and a clock that jumps.

use entity::job_spec;
use entity::run_spec;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock};

use chrono::{DateTime, TimeDelta, Utc};
use entity::deployment::{Action, Origin};
use entity::environment::Mode;
use entity::id::{EnvironmentId, JobId};
use entity::run::RunState;
use entity::{deployment, job, run, skipped_time};
use futures_util::FutureExt as _;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde_json::{Value, json};
use windlass::access::authenticate::Authenticator;
use windlass::app::{App, Parts};
use windlass::clock::Clock;
use windlass::engine::command::{self, Target};
use windlass::engine::cron::policy::Timing;
use windlass::engine::requester::Requester;
use windlass::engine::tick;
use windlass::liveness::wake::Wake;
use windlass::runner::Runners;
use windlass::secret::KeyRing;
use windlass::{bootstrap, store};

use super::engine::{Crash, Engine, Faults, Way};
use super::workspaces::Workspaces;
use crate::harness::{config, start};

/// How many things happen before everything is let come to rest.
const EVENTS: u32 = 45;

/// A small generator: the same numbers for the same seed, on every machine.
pub(super) struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % limit
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }
}

struct Server {
    app: Arc<App>,
    faults: Arc<Faults>,
    /// A pass that stalls.
    stalled: Option<tokio::task::JoinHandle<()>>,
}

pub(super) struct World {
    random: Random,
    folder: tempfile::TempDir,
    now: Arc<Mutex<DateTime<Utc>>>,
    engine: Arc<Engine>,
    servers: Vec<Server>,
    jobs: Vec<JobId>,
    environment: EnvironmentId,
    workspaces: Workspaces,
    deployed_at: DateTime<Utc>,
    log: Vec<String>,
}

/// A folder in memory, where there is one: nothing of it has to last.
fn folder() -> tempfile::TempDir {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

fn url(folder: &std::path::Path) -> String {
    format!("sqlite://{}?mode=rwc", folder.join("test.db").display())
}

/// A migrated database with an environment in it, made once.
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
        // On a thread of its own: the caller may be inside a runtime.
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

    fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap()
    }

    async fn server(&self) -> Server {
        let url = url(self.folder.path());
        let config = windlass::config::Config { max_runs: 8, ..config(self.folder.path().to_owned(), &url) };
        let mut db = store::connect(&url, 1).await.unwrap();
        let faults = Arc::new(Faults::default());
        let counted = Arc::clone(&faults);
        db.set_metric_callback(move |_| counted.hit());
        let now = Arc::clone(&self.now);
        let clock = Clock::from_fn(move || *now.lock().unwrap());
        let way = Arc::new(Way { engine: Arc::clone(&self.engine), faults: Arc::clone(&faults) });
        let app = App::from(Parts {
            keys: KeyRing::load_or_create(&config.secret_key_file()).unwrap(),
            authenticator: Authenticator::new(db.clone(), clock.clone(), None),
            db,
            clock,
            config,
            runners: Runners {
                docker: way.clone(),
                process: way,
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

    /// Lets things happen.
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
                let said = self.workspaces.event(&app, choice, self.now()).await;
                self.log.push(said);
            }
        }
    }

    /// A pass of a server, which may die or stall in it.
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
            self.log.push(format!("server {server} died"));
            self.servers[server] = self.server().await;
        }
    }

    /// A server that stalled goes on where it was, whatever has happened since.
    async fn go_on(&mut self, server: usize) {
        let Some(task) = self.servers[server].stalled.take() else { return };
        self.log.push(format!("server {server} goes on"));
        self.servers[server].faults.go_on.notify_one();
        task.await.unwrap();
    }

    fn step_of_a_run(&mut self) {
        let running = self.engine.running();
        if running.is_empty() {
            return;
        }
        // By number: names hold ids that differ between runs of the same seed.
        let place = usize::try_from(self.random.below(running.len() as u64)).unwrap();
        let text = format!("line {}", self.log.len());
        self.engine.write(&running[place], &text, self.now());
        if self.random.below(3) > 0 {
            let code = self.random.one_of(&[0, 0, 1]);
            self.engine.exit(&running[place], code);
        }
        self.log.push(format!("step {place} of {} writes", running.len()));
    }

    /// The same configuration again: times go on as they were.
    async fn redeploy(&mut self, server: usize) {
        if self.servers[server].stalled.is_some() {
            return;
        }
        let place = usize::try_from(self.random.below(self.jobs.len() as u64)).unwrap();
        let app = &self.servers[server].app;
        let job = store::job::by_id(&app.db, self.jobs[place]).await.unwrap().unwrap();
        let by = Requester { name: "somebody".into(), origin: Origin::Api, user_agent: None };
        // Built from a Dockerfile: the deployment runs a build first, and fails where that fails.
        let asked = command::request_jobs(app, &by, self.environment, vec![Target::from(job)], Action::Deploy).await;
        self.log.push(format!("deploy job {place}: {}", asked.is_ok()));
    }

    /// No more faults: everything is given the time that it needs.
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
            // Before the clock moves: no time comes that nobody looks at.
            let open = store::run::count_open(&self.servers[0].app.db).await.unwrap();
            let waiting = self.workspaces.open(&self.servers[0].app).await;
            if open == 0 && waiting == 0 && round > 12 && self.engine.running().is_empty() {
                break;
            }
            if round % 3 == 2 {
                // Leases run out, pauses end; and no time of a schedule is left behind by it.
                *self.now.lock().unwrap() += TimeDelta::seconds(10);
            }
        }
        for server in &self.servers {
            while tick::plan(&server.app, self.now()).await.more {}
        }
    }

    pub(super) async fn check(&self) -> Result<(), String> {
        let db = &self.servers[0].app.db;
        self.check_times().await?;
        let started = self.engine.started.lock().unwrap().clone();
        let once: BTreeSet<&String> = started.iter().collect();
        if once.len() != started.len() {
            return Err(format!("a step was started twice: {started:?}"));
        }
        let runs = run::Entity::find().all(db).await.unwrap();
        let overlapped = self.engine.overlapped.lock().unwrap().clone();
        for job in &overlapped {
            // Of a run that was given up nobody knows whether it goes on.
            let given_up = |run: &run::Model| run.reason.as_ref().is_some_and(|reason| reason.contains("lost"));
            let of = |run: &run::Model| match run.job_id {
                Some(id) => id.to_string() == *job,
                None => self.workspaces.is(job),
            };
            if !runs.iter().any(|run| of(run) && given_up(run)) {
                return Err(format!("two runs of job {job} were running at once"));
            }
        }
        for run in runs {
            if run.attempt > run.spec.max_nb_restart + 1 {
                return Err(format!("run {} had {} attempts", run.number, run.attempt));
            }
            self.check_log(&run).await?;
        }
        self.workspaces.check(&self.servers[0].app).await?;
        let open = deployment::Column::Progress.is_in(["QUEUED", "RUNNING"]);
        let stuck = deployment::Entity::find().filter(open).all(db).await.unwrap();
        if stuck.is_empty() { Ok(()) } else { Err(format!("{} deployments never end", stuck.len())) }
    }

    /// Every time of every schedule has one row, and nothing else has one.
    async fn check_times(&self) -> Result<(), String> {
        let db = &self.servers[0].app.db;
        for id in &self.jobs {
            let job = store::job::by_id(db, *id).await.unwrap().unwrap();
            let timing = Timing::of(*id, &job.spec).unwrap().unwrap();
            let now = self.now();
            let times = std::iter::successors(timing.next(self.deployed_at), |time| timing.next(*time));
            let expected: BTreeSet<_> = times.take_while(|time| *time <= now).collect();
            let mut rows: HashMap<DateTime<Utc>, u32> = HashMap::new();
            let runs = run::Entity::find().filter(run::Column::JobId.eq(*id)).all(db).await.unwrap();
            for at in runs.iter().filter_map(|run| run.scheduled_for) {
                *rows.entry(at).or_default() += 1;
            }
            let skipped =
                skipped_time::Entity::find().filter(skipped_time::Column::JobId.eq(*id)).all(db).await.unwrap();
            for row in &skipped {
                for at in expected.iter().filter(|at| (row.scheduled_for..=row.through).contains(at)) {
                    *rows.entry(*at).or_default() += 1;
                }
            }
            if let Some(at) = expected.iter().find(|at| rows.get(at) != Some(&1)) {
                return Err(format!("{at} of {} has {:?} rows", job.name, rows.get(at)));
            }
            if let Some(at) = rows.keys().find(|at| !expected.contains(at)) {
                return Err(format!("{at} is no time of {}, and has a row", job.name));
            }
            let next = store::job_schedule::of_job(db, *id).await.unwrap();
            if next.is_none_or(|next| next <= now) {
                return Err(format!("{} is not scheduled any more: {next:?} at {now}", job.name));
            }
        }
        Ok(())
    }

    /// What a run has stored is what its steps wrote, as far as it could be read.
    async fn check_log(&self, run: &run::Model) -> Result<(), String> {
        if !run.state.is_final() {
            return Err(format!("run {} never ends: {:?}", run.number, run.state));
        }
        if run.event == run::Event::Build {
            // One that is begun again says things again.
            return Ok(());
        }
        let db = &self.servers[0].app.db;
        let stored = store::log_chunk::list_by_run(db, run.id, 0).await.unwrap();
        let stored: Vec<&str> = stored.iter().map(|line| line.text.as_str()).collect();
        let written = self.engine.written.lock().unwrap().clone();
        let steps = (1..=run.attempt).filter_map(|attempt| written.get(&tick::step_name(run.id, attempt)));
        let expected: Vec<&str> = steps.flatten().map(String::as_str).collect();
        let lost = run.reason.as_ref().is_some_and(|reason| reason.contains("log") || reason.contains("lost"));
        if stored == expected || (lost && expected.starts_with(&stored)) || run.state == RunState::Cancelled {
            return Ok(());
        }
        Err(format!("run {} ({:?}) stored {stored:?} of {expected:?}", run.number, run.reason))
    }

    /// What happened, without what differs between two runs of a seed.
    pub(super) fn trace(&self) -> String {
        self.log.join("\n")
    }
}
