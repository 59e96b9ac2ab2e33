//! The contract of all runners, through a real agent: orders and lines pass the database and the requests of the agent.

use tokio_util::sync::CancellationToken;
use windlass::server::Server;

use super::AgentProcess;
use crate::harness::{TestApp, id};
use crate::runner::docker_image;

/// Runs the suite with an agent that has this runner.
async fn conforms(runner: &str, image: &str) {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = format!("/organization/{}/cluster", it.organization);
    let body = serde_json::json!({"name": "far", "region": "r", "cloud_provider": "ON_PREMISE"});
    let cluster = id(&it.client.post(&path, body).await.expect(201));
    let agent = it.client.post(&format!("{path}/{cluster}/agent"), serde_json::json!({"name": "a"})).await.expect(201);
    let server = Server::bind(app.app.clone()).await.unwrap();
    let url = format!("http://{}", server.address());
    let shutdown = CancellationToken::new();
    let folder = tempfile::tempdir().unwrap();
    let agent = AgentProcess::start(folder.path(), &url, agent["token"].as_str().unwrap(), &["--runner", runner]);
    let cluster = entity::id::ClusterId(cluster.parse().unwrap());
    let runner = app.app.runners.agents.get(cluster);
    let tested = async {
        crate::conformance::conforms(runner.as_ref(), image).await;
        assert!(runner.list().await.unwrap().is_empty());
        drop(agent);
        shutdown.cancel();
    };
    let (served, ()) = tokio::join!(server.run(shutdown.clone()), tested);
    served.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_of_an_agent_conform() {
    conforms("process", "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_of_an_agent_conform() {
    let Some(image) = docker_image() else { return };
    conforms("docker", &image).await;
}
