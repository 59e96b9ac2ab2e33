//! Ids of another organization in bodies and queries are as good as none, in both APIs.

use entity::member::Role;
use poem::http::Method;
use serde_json::{Value, json};

use crate::harness::TestApp;
use crate::terrakube::{House, change, new, tcl};
use crate::world::{World, project_rule};

/// The same requests with our own ids, so that nothing but the foreign id can be what is refused.
#[tokio::test]
async fn foreign_ids_in_bodies_are_refused() {
    let app = TestApp::new().await;
    let (ours, theirs) = (World::new(&app).await, World::new(&app).await);
    let requests = |ids: &std::collections::BTreeMap<&'static str, String>, name: &str| -> Vec<(&str, String, Value)> {
        let own = &ours.ids;
        let job = format!("/job/{}", own["jobId"]);
        let organization = format!("/organization/{}", own["organizationId"]);
        let variable = format!("/variable/{}", own["variableId"]);
        let git = |url: &str| json!({"url": url, "provider": "GITHUB", "git_token_id": ids["gitTokenId"]});
        let matrix = |cluster: &str, project: &str| {
            json!({
                "name": name,
                "cluster_permissions": [{"cluster_id": cluster, "permission": "VIEWER"}],
                "project_permissions": [{"project_id": project, "is_admin": true}],
            })
        };
        let role = format!("{organization}/customRole/{}", own["customRoleId"]);
        let cluster = |id: &str| project_rule(&ids[id], name);
        vec![
            (
                "POST",
                format!("{variable}/alias"),
                json!({"key": name, "alias_scope": "JOB", "alias_parent_id": ids["jobId"]}),
            ),
            (
                "POST",
                format!("{variable}/override"),
                json!({"value": "1", "override_scope": "JOB", "override_parent_id": ids["jobId"]}),
            ),
            (
                "POST",
                "/variable".into(),
                json!({"key": format!("NEW_{name}"), "value": "1", "is_secret": false, "variable_scope": "JOB", "variable_parent_id": ids["jobId"]}),
            ),
            ("POST", format!("/project/{}/deploymentRule", own["projectId"]), cluster("local cluster")),
            ("PUT", role.clone(), matrix(&ids["clusterId"], &own["projectId"])),
            ("PUT", role, matrix(&own["clusterId"], &ids["projectId"])),
            (
                "POST",
                format!("{organization}/inviteMember"),
                json!({"email": format!("{name}@example.com"), "role_id": ids["customRoleId"]}),
            ),
            ("POST", format!("{organization}/apiToken"), json!({"name": name, "role_id": ids["customRoleId"]})),
            (
                "PUT",
                job.clone(),
                json!({"source": {"image": {"image_name": "library/busybox", "tag": "1", "registry_id": ids["containerRegistryId"]}}}),
            ),
            (
                "PUT",
                job.clone(),
                json!({"source": {"docker": {"dockerfile_path": "Dockerfile", "git_repository": git("https://github.com/acme/a.git")}}}),
            ),
            ("PUT", job.clone(), json!({"annotations_groups": [{"id": ids["annotationsGroupId"]}]})),
            ("PUT", job.clone(), json!({"labels_groups": [{"id": ids["labelsGroupId"]}]})),
        ]
    };
    let mut refused = Vec::new();
    for (method, path, body) in requests(&theirs.ids, "THEIRS") {
        let method: Method = method.parse().unwrap();
        let answer = ours.it.client.call(method.clone(), &path, Some(body.to_string())).await;
        assert!(matches!(answer.status, 400 | 404), "{method} {path} {body}: {} {}", answer.status, answer.text);
        refused.push((method, path));
    }
    for ((method, path), (_, _, body)) in refused.into_iter().zip(requests(&ours.ids, "OURS")) {
        let answer = ours.it.client.call(method.clone(), &path, Some(body.to_string())).await;
        assert!(answer.status < 300, "{method} {path} {body}: {} {}", answer.status, answer.text);
    }
}

#[tokio::test]
async fn foreign_ids_in_documents_are_refused() {
    let house = House::new().await;
    let other = house.app.organization("other").await;
    let owner = house.app.token(other, Role::Admin).await;
    let theirs = async |kind: &str, attributes: Value| {
        let made = owner.post(&format!("/api/v1/organization/{other}/{kind}"), new(kind, attributes)).await.expect(201);
        crate::terrakube::id(&made)
    };
    let flow = tcl("flow:\n- {type: terraformPlan, step: 1}\n");
    let vcs = theirs("vcs", json!({"name": "hub", "vcsType": "GITHUB"})).await;
    let ssh = theirs("ssh", json!({"name": "key", "sshType": "ed25519", "privateKey": "k"})).await;
    let project = theirs("project", json!({"name": "p"})).await;
    let template = theirs("template", json!({"name": "t", "tcl": flow})).await;
    let tag = theirs("tag", json!({"name": "t"})).await;
    for (kind, id) in [("vcs", &vcs), ("ssh", &ssh), ("project", &project)] {
        let mut body = new("workspace", json!({"name": kind, "source": "https://git.example/a.git"}));
        body["data"]["relationships"] = json!({kind: {"data": {"type": kind, "id": id}}});
        let answer = house.client.post(&house.path("workspace"), body).await;
        assert_eq!(answer.status, 404, "{kind}: {}", answer.text);
    }
    let workspace = house.workspace("w").await;
    assert_eq!(house.ask(&house.client, &workspace, json!({"templateReference": template})).await.status, 400);
    let schedules = house.path(&format!("workspace/{workspace}/schedule"));
    let schedule = new("schedule", json!({"cron": "0 0 * * * ?", "templateReference": template}));
    assert_eq!(house.client.post(&schedules, schedule).await.status, 400);
    let tags = house.path(&format!("workspace/{workspace}/workspaceTag"));
    assert_eq!(house.client.post(&tags, new("workspacetag", json!({"tagId": tag}))).await.status, 404);
    let path = house.path(&format!("workspace/{workspace}"));
    house.client.patch(&path, change("workspace", &workspace, json!({"defaultTemplate": template}))).await.expect(204);
    assert_eq!(house.ask(&house.client, &workspace, json!({})).await.status, 400);
}
