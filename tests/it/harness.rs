//! An App with a database of its own, and a client that validates every response against the contract.

mod client;
mod migrated;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::OrganizationId;
use entity::member::Role;
use poem::{EndpointExt as _, IntoEndpoint as _};
use serde_json::{Value, json};
use tempfile::TempDir;
use windlass::access::authenticate::Authenticator;
use windlass::access::code_flow::CodeFlow;
use windlass::access::jwt::{Addresses, Verifier};
use windlass::app::{App, Parts};
use windlass::clock::Clock;
use windlass::config::{Config, LocalCluster, LogFormat, RunnerChoice};
use windlass::engine::tick;
use windlass::liveness::wake::Wake;
use windlass::observe::metrics::Metrics;
use windlass::runner::agent::Agents;
use windlass::runner::{Runners, Target};
use windlass::secret::{KeyRing, Secret};
use windlass::{api, bootstrap, store};

pub(crate) use self::client::{Answer, Client, id};
pub(crate) use self::migrated::{administer, copy_on_postgres, database_with_schema};
use super::fake::FakeRunner;
use super::upgrade;

/// The database connections of a server.
const CONNECTIONS: u32 = 4;

/// The time at which every test starts.
pub(crate) fn start() -> DateTime<Utc> {
    "2026-11-22T10:00:30Z".parse().unwrap()
}

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub(crate) struct Hands(Arc<Mutex<DateTime<Utc>>>);

impl Hands {
    pub(crate) fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }

    pub(crate) fn set(&self, time: &str) {
        *self.0.lock().unwrap() = time.parse().unwrap();
    }

    pub(crate) fn forward(&self, seconds: i64) {
        *self.0.lock().unwrap() += TimeDelta::seconds(seconds);
    }
}

pub(crate) struct TestApp {
    pub(crate) app: Arc<App>,
    pub(crate) clock: Hands,
    pub(crate) runner: Arc<FakeRunner>,
    pub(crate) url: String,
    verifier: Option<(String, String)>,
    folder: Arc<TempDir>,
    statements: Arc<AtomicUsize>,
    changes: Arc<AtomicUsize>,
}

/// Asks again and again until there is a result; panics after 30 seconds.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> impl Future<Output = T> {
    let caller = std::panic::Location::caller();
    async move {
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            assert!(std::time::Instant::now() < deadline, "{caller}: waited in vain for {what}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The URL of a new, empty database; one of SQLite is in the folder, as `test.db`.
pub(crate) async fn database(folder: &TempDir) -> String {
    let name = format!("test_{}", uuid::Uuid::now_v7().simple());
    let Some(url) = database_url(&name) else {
        return format!("sqlite://{}?mode=rwc", folder.path().join("test.db").display());
    };
    administer(&format!("CREATE DATABASE {name}")).await;
    url
}

/// The URL of a database by its name, on the PostgreSQL server of the tests.
pub(crate) fn database_url(name: &str) -> Option<String> {
    let server = std::env::var("WINDLASS_TEST_DATABASE_URL").ok()?;
    let (base, _) = server.rsplit_once('/')?;
    Some(format!("{base}/{name}"))
}

pub(crate) fn config(data_dir: PathBuf, url: &str) -> Config {
    Config {
        in_cluster: false,
        workspaces_in_clusters: false,
        listen: "127.0.0.1:0".parse().unwrap(),
        tls_certificate: None,
        tls_key: None,
        behind_tls_proxy: false,
        max_connections: 4096,
        max_connections_per_address: 1024,
        metrics_per_job: 0,
        header_timeout_seconds: 10,
        idle_timeout_seconds: 120,
        body_timeout_seconds: 30,
        body_bytes_per_second: 1024,
        send_timeout_seconds: 60,
        public_url: Some("https://windlass.example/".into()),
        cors_origins: Vec::new(),
        data_dir,
        process_dir: None,
        process_user: None,
        database_url: Some(url.to_owned()),
        database_connections: CONNECTIONS,
        oidc_issuer: None,
        oidc_audience: None,
        oidc_assume_email_verified: false,
        oidc_client_id: None,
        oidc_client_secret: None,
        oidc_device_client_id: None,
        session_hours: 12,
        organization_creators: Vec::new(),
        organization_plan: "ENTERPRISE".into(),
        local_cluster: LocalCluster::Auto,
        token_days: 365,
        secret_key_file: None,
        secret_keys: None,
        secret_key_command: None,
        supervisor: Some(env!("CARGO_BIN_EXE_windlass").into()),
        runner: RunnerChoice::Auto,
        docker_host: None,
        tools: None,
        step_url: None,
        terraform_image: "hashicorp/terraform".into(),
        opentofu_image: "ghcr.io/opentofu/opentofu".into(),
        local_repositories: false,
        max_runs: 16,
        start_timeout_seconds: 300,
        stop_grace_seconds: 10,
        shutdown_grace_seconds: 60,
        queue_timeout_seconds: 86_400,
        lost_timeout_seconds: 900,
        log_mib: 64,
        state_lock_timeout_seconds: 300,
        skipped_days: 90,
        deployment_days: 365,
        event_days: 365,
        webhook_delivery_days: 30,
        workspace_job_days: 365,
        approval_days: 7,
        state_version_days: 365,
        module_refresh_minutes: 60,
        registry_file_mib: 8,
        registry_organization_mib: 16,
        webhook_private_addresses: false,
        heartbeat_url: None,
        heartbeat_seconds: 60,
        auto_deploy_seconds: 300,
        otlp_endpoint: None,
        log: "off".into(),
        log_format: LogFormat::Text,
    }
}

impl TestApp {
    pub(crate) async fn new() -> Self {
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let url = database_with_schema(&folder).await;
        Self::on(folder, url, Hands(Arc::new(Mutex::new(start()))), Arc::new(FakeRunner::default()), None, CONNECTIONS)
            .await
    }

    /// With a single database connection: code that takes a second one inside a transaction times out.
    pub(crate) async fn with_one_connection() -> Self {
        let first = Self::new().await;
        first.app.db.clone().close().await.unwrap();
        Self::on(first.folder, first.url, first.clock, first.runner, None, 1).await
    }

    /// Accepts JWTs of this issuer for this audience.
    pub(crate) async fn with_oidc(issuer: &str, audience: &str) -> Self {
        let first = Self::new().await;
        let oidc = Some((issuer.to_owned(), audience.to_owned()));
        Self::on(first.folder, first.url, first.clock, first.runner, oidc, CONNECTIONS).await
    }

    /// With other settings.
    pub(crate) async fn configured(change: impl FnOnce(&mut Config)) -> Self {
        Self::new().await.reconfigured(change)
    }

    /// The same with other settings, before it is used.
    pub(crate) fn reconfigured(self, change: impl FnOnce(&mut Config)) -> Self {
        let Ok(mut app) = Arc::try_unwrap(self.app) else { panic!("nobody else has it yet") };
        change(&mut app.config);
        app.metrics = Metrics::with_jobs(app.config.metrics_per_job);
        Self { app: Arc::new(app), ..self }
    }

    /// The same without an engine for its runs, for a reason, before it is used.
    pub(crate) fn without_engine(self, reason: &str) -> Self {
        let Ok(mut app) = Arc::try_unwrap(self.app) else { panic!("nobody else has it yet") };
        app.runners.local = Err(reason.to_owned());
        Self { app: Arc::new(app), ..self }
    }

    /// The same whose steps are processes of this machine, before it is used.
    pub(crate) fn with_processes(self) -> Self {
        let Ok(mut app) = Arc::try_unwrap(self.app) else { panic!("nobody else has it yet") };
        (app.runners.local, app.runners.processes) = (Ok(Target::Process), true);
        Self { app: Arc::new(app), ..self }
    }

    /// The same whose console signs people in as a client of its issuer, before it is used.
    pub(crate) fn with_console_client(self, client_id: &str, secret: &str) -> Self {
        let Ok(mut app) = Arc::try_unwrap(self.app) else { panic!("nobody else has it yet") };
        let flow = CodeFlow { client_id: client_id.into(), client_secret: Some(Secret::new(secret.into())) };
        app.authenticator = app.authenticator.with_code_flow(Some(flow));
        Self { app: Arc::new(app), ..self }
    }

    /// Webhooks may call this machine.
    pub(crate) async fn with_private_webhooks() -> Self {
        Self::configured(|config| config.webhook_private_addresses = true).await
    }

    async fn on(
        folder: Arc<TempDir>,
        url: String,
        clock: Hands,
        runner: Arc<FakeRunner>,
        oidc: Option<(String, String)>,
        connections: u32,
    ) -> Self {
        let config = Config { database_connections: connections, ..config(folder.path().to_owned(), &url) };
        let keys = KeyRing::load_or_create(&config.secret_key_file()).unwrap();
        let mut db = store::connect(&url, connections).await.unwrap();
        let statements = Arc::new(AtomicUsize::new(0));
        let (counter, renewals) = (statements.clone(), statements.clone());
        let changes = Arc::new(AtomicUsize::new(0));
        let changed = changes.clone();
        // After the migrations, whose statements belong to no release.
        migration::run(&db).await.unwrap();
        db.set_metric_callback(move |info| {
            counter.fetch_add(1, Ordering::SeqCst);
            if ["INSERT", "UPDATE", "DELETE", "WITH v "].iter().any(|verb| info.statement.sql.starts_with(verb)) {
                changed.fetch_add(1, Ordering::SeqCst);
            }
            upgrade::record::note(info);
        });
        let mut lease_db = store::connect(&url, 1).await.unwrap();
        lease_db.set_metric_callback(move |info| {
            renewals.fetch_add(1, Ordering::SeqCst);
            upgrade::record::note(info);
        });
        let hands = clock.clone();
        let read = Clock::from_fn(move || hands.now());
        let verifier =
            oidc.as_ref().map(|(issuer, audience)| Verifier::new(issuer, audience, Addresses::Verified).unwrap());
        let authenticator = Authenticator::new(db.clone(), keys.clone(), read.clone(), verifier);
        let wake = Wake::default();
        let runners = Runners {
            docker: runner.clone(),
            process: runner.clone(),
            local: Ok(Target::Docker),
            processes: false,
            clusters: Default::default(),
            agents: Agents::new(db.clone(), keys.clone(), read.clone(), wake.clone()),
        };
        let app = Arc::new(App::from(Parts { db, lease_db, clock: read, config, keys, runners, authenticator, wake }));
        Self { app, clock, runner, url, verifier: oidc, folder, statements, changes }
    }

    /// Another server with the same database and runner, as after a crash of this one.
    pub(crate) async fn restarted(&self) -> Self {
        let (folder, url, clock) = (self.folder.clone(), self.url.clone(), self.clock.clone());
        let connections = self.app.config.database_connections;
        Self::on(folder, url, clock, self.runner.clone(), self.verifier.clone(), connections).await
    }

    /// The number of statements sent to the database.
    pub(crate) fn statements(&self) -> usize {
        self.statements.load(Ordering::SeqCst)
    }

    /// The number of statements that may have changed rows, without renewals of the lease.
    pub(crate) fn changes(&self) -> usize {
        self.changes.load(Ordering::SeqCst)
    }

    /// One tick of the engine at the current time.
    pub(crate) async fn tick(&self) {
        while tick::tick(&self.app, self.clock.now()).await.more {}
    }

    /// Ticks until nothing changes, without moving the clock.
    pub(crate) async fn settle(&self) {
        for _ in 0..4 {
            self.tick().await;
        }
    }

    pub(crate) fn client(&self, authorization: Option<String>) -> Client {
        let others = windlass::cloud::routes(windlass::terrakube::routes(poem::Route::new()));
        let others = windlass::console::routes(windlass::agent_api::routes(others), &self.app);
        let api = api::endpoint(&self.app, others).into_endpoint().boxed();
        Client::new(api, authorization)
    }

    /// A new organization.
    pub(crate) async fn organization(&self, name: &str) -> OrganizationId {
        let row = entity::organization::Model::new(name, self.clock.now());
        let cluster = bootstrap::local_cluster(row.id, self.clock.now());
        let row = store::organization::create(&self.app.db, row).await.unwrap();
        store::cluster::create(&self.app.db, cluster).await.unwrap();
        row.id
    }

    /// A caller with a new token of this role.
    pub(crate) async fn token(&self, organization: OrganizationId, role: Role) -> Client {
        let (row, token) = bootstrap::new_api_token(organization, "test", role, self.clock.now()).unwrap();
        store::token::create(&self.app.db, row).await.unwrap();
        self.client(Some(format!("Token {}", token.expose())))
    }

    /// An organization with a project, an environment, a registry and an administrator.
    pub(crate) async fn furnished(&self) -> Furnished {
        self.furnished_as("acme").await
    }

    /// The same for an organization of another name.
    pub(crate) async fn furnished_as(&self, name: &str) -> Furnished {
        let organization = self.organization(name).await;
        let client = self.token(organization, Role::Admin).await;
        let project = id(&client
            .post(&format!("/organization/{organization}/project"), json!({"name": "shop"}))
            .await
            .expect(200));
        let environment =
            id(&client.post(&format!("/project/{project}/environment"), json!({"name": "staging"})).await.expect(201));
        let registry = json!({"name": "hub", "kind": "DOCKER_HUB", "config": {}});
        let registry =
            id(&client.post(&format!("/organization/{organization}/containerRegistry"), registry).await.expect(201));
        Furnished { client, organization, project, environment, registry }
    }
}

pub(crate) struct Furnished {
    pub(crate) client: Client,
    pub(crate) organization: OrganizationId,
    pub(crate) project: String,
    pub(crate) environment: String,
    pub(crate) registry: String,
}

impl Furnished {
    /// A request for a CRON job.
    pub(crate) fn cron(&self, name: &str, scheduled_at: &str) -> Value {
        json!({
            "name": name,
            "healthchecks": {},
            "source": {"image": {"image_name": "library/busybox", "tag": "1.36.1", "registry_id": self.registry}},
            "schedule": {"cronjob": {"scheduled_at": scheduled_at, "entrypoint": "/bin/sh", "arguments": ["-c", "echo hi"]}},
        })
    }

    /// A request for a LIFECYCLE job with a command for each event.
    pub(crate) fn lifecycle(&self, name: &str) -> Value {
        let mut job = self.cron(name, "* * * * *");
        let command = |text: &str| json!({"entrypoint": "/bin/sh", "arguments": ["-c", text]});
        job["schedule"] =
            json!({"on_start": command("start"), "on_stop": command("stop"), "on_delete": command("delete")});
        job
    }

    /// Creates a job and returns its id.
    pub(crate) async fn create(&self, job: Value) -> String {
        id(&self.client.post(&format!("/environment/{}/job", self.environment), job).await.expect(201))
    }

    /// Creates a job, deploys it, and lets the engine settle. Returns its id.
    pub(crate) async fn deployed(&self, app: &TestApp, job: Value) -> String {
        let job = self.create(job).await;
        self.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
        app.settle().await;
        job
    }

    /// The same with a new environment of the project.
    pub(crate) async fn with_environment(&self, name: &str) -> Self {
        let path = format!("/project/{}/environment", self.project);
        let environment = id(&self.client.post(&path, json!({"name": name})).await.expect(201));
        Self {
            client: self.client.clone(),
            organization: self.organization,
            project: self.project.clone(),
            environment,
            registry: self.registry.clone(),
        }
    }

    pub(crate) async fn state(&self, job: &str) -> String {
        self.client.get(&format!("/job/{job}/status")).await.expect(200)["state"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn runs(&self, job: &str) -> Vec<Value> {
        self.client.get(&format!("/job/{job}/run")).await.expect(200)["results"].as_array().unwrap().clone()
    }
}
