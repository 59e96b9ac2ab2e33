//! A real program plans and applies through an agent, which fetches its files from the server and keeps its state there.

use serde_json::json;

use super::{AgentProcess, text};
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

/// One workspace names the cluster, and the other one leaves it to the server, where both of them would run otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_chooses_where_its_steps_run() {
    const HERE: &str = "flow:\n- type: terraformPlan\n  step: 100\n  commands:\n  \
        - {runtime: BASH, priority: 1, before: true, script: 'echo \"it runs in $PWD\"'}\n- {type: terraformApply, step: 200}\n";
    let Some((folder, tool)) = tools().into_iter().next() else { return };
    let tools = folder.as_ref().map(|folder| folder.display().to_string());
    let site = Site::with(folder, tool, &["--runner", "process"]).await;
    let clusters = format!("/organization/{}/cluster", site.organization);
    let body = json!({"name": "far", "region": "r", "cloud_provider": "ON_PREMISE"});
    let cluster = text(&site.main("POST", &clusters, Some(body)).await["id"]);
    let far = json!({"data": {"type": "agent", "id": cluster}});
    let relationship = |workspace: &str| {
        format!("/api/v1/organization/{}/workspace/{workspace}/relationships/agent", site.organization)
    };
    let moved = site.workspace(&[("who", "someone", false)]).await;
    let (status, said) = site.send("PATCH", &relationship(&moved), Some(far.clone())).await;
    assert!(status == 400 && said.contains("agent: must be a cluster with a kubeconfig or with agents"), "{said}");
    let agent = site.main("POST", &format!("{clusters}/{cluster}/agent"), Some(json!({"name": "a"}))).await;
    let mut words = vec!["--runner", "process"];
    words.extend(tools.iter().flat_map(|folder| ["--tools", folder.as_str()]));
    let home = site.folder().join("agent");
    let _agent = AgentProcess::start(&home, &site.server().url, agent["token"].as_str().unwrap(), &words);
    assert_eq!(site.send("PATCH", &relationship(&moved), Some(far)).await.0, 204);
    let stayed = site.workspace(&[("who", "someone", false)]).await;
    let there = format!("it runs in {}", home.display());
    for (workspace, is_far) in [(&moved, true), (&stayed, false)] {
        let job = site.job(workspace, HERE).await;
        let done = site.until(&job, &["completed"]).await;
        let logs = site.logs(&done).await;
        assert!(logs.contains("Apply complete! Resources: 1 added"), "{logs}");
        assert_eq!(logs.contains(&there), is_far, "{logs}");
    }
    // A cluster that is named is not deleted; without the choice, the next job runs on the server again.
    let path = format!("{clusters}/{cluster}");
    let server = site.server();
    let (status, _, said) = server.call("DELETE", &path, None).await;
    assert!(status == 409 && said.contains("the steps of these workspaces run on this cluster: w"), "{status} {said}");
    let nothing = json!({"data": null});
    assert_eq!(site.send("PATCH", &relationship(&moved), Some(nothing)).await.0, 204);
    let job = site.job(&moved, HERE).await;
    let done = site.until(&job, &["completed"]).await;
    let logs = site.logs(&done).await;
    assert!(logs.contains("it runs in") && !logs.contains(&there), "{logs}");
    assert_eq!(server.call("DELETE", &path, None).await.0, 204);
}
