//! A real server with an environment in the cluster, and a client of the cluster for its operator.

use std::time::{Duration, Instant};

use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Namespace, Pod, Secret};
use kube::api::ListParams;
use kube::{Api, Client};
use sea_orm::DatabaseConnection;
use serde_json::{Value, json};

use super::{image, limited, operator};
use crate::server::Server;

pub(super) struct Site {
    server: Option<Server>,
    folder: tempfile::TempDir,
    words: Vec<String>,
    pub(super) organization: String,
    pub(super) project: String,
    pub(super) cluster: String,
    pub(super) environment: String,
    registry: String,
    /// The cluster as its operator sees it.
    pub(super) kube: Client,
}

impl Site {
    pub(super) async fn new() -> Self {
        Self::with(&[]).await
    }

    pub(super) async fn with(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let words: Vec<String> =
            ["serve", "--runner", "process"].iter().chain(more).map(|word| (*word).to_owned()).collect();
        let refs: Vec<&str> = words.iter().map(String::as_str).collect();
        let server = Server::start(folder.path(), &refs, None);
        let mut site = Self {
            server: Some(server),
            folder,
            words,
            organization: String::new(),
            project: String::new(),
            cluster: String::new(),
            environment: String::new(),
            registry: String::new(),
            kube: operator().await,
        };
        site.organization = first(&site.get("/organization").await);
        let organization = site.organization.clone();
        site.project = site.create(&format!("/organization/{organization}/project"), json!({"name": "kube"})).await;
        let registry = json!({"name": "test", "kind": "GENERIC_CR", "url": "https://windlass.test", "config": {}});
        site.registry = site.create(&format!("/organization/{organization}/containerRegistry"), registry).await;
        site.cluster = site.register("kube", &limited().await).await;
        site.environment = site.environment("Staging 1", &site.cluster).await;
        site.usable(&site.cluster).await;
        site
    }

    /// Registers a cluster through the official API.
    pub(super) async fn register(&self, name: &str, kubeconfig: &str) -> String {
        let path = format!("/organization/{}/cluster", self.organization);
        let wanted =
            json!({"name": name, "region": "here", "cloud_provider": "ON_PREMISE", "kubernetes": "SELF_MANAGED"});
        let id = self.create(&path, wanted).await;
        let (status, text) = self.put_kubeconfig(&id, kubeconfig).await;
        assert_eq!(status, 204, "{text}");
        id
    }

    pub(super) async fn put_kubeconfig(&self, cluster: &str, kubeconfig: &str) -> (u16, String) {
        let server = self.server();
        let path = format!("{}/organization/{}/cluster/{cluster}/kubeconfig", server.url, self.organization);
        let request = reqwest::Client::new().put(path).header("Authorization", format!("Token {}", server.token));
        let answer =
            request.header("Content-Type", "application/x-yaml").body(kubeconfig.to_owned()).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub(super) async fn environment(&self, name: &str, cluster: &str) -> String {
        let wanted = json!({"name": name, "cluster": cluster});
        self.create(&format!("/project/{}/environment", self.project), wanted).await
    }

    pub(super) async fn cluster_status(&self, cluster: &str) -> String {
        let path = format!("/organization/{}/cluster/{cluster}/status", self.organization);
        self.get(&path).await["status"].as_str().unwrap().to_owned()
    }

    async fn usable(&self, cluster: &str) {
        let path = format!("/organization/{}/cluster/{cluster}/isReady", self.organization);
        within(30, async || self.get(&path).await["is_ready"] == true, "the cluster is ready").await;
        assert_eq!(self.cluster_status(cluster).await, "DEPLOYED");
    }

    /// The database of the server.
    pub(super) async fn database(&self) -> DatabaseConnection {
        let file = self.folder.path().join("windlass-data/windlass.db");
        sea_orm::Database::connect(format!("sqlite://{}", file.display())).await.unwrap()
    }

    pub(super) async fn metrics(&self) -> String {
        self.server().call("GET", "/metrics", None).await.2
    }

    fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    pub(super) fn kill(&mut self) -> String {
        self.server.take().unwrap().kill()
    }

    pub(super) fn start(&mut self, token: &str) {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        self.server = Some(Server::start(self.folder.path(), &words, Some(token)));
    }

    pub(super) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let (status, body, text) = self.server().call(method, path, body).await;
        assert!(status < 400, "{method} {path}: {status} {text}");
        (status, body)
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        self.call("GET", path, None).await.1
    }

    pub(super) async fn create(&self, path: &str, body: Value) -> String {
        self.call("POST", path, Some(body)).await.1["id"].as_str().unwrap().to_owned()
    }

    /// A request for a job with this script for every event, or for the times of an expression.
    fn job(&self, name: &str, schedule: &Value) -> Value {
        let image = image();
        let (repository, tag) = image.trim_start_matches("windlass.test/").split_once(':').unwrap();
        json!({
            "name": name, "healthchecks": {}, "memory": 64, "cpu": 100, "max_nb_restart": 0, "max_duration_seconds": 120,
            "source": {"image": {"image_name": repository, "tag": tag, "registry_id": self.registry}},
            "schedule": schedule,
        })
    }

    pub(super) fn lifecycle(&self, name: &str, script: &str) -> Value {
        self.job(name, &json!({"on_start": {"entrypoint": "/bin/sh", "arguments": ["-c", script]}}))
    }

    pub(super) fn cron(&self, name: &str, times: &str, script: &str) -> Value {
        self.job(
            name,
            &json!({"cronjob": {"scheduled_at": times, "entrypoint": "/bin/sh", "arguments": ["-c", script]}}),
        )
    }

    pub(super) async fn new_job(&self, job: Value) -> String {
        self.create(&format!("/environment/{}/job", self.environment), job).await
    }

    pub(super) async fn settings(&self, job: &str, settings: Value) {
        let path = format!("/job/{job}/advancedSettings");
        let mut all = self.get(&path).await;
        for (key, value) in settings.as_object().unwrap() {
            all[key] = value.clone();
        }
        self.call("PUT", &path, Some(all)).await;
    }

    /// Calls an action of a job, and waits for the state that follows.
    pub(super) async fn act(&self, job: &str, action: &str, state: &str) {
        let (method, path) = match action {
            "delete" => ("DELETE", format!("/job/{job}")),
            action => ("POST", format!("/job/{job}/{action}")),
        };
        self.call(method, &path, (method == "POST").then(|| json!({}))).await;
        self.reaches(job, state).await;
    }

    pub(super) async fn reaches(&self, job: &str, state: &str) {
        let path = format!("/job/{job}/status");
        let deadline = Instant::now() + Duration::from_secs(90);
        loop {
            let status = self.get(&path).await;
            if status["state"] == state {
                return;
            }
            if Instant::now() >= deadline {
                let runs = self.get(&format!("/job/{job}/run")).await;
                panic!("not {state}, but {status:#}\n{runs:#}");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The runs of a job's commands, the newest first.
    pub(super) async fn runs(&self, job: &str) -> Vec<Value> {
        let runs = self.get(&format!("/job/{job}/run")).await;
        let all = runs["results"].as_array().unwrap().iter();
        all.filter(|run| run["event"] != "APPLY").cloned().collect()
    }

    /// The newest run, once it has ended.
    pub(super) async fn ended(&self, job: &str) -> Value {
        let mut found = Value::Null;
        within(
            150,
            async || {
                let runs = self.runs(job).await;
                found = runs.first().cloned().unwrap_or(Value::Null);
                matches!(found["state"].as_str(), Some("SUCCEEDED" | "FAILED" | "CANCELLED"))
            },
            "a run has ended",
        )
        .await;
        found
    }

    pub(super) async fn log(&self, run: &Value) -> Vec<String> {
        let path = format!("/run/{}/logLine", run["id"].as_str().unwrap());
        let lines = self.get(&path).await;
        lines["results"].as_array().unwrap().iter().map(|line| line["text"].as_str().unwrap().to_owned()).collect()
    }

    pub(super) async fn namespace(&self) -> String {
        let labels = ListParams::default().labels(&format!("windlass.dev/environment={}", self.environment));
        let found = Api::<Namespace>::all(self.kube.clone()).list(&labels).await.unwrap();
        found.items.first().and_then(|one| one.metadata.name.clone()).unwrap_or_default()
    }

    async fn list<K>(&self) -> Vec<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope>
            + Clone
            + serde::de::DeserializeOwned
            + std::fmt::Debug,
        K::DynamicType: Default,
    {
        let namespace = self.namespace().await;
        if namespace.is_empty() {
            return Vec::new();
        }
        Api::<K>::namespaced(self.kube.clone(), &namespace).list(&ListParams::default()).await.unwrap().items
    }

    pub(super) async fn cron_jobs(&self) -> Vec<CronJob> {
        self.list().await
    }

    pub(super) async fn jobs(&self) -> Vec<Job> {
        self.list().await
    }

    pub(super) async fn pods(&self) -> Vec<Pod> {
        self.list().await
    }

    pub(super) async fn secrets(&self) -> Vec<Secret> {
        self.list().await
    }

    /// Only the namespace of the environment is left in the cluster.
    pub(super) async fn empty(&self) {
        let empty = async || {
            self.cron_jobs().await.is_empty()
                && self.jobs().await.is_empty()
                && self.pods().await.is_empty()
                && self.secrets().await.is_empty()
        };
        within(60, empty, "nothing is left").await;
    }
}

/// The id of the first item of a list.
fn first(list: &Value) -> String {
    list["results"][0]["id"].as_str().unwrap().to_owned()
}

/// Waits until a condition holds.
pub(super) async fn within(seconds: u64, mut is_so: impl AsyncFnMut() -> bool, what: &str) {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !is_so().await {
        assert!(Instant::now() < deadline, "not within {seconds} seconds: {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
