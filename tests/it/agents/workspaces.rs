//! A real program plans and applies through an agent, which fetches its files from the server and keeps its state there.

use serde_json::json;

use super::AgentProcess;
use crate::terrakube::terraform::{APPLY, Site, tools, whole_life};

/// The life of a workspace, as with other runners, and an agent that is killed while it applies.
#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_by_an_agent() {
    for (folder, tool) in tools() {
        // The server has no program of its own.
        let site = Site::with(None, tool, &["--runner", "process", "--workspaces-in-clusters"]).await;
        let path = format!("/organization/{}/cluster", site.organization);
        let body = json!({"name": "far", "region": "r", "cloud_provider": "ON_PREMISE"});
        let cluster = site.main("POST", &path, Some(body)).await;
        let agents = format!("{path}/{}/agent", cluster["id"].as_str().unwrap());
        let agent = site.main("POST", &agents, Some(json!({"name": "a"}))).await;
        let token = agent["token"].as_str().unwrap();
        let tools = folder.as_ref().map(|folder| folder.display().to_string());
        let mut words = vec!["--runner", "process"];
        words.extend(tools.iter().flat_map(|folder| ["--tools", folder.as_str()]));
        let home = site.folder().join("agent");
        let agent = AgentProcess::start(&home, &site.server().url, token, &words);
        whole_life(&site).await;
        let workspace = site.workspace(&[("who", "someone", false), ("seconds", "60", true)]).await;
        let job = site.job(&workspace, APPLY).await;
        site.until_said(&job, "terraform_data.slow[0]: Provisioning").await;
        agent.kill();
        let agent = AgentProcess::start(&home, &site.server().url, token, &words);
        let failed = site.until(&job, &["failed"]).await;
        let logs = site.logs(&failed).await;
        assert!(logs.contains("lost"), "{logs}: {}", agent.log());
    }
}
