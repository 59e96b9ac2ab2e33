//! An App on a database of its own, and a client that holds every answer against the contract.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::OrganizationId;
use entity::member::Role;
use poem::endpoint::BoxEndpoint;
use poem::http::Method;
use poem::test::TestClient;
use poem::{EndpointExt as _, IntoEndpoint as _, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use windlass::access::authenticate::Authenticator;
use windlass::access::jwt::Verifier;
use windlass::app::{App, Parts};
use windlass::clock::Clock;
use windlass::config::{Config, LogFormat, RunnerChoice};
use windlass::engine::tick;
use windlass::liveness::wake::Wake;
use windlass::runner::{Runners, Target};
use windlass::secret::KeyRing;
use windlass::{api, bootstrap, store};

use super::fake::FakeRunner;
use super::validate;

/// The time at which every test begins.
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
}

/// A caller with a token.
#[derive(Clone)]
pub(crate) struct Client {
    face: Arc<TestClient<BoxEndpoint<'static, Response>>>,
    authorization: Option<String>,
}

/// An answer that was found to keep the contract.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl Answer {
    /// The body of an answer with this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body
    }

    /// The detail of an error with this status.
    #[track_caller]
    pub(crate) fn detail(self, status: u16) -> String {
        self.expect(status)["detail"].as_str().unwrap().to_owned()
    }
}

pub(crate) async fn database(folder: &TempDir) -> String {
    let Ok(server) = std::env::var("WINDLASS_TEST_DATABASE_URL") else {
        return format!("sqlite://{}?mode=rwc", folder.path().join("test.db").display());
    };
    use sea_orm::ConnectionTrait as _;
    let name = format!("test_{}", uuid::Uuid::now_v7().simple());
    let db = store::connect(&server, 1).await.unwrap();
    db.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    db.close().await.unwrap();
    let (base, _) = server.rsplit_once('/').unwrap();
    format!("{base}/{name}")
}

pub(crate) fn config(data_dir: PathBuf, url: &str) -> Config {
    Config {
        in_cluster: false,
        workspaces_in_clusters: false,
        listen: "127.0.0.1:0".parse().unwrap(),
        public_url: Some("https://windlass.example/".into()),
        data_dir,
        database_url: Some(url.to_owned()),
        // With only one, whatever takes a second one inside a transaction waits in vain, and its test fails.
        database_connections: if url.starts_with("sqlite") { 1 } else { 4 },
        oidc_issuer: None,
        oidc_audience: None,
        secret_key_file: None,
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
        queue_timeout_seconds: 86_400,
        lost_timeout_seconds: 900,
        log_mib: 64,
        skipped_days: 90,
        webhook_private_addresses: false,
        otlp_endpoint: None,
        log: "off".into(),
        log_format: LogFormat::Text,
    }
}

impl TestApp {
    pub(crate) async fn new() -> Self {
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let url = database(&folder).await;
        Self::on(folder, url, Hands(Arc::new(Mutex::new(start()))), Arc::new(FakeRunner::default()), None).await
    }

    /// With JWTs of this issuer, for this audience.
    pub(crate) async fn with_oidc(issuer: &str, audience: &str) -> Self {
        let first = Self::new().await;
        let oidc = Some((issuer.to_owned(), audience.to_owned()));
        Self::on(first.folder, first.url, first.clock, first.runner, oidc).await
    }

    /// With other settings.
    pub(crate) async fn configured(change: impl FnOnce(&mut Config)) -> Self {
        let first = Self::new().await;
        let Ok(mut app) = Arc::try_unwrap(first.app) else { panic!("nobody else has it yet") };
        change(&mut app.config);
        Self { app: Arc::new(app), ..first }
    }

    /// Whose webhooks may call this machine.
    pub(crate) async fn with_private_webhooks() -> Self {
        Self::configured(|config| config.webhook_private_addresses = true).await
    }

    async fn on(
        folder: Arc<TempDir>,
        url: String,
        clock: Hands,
        runner: Arc<FakeRunner>,
        oidc: Option<(String, String)>,
    ) -> Self {
        let config = config(folder.path().to_owned(), &url);
        let keys = KeyRing::load_or_create(&config.secret_key_file()).unwrap();
        let mut db = store::connect(&url, 4).await.unwrap();
        let statements = Arc::new(AtomicUsize::new(0));
        let counter = statements.clone();
        db.set_metric_callback(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
        });
        migration::run(&db).await.unwrap();
        let hands = clock.clone();
        let read = Clock::from_fn(move || hands.now());
        let verifier = oidc.as_ref().map(|(issuer, audience)| Verifier::new(issuer, audience).unwrap());
        let authenticator = Authenticator::new(db.clone(), read.clone(), verifier);
        let runners = Runners {
            docker: runner.clone(),
            process: runner.clone(),
            local: Ok(Target::Docker),
            processes: false,
            clusters: Default::default(),
        };
        let app =
            Arc::new(App::from(Parts { db, clock: read, config, keys, runners, authenticator, wake: Wake::default() }));
        Self { app, clock, runner, url, verifier: oidc, folder, statements }
    }

    /// Another server process on the same database, after this one was killed: same runner, nothing in memory.
    pub(crate) async fn restarted(&self) -> Self {
        let (folder, url, clock) = (self.folder.clone(), self.url.clone(), self.clock.clone());
        Self::on(folder, url, clock, self.runner.clone(), self.verifier.clone()).await
    }

    /// How many statements the database was sent.
    pub(crate) fn statements(&self) -> usize {
        self.statements.load(Ordering::SeqCst)
    }

    /// One tick of the engine at the present time.
    pub(crate) async fn tick(&self) {
        while tick::tick(&self.app, self.clock.now()).await.more {}
    }

    /// Ticks until nothing changes any more, without moving the clock.
    pub(crate) async fn settle(&self) {
        for _ in 0..4 {
            self.tick().await;
        }
    }

    pub(crate) fn client(&self, authorization: Option<String>) -> Client {
        let face = api::face(&self.app, windlass::terrakube::routes(poem::Route::new())).into_endpoint().boxed();
        Client { face: Arc::new(TestClient::new(face)), authorization }
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
        let (row, token) = bootstrap::token(organization, "test", role, self.clock.now()).unwrap();
        store::token::create(&self.app.db, row).await.unwrap();
        self.client(Some(format!("Token {}", token.expose())))
    }

    /// An organization with a project, an environment and a registry, and an administrator of it.
    pub(crate) async fn furnished(&self) -> Furnished {
        let organization = self.organization("acme").await;
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

    pub(crate) async fn state(&self, job: &str) -> String {
        self.client.get(&format!("/job/{job}/status")).await.expect(200)["state"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn runs(&self, job: &str) -> Vec<Value> {
        self.client.get(&format!("/job/{job}/run")).await.expect(200)["results"].as_array().unwrap().clone()
    }
}

/// The id of an answer.
pub(crate) fn id(body: &Value) -> String {
    body["id"].as_str().unwrap_or_else(|| panic!("no id in {body}")).to_owned()
}

impl Client {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body.to_string())).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, path, Some(body.to_string())).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, Some(body.to_string())).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    /// The same caller with other credentials.
    pub(crate) fn with(&self, authorization: Option<&str>) -> Self {
        Self { face: self.face.clone(), authorization: authorization.map(str::to_owned) }
    }

    pub(crate) fn authorization(&self) -> &str {
        self.authorization.as_deref().unwrap()
    }

    /// The text at a path that is not part of the contract.
    pub(crate) async fn raw(&self, path: &str) -> String {
        let response = self.face.get(path).send().await.0;
        assert_eq!(response.status().as_u16(), 200, "{path}");
        response.into_body().into_string().await.unwrap()
    }

    /// What is at a path that the contract does not name, but that leads somewhere all the same.
    pub(crate) async fn face_get(&self, path: &str) -> Value {
        let (status, text) = self.raw_call("GET", path, None, &[]).await;
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The status and the text of an answer to a request that no contract can describe.
    pub(crate) async fn raw_call(
        &self,
        method: &str,
        path: &str,
        body: Option<&str>,
        headers: &[(&str, &str)],
    ) -> (u16, String) {
        let mut request = self.face.request(Method::from_bytes(method.as_bytes()).unwrap(), path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        let response = request.body(body.unwrap_or_default().to_owned()).send().await.0;
        (response.status().as_u16(), response.into_body().into_string().await.unwrap())
    }

    /// The status at a path that is not part of the contract.
    pub(crate) async fn status(&self, path: &str) -> u16 {
        self.face.get(path).send().await.0.status().as_u16()
    }

    /// Sends a request and holds the answer against the contract.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<String>) -> Answer {
        self.call_with(method, path, body.as_deref(), &[]).await
    }

    /// The same, with headers.
    pub(crate) async fn call_with(
        &self,
        method: Method,
        path: &str,
        body: Option<&str>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = self.face.request(method.clone(), path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        if body.is_some() && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            let second = path.starts_with("/api/v1/");
            request = request.content_type(if second { "application/vnd.api+json" } else { "application/json" });
        }
        if let Some(body) = body {
            request = request.body(body.to_owned());
        }
        let response = request.send().await.0;
        let status = response.status().as_u16();
        let kind = response.content_type().unwrap_or_default().to_owned();
        let text = response.into_body().into_string().await.unwrap();
        let body = if kind.contains("json") { serde_json::from_str(&text).unwrap() } else { Value::Null };
        validate::answer(method.as_str(), path, status, &kind, &body);
        Answer { status, text, body }
    }
}
