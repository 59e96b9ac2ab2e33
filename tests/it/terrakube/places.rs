//! Where the steps of workspaces run: the agents are the clusters of the organization, and a workspace names one of them.

use entity::member::Role;
use serde_json::{Value, json};

use super::{House, change, detail, id, new};
use crate::harness::Client;

fn agent(id: &str) -> Value {
    json!({"data": {"type": "agent", "id": id}})
}

/// A new cluster without a kubeconfig, in an organization of the client.
async fn cluster(client: &Client, organization: impl std::fmt::Display, name: &str) -> String {
    let body = json!({"name": name, "region": "r", "cloud_provider": "ON_PREMISE"});
    let made = client.post(&format!("/organization/{organization}/cluster"), body).await.expect(201);
    made["id"].as_str().unwrap().to_owned()
}

async fn with_agents(house: &House, name: &str) -> String {
    let id = cluster(&house.client, house.organization, name).await;
    let path = format!("/organization/{}/cluster/{id}/agent", house.organization);
    house.client.post(&path, json!({"name": "a"})).await.expect(201);
    id
}

#[tokio::test]
async fn the_clusters_are_agents() {
    let house = House::new().await;
    let factory = with_agents(&house, "factory").await;
    let all = house.get("agent?sort=name&page[size]=1&page[totals]").await;
    assert_eq!(all["data"][0]["attributes"], json!({"name": "factory", "description": null, "url": null}));
    assert_eq!(all["meta"]["page"]["totalRecords"], 2, "the local one, too: {all}");
    let one = house.get(&format!("agent/{factory}")).await;
    assert_eq!(one["data"]["relationships"]["organization"]["data"]["id"], house.organization.to_string());
    let way = "which are registered, changed and deleted at /organization/{organizationId}/cluster";
    let path = house.path("agent");
    let refused = house.client.post(&path, new("agent", json!({"name": "x", "url": "https://a.example"}))).await;
    assert!(detail(refused, 400).contains(way));
    let path = format!("{path}/{factory}");
    assert!(
        detail(house.client.patch(&path, change("agent", &factory, json!({"name": "x"}))).await, 400).contains(way)
    );
    assert!(detail(house.client.delete(&path).await, 400).contains(way));
    let viewer = house.app.token(house.organization, Role::Viewer).await;
    assert_eq!(viewer.get(&house.path("agent")).await.expect(200)["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_workspace_names_its_cluster() {
    let house = House::new().await;
    let factory = with_agents(&house, "factory").await;
    let mut body = new("workspace", json!({"name": "network"}));
    body["data"]["relationships"] = json!({"agent": agent(&factory)});
    let workspace = id(&house.client.post(&house.path("workspace"), body).await.expect(201));
    let found = house.get(&format!("workspace/{workspace}?include=agent")).await;
    assert_eq!(found["included"][0]["attributes"]["name"], "factory", "{found}");
    let named = house.get("workspace?filter[workspace]=agent.name==factory").await;
    assert_eq!(named["data"][0]["relationships"]["agent"], agent(&factory), "{named}");
    let path = house.path(&format!("workspace/{workspace}"));
    // Only an agent knows which versions its machine has, so any is taken.
    house
        .client
        .patch(&path, change("workspace", &workspace, json!({"terraformVersion": "= 0.0.7"})))
        .await
        .expect(204);
    // The choice is changed and taken back, in the workspace and at its relationship.
    let local = house.get("agent?filter[agent]=name==local").await;
    let local = local["data"][0]["id"].as_str().unwrap().to_owned();
    house.client.patch(&path, change("workspace", &workspace, json!({"terraformVersion": ""}))).await.expect(204);
    let relationship = format!("{path}/relationships/agent");
    house.client.patch(&relationship, agent(&local)).await.expect(204);
    assert_eq!(house.client.get_json(&relationship).await["data"]["id"], *local);
    house.client.patch(&relationship, json!({"data": null})).await.expect(204);
    assert_eq!(house.client.get_json(&relationship).await["data"], Value::Null);
}

#[tokio::test]
async fn only_a_cluster_that_can_run_its_steps_is_chosen() {
    let house = House::new().await;
    let workspace = house.workspace("network").await;
    let path = house.path(&format!("workspace/{workspace}/relationships/agent"));
    let empty = cluster(&house.client, house.organization, "empty").await;
    let refused = detail(house.client.patch(&path, agent(&empty)).await, 400);
    assert!(
        refused
            .contains("agent: must be a cluster with a kubeconfig or with agents, or the local one; empty has neither"),
        "{refused}"
    );
    let other = house.app.organization("other").await;
    let stranger = house.app.token(other, Role::Admin).await;
    let theirs = cluster(&stranger, other, "theirs").await;
    for unknown in [theirs.as_str(), "00000000-0000-0000-0000-000000000001"] {
        let refused = detail(house.client.patch(&path, agent(unknown)).await, 404);
        assert!(refused.contains(&format!("Unknown identifier {unknown} for agent")), "{refused}");
    }
    let factory = with_agents(&house, "factory").await;
    let viewer = house.app.token(house.organization, Role::Viewer).await;
    assert_eq!(viewer.patch(&path, agent(&factory)).await.status, 403);
    // Who manages only one workspace sees no clusters.
    let access = json!({"name": "GUESTS", "manageWorkspace": true, "role": "custom"});
    house.create(&format!("workspace/{workspace}/access"), "access", access).await;
    assert_eq!(house.of_groups(&["GUESTS"]).await.patch(&path, agent(&factory)).await.status, 404);
    house.client.patch(&path, agent(&factory)).await.expect(204);
}

#[tokio::test]
async fn a_cluster_that_a_workspace_names_is_not_deleted() {
    let house = House::new().await;
    let factory = with_agents(&house, "factory").await;
    let cluster = format!("/organization/{}/cluster/{factory}", house.organization);
    for place in 0..7 {
        let workspace = house.workspace(&format!("w{place}")).await;
        let path = house.path(&format!("workspace/{workspace}"));
        house.client.patch(&format!("{path}/relationships/agent"), agent(&factory)).await.expect(204);
    }
    let refused = house.client.delete(&cluster).await.expect(409).to_string();
    assert!(refused.contains("run on this cluster: w0, w1, w2, w3, w4, others; choose another one"), "{refused}");
    // Hidden workspaces do not count, and forget it.
    for workspace in house.get("workspace").await["data"].as_array().unwrap() {
        let id = workspace["id"].as_str().unwrap();
        let hidden = change("workspace", id, json!({"deleted": true}));
        house.client.patch(&house.path(&format!("workspace/{id}")), hidden).await.expect(204);
    }
    house.client.delete(&cluster).await.expect(204);
}
