//! One simulated world: a database, an engine, several servers, jobs with random settings, and a clock that jumps.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use entity::deployment::{Action, Origin};
use entity::id::{EnvironmentId, JobId};
use entity::{job, job_spec, job_variables, run, run_spec};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use serde_json::{Value, json};
use windlass::access::authenticate::Authenticator;
use windlass::app::{App, Parts};
use windlass::clock::Clock;
use windlass::engine::command::{self, JobTarget};
use windlass::engine::cron::Timing;
use windlass::engine::requester::Requester;
use windlass::engine::tick::{self, Visitors};
use windlass::liveness::wake::Wake;
use windlass::runner::Runners;
use windlass::runner::agent::Agents;
use windlass::secret::KeyRing;
use windlass::store;

use super::company::Company;
use super::database::{Database, Kind};
use super::engine::{Connection, Engine, Faults};
use super::random::Random;
use super::workspaces::Workspaces;
use crate::harness::{config, start};
use crate::upgrade;

/// The number of events before the world settles.
const EVENTS: u32 = 45;

pub(super) struct Server {
    pub(super) app: Arc<App>,
    pub(super) faults: Arc<Faults>,
    /// The pass that stalls.
    pub(super) stalled: Option<tokio::task::JoinHandle<Visitors>>,
    /// The visits that were begun by passes that have ended: at most one that stalls.
    pub(super) visitors: Visitors,
}

impl Server {
    /// Whether a visit stalls, beside which all passes go on.
    pub(super) fn is_visiting(&self) -> bool {
        self.stalled.is_none() && self.faults.stalled.load(Ordering::SeqCst) == 1
    }
}

pub(super) struct World {
    pub(super) random: Random,
    database: Database,
    pub(super) now: Arc<Mutex<DateTime<Utc>>>,
    pub(super) engine: Arc<Engine>,
    pub(super) servers: Vec<Server>,
    pub(super) jobs: Vec<JobId>,
    environment: EnvironmentId,
    /// The jobs that cannot run.
    pub(super) spoiled: Vec<JobId>,
    pub(super) workspaces: Workspaces,
    pub(super) deployed_at: DateTime<Utc>,
    /// The periods that the clock was set back over: after the first time, up to the second.
    pub(super) set_back: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    /// The writers beside the passes, in worlds that have them.
    pub(super) company: Option<Arc<Company>>,
    pub(super) log: Vec<String>,
}

impl World {
    pub(super) async fn new(seed: u64, kind: Kind) -> Self {
        let (database, environment) = Database::create(kind).await;
        let mut world = Self {
            random: Random(seed),
            database,
            now: Arc::new(Mutex::new(start())),
            engine: Arc::default(),
            servers: Vec::new(),
            jobs: Vec::new(),
            environment,
            workspaces: Workspaces::default(),
            deployed_at: start(),
            spoiled: Vec::new(),
            set_back: Vec::new(),
            company: (seed % 4 == 1 && kind == Kind::Sqlite).then(Arc::default),
            log: Vec::new(),
        };
        for _ in 0..2 + world.random.below(4) {
            let server = world.server().await;
            world.servers.push(server);
        }
        for number in 0..1 + world.random.below(3) {
            world.add_job(number).await;
        }
        world.spoil().await;
        world.workspaces = Workspaces::new(&world.servers[0].app, world.environment, world.now()).await;
        world
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap()
    }

    pub(super) async fn server(&self) -> Server {
        let url = self.database.url();
        let config = windlass::config::Config { max_runs: 8, ..config(self.database.folder(), &url) };
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
        let keys = KeyRing::load_or_create(&config.secret_key_file()).unwrap();
        let wake = Wake::default();
        let app = App::from(Parts {
            runners: Runners {
                agents: Agents::new(db.clone(), keys.clone(), clock.clone(), wake.clone()),
                docker: connection.clone(),
                process: connection,
                local: Ok(windlass::runner::Target::Docker),
                processes: false,
                clusters: Default::default(),
            },
            authenticator: Authenticator::new(db.clone(), keys.clone(), clock.clone(), None),
            keys,
            lease_db: db.clone(),
            db,
            clock,
            config,
            wake,
        });
        Server { app: Arc::new(app), faults, stalled: None, visitors: Visitors::default() }
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

    /// Makes rows fail in some worlds: a job whose steps no engine starts, and one whose variables cannot be opened.
    async fn spoil(&mut self) {
        let (first, last) = (self.jobs[0], self.jobs[self.jobs.len() - 1]);
        if self.random.below(4) == 0 {
            self.engine.refused.lock().unwrap().push(first.to_string());
            self.spoiled.push(first);
            self.log.push("the engine refuses the first job".into());
        }
        if self.random.below(4) == 0 {
            let row = job_variables::Model { job_id: last, created_at: self.now(), sealed: b"of another key".to_vec() };
            store::write(&self.servers[0].app.db, async |tx| store::variable::keep(tx, row).await).await.unwrap();
            self.spoiled.push(last);
            self.log.push("the variables of the last job cannot be opened".into());
        }
    }

    /// Runs random events.
    pub(super) async fn live(&mut self) {
        for _ in 0..EVENTS {
            self.event().await;
        }
    }

    async fn event(&mut self) {
        let server = usize::try_from(self.random.below(self.servers.len() as u64)).unwrap();
        match self.random.below(30) {
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
            20..=21 => self.heartbeat(server).await,
            22 => self.jump(),
            23 => {
                let broken = self.random.below(3) == 0;
                *self.engine.broken.lock().unwrap() = broken;
                self.log.push(format!("no step can be started: {broken}"));
            }
            24..=25 => self.cancel().await,
            _ if self.servers[server].stalled.is_some() => {}
            _ => {
                let (app, choice) = (Arc::clone(&self.servers[server].app), self.random.below(100));
                let event = self.workspaces.event(&app, choice, self.now()).await;
                self.log.push(event);
            }
        }
    }

    /// Renews the lease of a server, also while one of its passes stalls: the heartbeat is a loop of its own.
    async fn heartbeat(&mut self, server: usize) {
        let renewed = tick::renew(&self.servers[server].app).await;
        self.log.push(format!("server {server} renews its lease: {}", renewed.is_ok()));
    }

    /// Sets the clock forward or back, as an administrator or a time server may.
    fn jump(&mut self) {
        let seconds = self.random.one_of(&[7_200, 3_600, -7_200, -3_600, -90]);
        let mut now = self.now.lock().unwrap();
        let from = *now;
        *now += TimeDelta::seconds(seconds);
        if *now < from {
            self.set_back.push((*now, from));
        }
        self.log.push(format!("the clock is set {seconds:+}s"));
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
        // Any news may be lost.
        for server in &self.servers {
            if self.random.below(2) == 0 {
                server.app.wake.step(&running[place]);
            }
        }
        self.log.push(format!("step {place} of {} writes", running.len()));
    }

    /// Cancels an open run.
    async fn cancel(&mut self) {
        let db = &self.servers[0].app.db;
        let open = run::Entity::find().filter(run::Column::State.is_in(["QUEUED", "RUNNING"]));
        let open = open.order_by_asc(run::Column::Number).all(db).await.unwrap();
        if open.is_empty() {
            return;
        }
        // By number, as in `step_of_a_run`.
        let place = usize::try_from(self.random.below(open.len() as u64)).unwrap();
        store::run::cancel::request_cancel(db, open[place].id, self.now()).await.unwrap();
        self.log.push(format!("run {} is cancelled", open[place].number));
    }

    /// Deploys a job with the same configuration: its schedule continues.
    async fn redeploy(&mut self, server: usize) {
        if self.servers[server].stalled.is_some() {
            return;
        }
        let place = usize::try_from(self.random.below(self.jobs.len() as u64)).unwrap();
        let app = &self.servers[server].app;
        let job = store::job::by_id(&app.db, self.jobs[place]).await.unwrap().unwrap();
        let by = Requester { name: "somebody".into(), email: None, origin: Origin::Api, user_agent: None };
        // The deployment runs a build first, and fails if the build fails.
        let asked = command::request_jobs(app, &by, self.environment, vec![JobTarget::from(job)], Action::Deploy).await;
        self.log.push(format!("deploy job {place}: {}", asked.is_ok()));
    }

    pub(super) async fn remove(&self) {
        for server in &self.servers {
            server.app.db.clone().close().await.unwrap();
        }
        self.database.remove().await;
    }

    /// The events, which are the same each time a seed is run.
    pub(super) fn trace(&self) -> String {
        self.log.join("\n")
    }
}
