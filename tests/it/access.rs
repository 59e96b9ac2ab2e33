//! Walks the contract: who may call what. A new operation is covered without further work.

mod bodies;
mod open;
mod plain_routes;
mod relationships;

use entity::member::Role;
use serde_json::{Value, json};

use crate::harness::{TestApp, id};
use crate::world::{Operation, World, custom, stranger};

/// Operations for every known caller: they are about the caller, or about nothing that is stored.
const OPEN: [&str; 6] = [
    "listOrganization",
    "listAvailableContainerRegistry",
    "listCloudProvider",
    "getDefaultJobAdvancedSettings",
    "getAccountInformation",
    "previewSchedule",
];
/// Operations for people only.
const PEOPLE: [&str; 3] = ["createOrganization", "editAccountInformation", "postAcceptInviteMember"];
/// Read operations for callers who may also write.
const GUARDED: [&str; 10] = [
    "listOrganizationAccessTokens",
    "listOrganizationApiTokens",
    "listOrganizationCustomRoles",
    "getOrganizationCustomRole",
    "getClusterKubeconfig",
    "listWebhookEvent",
    "listWebhookDelivery",
    "listPushHookDeliveries",
    "getOrganizationEvents",
    "getOrganizationEventTargets",
];
/// Operations for deployers.
const DEPLOYS: [&str; 27] = [
    "pauseJob",
    "resumeJob",
    "skipJobTime",
    "backfillJob",
    "cancelBackfill",
    "deployJob",
    "redeployJob",
    "runJob",
    "cancelRun",
    "rerunRun",
    "stopJob",
    "uninstallJob",
    "cleanFailedJob",
    "cleanFailedJobs",
    "deployEnvironment",
    "redeployEnvironment",
    "stopEnvironment",
    "uninstallEnvironment",
    "cancelEnvironmentDeployment",
    "cancelDeploymentRequest",
    "deployAllServices",
    "stopSelectedServices",
    "uninstallSelectedServices",
    "rebootServices",
    // Deploys only the jobs that the caller may deploy.
    "autoDeployJobEnvironments",
    "getJob",
    "getEnvironment",
];

#[tokio::test]
async fn nobody_gets_401_before_anything_else() {
    let app = TestApp::new().await;
    let world = World::new(&app).await;
    let it = &world.it;
    let valid = it.client.authorization().trim_start_matches("Token ").to_owned();
    let wrong = [
        None,
        Some("Token".to_owned()),
        Some("Token ".into()),
        Some("Token windlass_wrong".into()),
        Some(valid.clone()),
        Some(format!("Basic {valid}")),
        Some(format!("Token {valid}x")),
        Some("Bearer a.b.c".into()),
        Some("Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.".into()),
    ];
    for operation in &world.operations() {
        for authorization in &wrong {
            let client = it.client.with(authorization.as_deref());
            let (status, _) = operation.call(&client, Some("{ not json".into())).await;
            assert_eq!(status, 401, "{} with {authorization:?}", operation.id);
        }
    }
    // Both schemes accept both kinds of credential, in any case.
    for word in ["Token", "Bearer", "token", "BEARER"] {
        it.client.with(Some(&format!("{word} {valid}"))).get("/organization").await.expect(200);
    }
}

/// Callers of another organization get 404 for every id.
#[tokio::test]
async fn a_stranger_finds_nothing() {
    let app = TestApp::new().await;
    let world = World::new(&app).await;
    let stranger = stranger(&app).await;
    for operation in &world.operations() {
        for body in [Some("{}".to_owned()), world.body(&operation.id)] {
            let (status, body) = operation.call(&stranger, body).await;
            let expected: &[u16] = match operation.id.as_str() {
                open if OPEN.contains(&open) => &[200],
                "createOrganization" | "editAccountInformation" => &[400, 403],
                // The body is parsed before the organization is looked up.
                _ if operation.writes => &[404, 400],
                _ => &[404],
            };
            assert!(expected.contains(&status), "{} was answered {status}: {body}", operation.id);
            assert!(!body.to_string().contains("acme"), "{} leaks: {body}", operation.id);
        }
        // With a valid body the only response is 404.
        let (status, _) = operation.call(&stranger, world.body(&operation.id)).await;
        let known = OPEN.contains(&operation.id.as_str())
            || ["createOrganization", "editAccountInformation"].contains(&operation.id.as_str());
        assert!(known || status == 404, "{} was answered {status}", operation.id);
    }
}

/// Ids of another organization in the paths of the caller's own.
#[tokio::test]
async fn ids_do_not_cross_organizations() {
    let app = TestApp::new().await;
    // The administrators of the first organization reach the access tokens of everybody.
    app.organization("server").await;
    let (ours, theirs) = (World::new(&app).await, World::new(&app).await);
    let names: Vec<&str> = ours.ids.keys().copied().filter(|name| name.ends_with("Id")).collect();
    for operation in ours.operations() {
        for name in &names {
            // One id is foreign; the rest of the path is our own.
            let parameter = format!("{{{name}}}");
            if !operation.template.contains(&parameter) {
                continue;
            }
            let project_rule = *name == "deploymentRuleId" && operation.template.starts_with("/project");
            let name = if project_rule { &"project rule" } else { name };
            let of_agents = *name == "clusterId" && operation.template.contains("{clusterId}/agent");
            let name = if of_agents { &"cluster of agents" } else { name };
            let path = operation.path.replace(&ours.ids[name], &theirs.ids[name]);
            // The rule of an environment has the id of the environment: both are replaced.
            let operation = Operation { path, ..operation.clone() };
            let (status, body) = operation.call(&ours.it.client, ours.body(&operation.id)).await;
            assert_eq!(status, 404, "{} with a foreign {name}: {body}", operation.id);
        }
    }
    // Foreign ids in bodies and queries.
    let (client, ids) = (&ours.it.client, &theirs.ids);
    let environment = &ours.ids["environmentId"];
    let mut job = ours.it.cron("foreign", "@daily");
    for (path, value) in [
        ("/source/image/registry_id", json!(ids["containerRegistryId"])),
        ("/annotations_groups", json!([{"id": ids["annotationsGroupId"]}])),
        ("/labels_groups", json!([{"id": ids["labelsGroupId"]}])),
    ] {
        let mut wrong = job.clone();
        match wrong.pointer_mut(path) {
            Some(place) => *place = value,
            None => wrong[path.trim_start_matches('/')] = value,
        }
        client.post(&format!("/environment/{environment}/job"), wrong).await.expect(400);
    }
    job["source"] = json!({"docker": {"git_repository": {
        "url": "https://github.com/acme/a.git", "provider": "GITHUB", "git_token_id": ids["gitTokenId"],
    }}});
    client.post(&format!("/environment/{environment}/job"), job).await.expect(400);
    let clone = json!({"name": "x", "environment_id": ids["environmentId"]});
    client.post(&format!("/job/{}/clone", ours.ids["jobId"]), clone).await.expect(404);
    for (key, id) in [("project_id", "projectId"), ("cluster_id", "clusterId")] {
        let clone = json!({"name": "x", key: ids[id]});
        let status = client.post(&format!("/environment/{environment}/clone"), clone).await.status;
        assert!(matches!(status, 400 | 404), "{key}: {status}");
    }
    let new = json!({"name": "x", "cluster": ids["clusterId"]});
    client.post(&format!("/project/{}/environment", ours.ids["projectId"]), new).await.expect(400);
    client.get(&format!("/variable?parent_id={}&scope=JOB", ids["jobId"])).await.expect(404);
    for path in ["service/stop", "service/delete", "service/uninstall", "cleanFailedJobs"] {
        let body = json!({"job_ids": [ids["jobId"]]});
        client.post(&format!("/environment/{environment}/{path}"), body).await.expect(400);
    }
    let deploy = json!({"jobs": [{"id": ids["jobId"]}]});
    client.post(&format!("/environment/{environment}/service/deploy"), deploy).await.expect(400);
    let token = json!({"name": "x", "role_id": ids["customRoleId"]});
    let organization = ours.it.organization;
    client.post(&format!("/organization/{organization}/apiToken"), token).await.expect(400);
    let listed = client.get(&format!("/organization/{organization}/services?project_id={}", ids["projectId"])).await;
    assert_eq!(listed.expect(200), json!({"results": []}));
}

#[tokio::test]
async fn a_viewer_reads_and_writes_nothing() {
    let app = TestApp::new().await;
    let world = World::new(&app).await;
    let viewer = app.token(world.it.organization, Role::Viewer).await;
    let custom = custom(&app, &world, "VIEWER", "VIEWER").await;
    let before = world.it.client.get("/organization").await.text;
    for operation in &world.operations() {
        for (who, client) in [("fixed", &viewer), ("custom", &custom)] {
            let (status, text) = operation.call(client, world.body(&operation.id)).await;
            let expected = match operation.id.as_str() {
                "getOrganizationEvents" | "getOrganizationEventTargets" if who == "fixed" => &[200][..],
                guarded if GUARDED.contains(&guarded) => &[403],
                "createOrganization" | "editAccountInformation" | "postAcceptInviteMember" => &[403],
                "autoDeployJobEnvironments" => &[202],
                _ if operation.writes => &[403],
                // These query registries and repositories that do not answer.
                "getContainerVersions" | "listJobCommit" => &[400],
                _ => &[200],
            };
            assert!(expected.contains(&status), "{who} {} was answered {status}: {text}", operation.id);
        }
    }
    assert_eq!(world.it.client.get("/organization").await.text, before);
    assert_eq!(PEOPLE.len(), 3);
}

/// A custom role without access to a project gets 404 for everything in it.
#[tokio::test]
async fn a_role_without_access_sees_no_project() {
    let app = TestApp::new().await;
    let world = World::new(&app).await;
    let nobody = custom(&app, &world, "NO_ACCESS", "VIEWER").await;
    for operation in &world.operations() {
        let place = operation.template.split('/').nth(1).unwrap();
        if !matches!(place, "project" | "environment" | "job" | "run" | "deploymentStage" | "service" | "variable") {
            continue;
        }
        let (status, text) = operation.call(&nobody, world.body(&operation.id)).await;
        assert_eq!(status, 404, "{}: {text}", operation.id);
    }
    for list in ["project", "environments", "services", "project/stats"] {
        let path = format!("/organization/{}/{list}", world.it.organization);
        assert_eq!(nobody.get(&path).await.expect(200), json!({"results": []}), "{list}");
    }
}

#[tokio::test]
async fn a_deployer_deploys_and_a_manager_manages() {
    let app = TestApp::new().await;
    let deployer_world = World::new(&app).await;
    let deployer = custom(&app, &deployer_world, "DEPLOYER", "VIEWER").await;
    for operation in deployer_world.operations().iter().filter(|operation| operation.writes) {
        let (status, text) = operation.call(&deployer, deployer_world.body(&operation.id)).await;
        let allowed = DEPLOYS.contains(&operation.id.as_str());
        assert_eq!(status != 403, allowed, "deployer {} was answered {status}: {text}", operation.id);
        assert_ne!(status, 404, "deployer {}: {text}", operation.id);
    }
    let shared = World::new(&app).await;
    let refused = custom(&app, &shared, "MANAGER", "VIEWER").await;
    for operation in shared.operations().into_iter().filter(|operation| operation.writes) {
        let inside =
            ["/environment/", "/job/", "/check/", "/run/", "/deploymentStage/", "/deploymentQueue/", "/variable"];
        let inside = inside.iter().any(|place| operation.template.starts_with(place));
        // A manager does not administer the project, and may only view the clusters.
        let allowed = (inside && operation.id != "cloneEnvironment") || operation.id == "autoDeployJobEnvironments";
        let of_project = ["editVariable", "deleteVariable"].contains(&operation.id.as_str());
        let allowed = allowed && !of_project;
        // What is refused changes nothing for the next one.
        let (status, text) = if allowed {
            let fresh = World::new(&app).await;
            let manager = custom(&app, &fresh, "MANAGER", "VIEWER").await;
            let operation = fresh.operations().into_iter().find(|other| other.id == operation.id).unwrap();
            operation.call(&manager, fresh.body(&operation.id)).await
        } else {
            operation.call(&refused, shared.body(&operation.id)).await
        };
        assert_eq!(status != 403, allowed, "manager {} was answered {status}: {text}", operation.id);
    }
}

#[tokio::test]
async fn each_role_by_its_operations() {
    let app = TestApp::new().await;
    let world = World::new(&app).await;
    let list = world.operations();
    let operation = |wanted: &str| list.iter().find(|o| o.id == wanted).unwrap();
    let cases = [
        (Role::Devops, "editOrganization", 403),
        (Role::Devops, "createOrganizationApiToken", 403),
        (Role::Devops, "createCluster", 403),
        (Role::Devops, "postInviteMember", 403),
        (Role::Devops, "createProject", 200),
        (Role::Devops, "createJob", 201),
        (Role::Devops, "deployJob", 202),
        (Role::Devops, "createContainerRegistry", 201),
        (Role::Devops, "createOrganizationWebhook", 201),
        (Role::Billing, "getOrganization", 200),
        (Role::Billing, "listOrganizationCluster", 200),
        (Role::Billing, "getJob", 404),
        (Role::Billing, "editJob", 404),
        (Role::Billing, "getProject", 404),
        (Role::Billing, "listContainerRegistry", 404),
        (Role::Billing, "getOrganizationGitToken", 404),
        (Role::Billing, "editOrganization", 403),
        (Role::Admin, "editOrganization", 200),
        (Role::Admin, "createOrganizationApiToken", 201),
    ];
    for (role, wanted, expected) in cases {
        let client = app.token(world.it.organization, role).await;
        let mut body: Value = serde_json::from_str(&world.body(wanted).unwrap_or("{}".into())).unwrap();
        if matches!(wanted, "createJob" | "createProject") {
            body["name"] = json!(format!("{role:?}"));
        }
        let (status, text) = operation(wanted).call(&client, Some(body.to_string())).await;
        assert_eq!(status, expected, "{role:?} {wanted}: {text}");
    }
}

/// A change of a role applies at once, also to existing tokens.
#[tokio::test]
async fn a_custom_role_changes_at_once() {
    let app = TestApp::new().await;
    let world = World::new(&app).await;
    let client = custom(&app, &world, "VIEWER", "VIEWER").await;
    let job = format!("/job/{}", world.ids["jobId"]);
    client.get(&job).await.expect(200);
    client.delete(&job).await.expect(403);
    let roles = format!("/organization/{}/customRole", world.it.organization);
    let list = world.it.client.get(&roles).await.expect(200);
    let row = list["results"].as_array().unwrap().iter().find(|row| row["name"] == "VIEWER VIEWER").unwrap().clone();
    let matrix = json!({"name": "now", "cluster_permissions": [], "project_permissions": [
        {"project_id": world.ids["projectId"], "is_admin": true},
    ]});
    world.it.client.put(&format!("{roles}/{}", id(&row)), matrix).await.expect(200);
    client.put(&job, json!({"name": "mine"})).await.expect(200);
    client.put(&format!("/project/{}", world.ids["projectId"]), json!({"name": "mine"})).await.expect(200);
    let detail = world.it.client.delete(&format!("{roles}/{}", id(&row))).await.detail(409);
    assert!(detail.contains("tokens"), "{detail}");
}
