//! The server installed with the Helm chart: two replicas that run jobs in their own cluster, and one with SQLite in a volume.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod, Secret};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{DeleteParams, ListParams, LogParams, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use super::chart::{self, Release};
use super::site::within;
use super::{apply, apply_with, image, kubeconfig, operator};

/// The namespace of the two replicas, and that of the server with SQLite.
const NAMESPACE: &str = "windlass-two";
const ALONE: &str = "windlass-alone";

/// Calls one of the replicas.
async fn call(pod: &str, token: &str, method: &str, path: &str, body: Option<Value>) -> Value {
    let url = format!("http://{pod}:8080{path}");
    let mut request = reqwest::Client::new().request(method.parse().unwrap(), url);
    request = request.header("Authorization", format!("Token {token}"));
    request = match body {
        Some(Value::String(text)) => request.header("Content-Type", "application/x-yaml").body(text),
        Some(body) => request.header("Content-Type", "application/json").body(body.to_string()),
        None => request,
    };
    let answer = request.send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert!(status.is_success(), "{method} {path}: {status} {text}");
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

/// The ready replicas, by name and address.
async fn ready(client: &Client, namespace: &str) -> Vec<(String, String)> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let found = pods.list(&ListParams::default().labels("app.kubernetes.io/name=windlass")).await.unwrap();
    let of = |pod: Pod| {
        let status = pod.status?;
        let ready = status.conditions?.iter().any(|one| one.type_ == "Ready" && one.status == "True");
        (ready && pod.metadata.deletion_timestamp.is_none()).then_some((pod.metadata.name?, status.pod_ip?))
    };
    found.items.into_iter().filter_map(of).collect()
}

/// The token that one of the replicas has printed, if this is their first start.
async fn token(client: &Client, namespace: &str) -> Option<String> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    for (name, _) in ready(client, namespace).await {
        let log = pods.logs(&name, &LogParams::default()).await.unwrap();
        if let Some(rest) = log.split("TOKEN=").nth(1) {
            return Some(rest.split_whitespace().next().unwrap().to_owned());
        }
    }
    None
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}

/// Values that any release here needs: the image on the node, and the address of the API server, because the test cluster has
/// no service proxy.
fn values() -> Value {
    let server = kubeconfig().split("server: 'https://").nth(1).unwrap().split('\'').next().unwrap().to_owned();
    let (host, port) = server.split_once(':').unwrap();
    let image = variable("WINDLASS_TEST_KUBERNETES_SERVER");
    let (repository, tag) = image.rsplit_once(':').unwrap();
    json!({"image": {"repository": repository, "tag": tag, "pullPolicy": "Never"}, "env": [
        {"name": "KUBERNETES_SERVICE_HOST", "value": host}, {"name": "KUBERNETES_SERVICE_PORT", "value": port}]})
}

/// Two replicas on the PostgreSQL server of the cluster.
async fn install(client: &Client) -> Release {
    apply(client, &chart::namespace(NAMESPACE)).await;
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "windlass"}, "stringData": {
        "database-url": variable("WINDLASS_TEST_KUBERNETES_DATABASE"), "secret.key": "0123456789abcdef".repeat(4)}});
    let secrets: Api<Secret> = Api::namespaced(client.clone(), NAMESPACE);
    secrets.patch("windlass", &PatchParams::apply("test").force(), &Patch::Apply(&secret)).await.unwrap();
    let mut values = values();
    values["replicas"] = json!(2);
    values["existingSecret"] = json!("windlass");
    values["database"] = json!({"kind": "postgresql"});
    Release::install(NAMESPACE, &values)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster; cargo xtask test --kubernetes runs it"]
async fn two_replicas_use_the_cluster_that_they_are_in() {
    let client = operator().await;
    let release = install(&client).await;
    assert_eq!(ready(&client, NAMESPACE).await.len(), 2, "two replicas are ready");
    let budgets: Api<PodDisruptionBudget> = Api::namespaced(client.clone(), NAMESPACE);
    let allowed =
        async || budgets.get("windlass").await.unwrap().status.is_some_and(|status| status.disruptions_allowed == 1);
    within(30, allowed, "one of them may be disturbed").await;
    let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    let token = token(&client, NAMESPACE).await.expect("no replica has shown the token of the first start");
    let replicas = ready(&client, NAMESPACE).await;
    let one = &replicas[0].1;
    let ask = async |method: &str, path: &str, body| call(one, &token, method, path, body).await;
    let organization = ask("GET", "/organization", None).await["results"][0]["id"].as_str().unwrap().to_owned();
    let create =
        async |path: String, body: Value| ask("POST", &path, Some(body)).await["id"].as_str().unwrap().to_owned();
    let request =
        json!({"name": "own", "region": "here", "cloud_provider": "ON_PREMISE", "kubernetes": "SELF_MANAGED"});
    let cluster = create(format!("/organization/{organization}/cluster"), request).await;
    let path = format!("/organization/{organization}/cluster/{cluster}");
    ask("PUT", &format!("{path}/kubeconfig"), Some(Value::String("in-cluster".into()))).await;
    for (_, address) in &replicas {
        let usable = async || call(address, &token, "GET", &format!("{path}/isReady"), None).await["is_ready"] == true;
        within(30, usable, "each replica is connected").await;
    }
    let project = create(format!("/organization/{organization}/project"), json!({"name": "p"})).await;
    let registry = json!({"name": "test", "kind": "GENERIC_CR", "url": "https://windlass.test", "config": {}});
    let registry = create(format!("/organization/{organization}/containerRegistry"), registry).await;
    let environment = json!({"name": "inside", "cluster": cluster});
    let environment = create(format!("/project/{project}/environment"), environment).await;
    let image = image();
    let (repository, tag) = image.trim_start_matches("windlass.test/").split_once(':').unwrap();
    let job = json!({"name": "j", "healthchecks": {}, "memory": 32, "cpu": 50,
        "source": {"image": {"image_name": repository, "tag": tag, "registry_id": registry}},
        "schedule": {"on_start": {"entrypoint": "/bin/sh", "arguments": ["-c", "echo begun; sleep 12; echo done"]}}});
    let job = create(format!("/environment/{environment}/job"), job).await;
    ask("POST", &format!("/job/{job}/deploy"), Some(json!({}))).await;
    // Either replica may own the run; the other one finishes it.
    let path = format!("/job/{job}/run");
    let running = async || ask("GET", &path, None).await["results"][0]["state"] == "RUNNING";
    within(60, running, "it runs").await;
    pods.delete(&replicas[1].0, &DeleteParams::default()).await.unwrap();
    let done = async || ask("GET", &path, None).await["results"][0]["state"] == "SUCCEEDED";
    within(90, done, "it ends").await;
    within(90, async || ready(&client, NAMESPACE).await.len() == 2, "there are two again").await;
    ask("DELETE", &format!("/environment/{environment}"), None).await;
    let gone = async || {
        let left = reqwest::Client::new().get(format!("http://{one}:8080/environment/{environment}"));
        left.header("Authorization", format!("Token {token}")).send().await.unwrap().status() == 404
    };
    within(60, gone, "the environment is deleted").await;
    // New pods replace the old ones one by one, and the Secret is not of the release.
    release.upgrade(&["settings.WINDLASS_MAX_RUNS=5"]);
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), NAMESPACE);
    let container = &deployments.get("windlass").await.unwrap().spec.unwrap().template.spec.unwrap().containers[0];
    let set =
        container.env.iter().flatten().find(|one| one.name == "WINDLASS_MAX_RUNS").and_then(|one| one.value.clone());
    assert_eq!(set.as_deref(), Some("5"));
    release.uninstall();
    assert_eq!(deployments.list(&ListParams::default()).await.unwrap().items.len(), 0);
    let secrets: Api<Secret> = Api::namespaced(client.clone(), NAMESPACE);
    secrets.get("windlass").await.unwrap();
}

/// A volume on the node, whose files belong to root until Kubernetes gives them to the group of the pod.
async fn volume(client: &Client, folder: &std::path::Path) {
    let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": ALONE}, "spec": {
        "capacity": {"storage": "10Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": ALONE,
        "persistentVolumeReclaimPolicy": "Retain", "local": {"path": folder},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
            {"key": "kubernetes.io/hostname", "operator": "In", "values": ["127.0.0.1"]}]}]}}}});
    let volumes: Api<PersistentVolume> = Api::all(client.clone());
    volumes.patch(ALONE, &PatchParams::apply("test").force(), &Patch::Apply(&volume)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster; cargo xtask test --kubernetes runs it"]
async fn a_database_in_a_volume_outlives_its_release() {
    let client = operator().await;
    let folder = tempfile::tempdir().unwrap();
    volume(&client, folder.path()).await;
    apply(&client, &chart::namespace(ALONE)).await;
    let mut values = values();
    values["persistence"] = json!({"storageClass": ALONE});
    let release = Release::install(ALONE, &values);
    let first = token(&client, ALONE).await.expect("the server has shown no token");
    release.uninstall();
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), ALONE);
    claims.get("windlass-data").await.expect("the claim is kept");
    let release = Release::install(ALONE, &values);
    assert_eq!(token(&client, ALONE).await, None, "it is the same database");
    let address = ready(&client, ALONE).await[0].1.clone();
    let organizations = call(&address, &first, "GET", "/organization", None).await;
    assert_eq!(organizations["results"].as_array().unwrap().len(), 1);
    release.uninstall();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster; cargo xtask test --kubernetes runs it"]
async fn the_api_server_accepts_the_objects_of_the_chart() {
    let client = operator().await;
    let dry = PatchParams { dry_run: true, ..PatchParams::apply("test").force().validation_strict() };
    // The kinds of Prometheus are not in the cluster.
    let without = ["serviceMonitor.enabled=false"];
    for file in ["sqlite.yaml", "postgresql.yaml", "bundled.yaml", "account.yaml"] {
        let accepted = apply_with(&client, &chart::rendered_with(file, &without), &dry).await;
        accepted.unwrap_or_else(|reason| panic!("{file}: {reason}"));
    }
    // What the schema of the values leaves to the API server.
    for value in ["resources.limits.memory=much", "affinity.nodeAfinity.x=1"] {
        let refused = apply_with(&client, &chart::rendered_with("sqlite.yaml", &[value]), &dry).await;
        assert!(refused.is_err(), "{value}");
    }
}
