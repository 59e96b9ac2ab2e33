//! The engine on a real cluster of Kubernetes: API server, scheduler, controllers, and a kubelet that runs pods.
//!
//! They are run by `cargo xtask test --kubernetes`, which builds the cluster; `WINDLASS_TEST_KUBERNETES` names its
//! kubeconfig, and `WINDLASS_TEST_KUBERNETES_IMAGE` an image with a shell that is there.

mod jobs;
mod runner;
mod schedules;
mod site;

use std::time::Duration;

use entity::id::ClusterId;
use windlass::clock::Clock;
use windlass::runner::StepSpec;
use windlass::runner::kubernetes::pod::Pod;
use windlass::runner::kubernetes::{Health, KubernetesRunner};
use windlass::wake::Wake;

/// The namespace of steps that belong to no environment.
const NAMESPACE: &str = "windlass-test";

/// The kubeconfig of the cluster.
fn kubeconfig() -> String {
    let path = std::env::var("WINDLASS_TEST_KUBERNETES").expect("WINDLASS_TEST_KUBERNETES names no kubeconfig");
    std::fs::read_to_string(path).unwrap()
}

/// The image that is there.
fn image() -> String {
    std::env::var("WINDLASS_TEST_KUBERNETES_IMAGE").expect("WINDLASS_TEST_KUBERNETES_IMAGE names no image")
}

/// A step as a pod.
pub(crate) fn pod(step: StepSpec) -> StepSpec {
    let pod = Pod { namespace: NAMESPACE.into(), grace_seconds: 2, leaves_output: true, ..Pod::default() };
    StepSpec { name: format!("{NAMESPACE}/{}", step.name), pod: Some(Box::new(pod)), ..step }
}

async fn connected(patience: Duration) -> KubernetesRunner {
    let id = ClusterId::create();
    let runner =
        KubernetesRunner::connect(id, &kubeconfig(), patience, Clock::system(), Wake::default()).await.unwrap();
    for _ in 0..300 {
        if matches!(runner.health(), Health::Ready(_)) {
            return runner;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the cluster is {:?}", runner.health());
}
