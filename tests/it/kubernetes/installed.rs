//! The server installed with the manifests of this repository: two replicas that run jobs in their own cluster.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, Secret};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{DeleteParams, ListParams, LogParams, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use super::site::within;
use super::{apply, image, kubeconfig, operator};

const NAMESPACE: &str = "windlass";

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
async fn ready(client: &Client) -> Vec<(String, String)> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    let found = pods.list(&ListParams::default().labels("app.kubernetes.io/name=windlass")).await.unwrap();
    let of = |pod: Pod| {
        let status = pod.status?;
        let ready = status.conditions?.iter().any(|one| one.type_ == "Ready" && one.status == "True");
        (ready && pod.metadata.deletion_timestamp.is_none()).then_some((pod.metadata.name?, status.pod_ip?))
    };
    found.items.into_iter().filter_map(of).collect()
}

/// The manifests, with other names of the image and the database, and the address of the API server: the test cluster has
/// no service proxy.
async fn install(client: &Client) {
    for file in ["namespace.yaml", "rbac.yaml"] {
        apply(client, file).await;
    }
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "windlass"}, "stringData": {
        "database-url": variable("WINDLASS_TEST_KUBERNETES_DATABASE"), "secret.key": "0123456789abcdef".repeat(4)}});
    let secrets: Api<Secret> = Api::namespaced(client.clone(), NAMESPACE);
    secrets.patch("windlass", &PatchParams::apply("test").force(), &Patch::Apply(&secret)).await.unwrap();
    apply(client, "server.yaml").await;
    let server = kubeconfig().split("server: 'https://").nth(1).unwrap().split('\'').next().unwrap().to_owned();
    let (host, port) = server.split_once(':').unwrap();
    let container = json!({"name": "windlass", "image": variable("WINDLASS_TEST_KUBERNETES_SERVER"), "imagePullPolicy": "Never",
        "env": [{"name": "KUBERNETES_SERVICE_HOST", "value": host}, {"name": "KUBERNETES_SERVICE_PORT", "value": port}]});
    let patch = json!({"spec": {"template": {"spec": {"containers": [container]}}}});
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), NAMESPACE);
    deployments.patch("windlass", &PatchParams::default(), &Patch::Strategic(patch)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster; cargo xtask test --kubernetes runs it"]
async fn two_replicas_use_the_cluster_that_they_are_in() {
    let client = operator().await;
    install(&client).await;
    within(90, async || ready(&client).await.len() == 2, "two replicas are ready").await;
    let budgets: Api<PodDisruptionBudget> = Api::namespaced(client.clone(), NAMESPACE);
    let allowed =
        async || budgets.get("windlass").await.unwrap().status.is_some_and(|status| status.disruptions_allowed == 1);
    within(30, allowed, "one of them may be disturbed").await;
    let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    let mut token = None;
    for (name, _) in ready(&client).await {
        let log = pods.logs(&name, &LogParams::default()).await.unwrap();
        token = token.or(log.split("TOKEN=").nth(1).map(|rest| rest.split_whitespace().next().unwrap().to_owned()));
    }
    let token = token.expect("no replica has shown the token of the first start");
    let replicas = ready(&client).await;
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
    within(90, async || ready(&client).await.len() == 2, "there are two again").await;
    ask("DELETE", &format!("/environment/{environment}"), None).await;
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), NAMESPACE);
    let gone = async || {
        let left = reqwest::Client::new().get(format!("http://{one}:8080/environment/{environment}"));
        left.header("Authorization", format!("Token {token}")).send().await.unwrap().status() == 404
    };
    within(60, gone, "the environment is deleted").await;
    deployments.delete("windlass", &DeleteParams::default()).await.unwrap();
}
