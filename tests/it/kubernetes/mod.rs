//! The engine with a real Kubernetes cluster: API server, scheduler, controllers, and a kubelet that runs pods.
//!
//! `cargo xtask test --kubernetes` starts the cluster and runs these tests; `WINDLASS_TEST_KUBERNETES` is the path of its
//! kubeconfig, and `WINDLASS_TEST_KUBERNETES_IMAGE` an image with a shell on the node.

mod chart;
mod clusters;
mod installed;
mod jobs;
mod row_failures;
mod runner;
mod schedules;
mod site;
mod terraform;

use std::time::Duration;

use entity::id::ClusterId;
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams};
use kube::config::Kubeconfig;
use kube::{Api, Client};
use windlass::clock::Clock;
use windlass::liveness::wake::Wake;
use windlass::runner::StepSpec;
use windlass::runner::kubernetes::pod_options::PodOptions;
use windlass::runner::kubernetes::{Health, KubernetesRunner};

/// The namespace of steps without an environment.
const NAMESPACE: &str = "windlass-test";

/// The kubeconfig of the cluster.
fn kubeconfig() -> String {
    let path = std::env::var("WINDLASS_TEST_KUBERNETES").expect("WINDLASS_TEST_KUBERNETES names no kubeconfig");
    std::fs::read_to_string(path).unwrap()
}

/// The cluster as its operator sees it.
async fn operator() -> Client {
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let config = Kubeconfig::from_yaml(&kubeconfig()).unwrap();
    let config = kube::Config::from_custom_kubeconfig(config, &Default::default()).await.unwrap();
    Client::try_from(config).unwrap()
}

/// The kubeconfig of an account with exactly the documented permissions.
async fn limited() -> String {
    let client = operator().await;
    apply(&client, &chart::namespace("windlass")).await;
    apply(&client, &chart::rendered("windlass", &["accountOnly=true"])).await;
    let accounts: Api<ServiceAccount> = Api::namespaced(client, "windlass");
    let token = accounts.create_token_request("windlass", &PostParams::default(), &TokenRequest::default()).await;
    kubeconfig().replace("not-a-secret", &token.unwrap().status.unwrap().token)
}

/// Applies all objects of a text.
async fn apply(client: &Client, text: &str) {
    apply_with(client, text, &PatchParams::apply("test").force()).await.unwrap();
}

async fn apply_with(client: &Client, text: &str, how: &PatchParams) -> kube::Result<()> {
    for document in text.split("---\n").filter(|document| document.contains("kind:")) {
        let object: DynamicObject = serde_saphyr::from_str(document).unwrap();
        let kind = GroupVersionKind::try_from(object.types.clone().unwrap()).unwrap();
        let resource = ApiResource::from_gvk(&kind);
        let api: Api<DynamicObject> = match &object.metadata.namespace {
            Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
            None => Api::all_with(client.clone(), &resource),
        };
        let name = object.metadata.name.clone().unwrap();
        api.patch(&name, how, &Patch::Apply(&object)).await?;
    }
    Ok(())
}

/// The image on the node.
fn image() -> String {
    std::env::var("WINDLASS_TEST_KUBERNETES_IMAGE").expect("WINDLASS_TEST_KUBERNETES_IMAGE names no image")
}

/// A step as a pod.
pub(crate) fn pod(step: StepSpec) -> StepSpec {
    let pod = PodOptions {
        namespace: NAMESPACE.into(),
        grace_seconds: 2,
        message_file: Some(windlass::runner::OUTPUT_FILE),
        ..PodOptions::default()
    };
    StepSpec { name: format!("{NAMESPACE}/{}", step.name), pod: Some(Box::new(pod)), ..step }
}

async fn connected(patience: Duration) -> KubernetesRunner {
    let id = ClusterId::create();
    let runner =
        KubernetesRunner::connect(id, &limited().await, patience, Clock::system(), Wake::default()).await.unwrap();
    for _ in 0..300 {
        if matches!(runner.health(), Health::Ready(_)) {
            return runner;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the cluster is {:?}", runner.health());
}
