//! An organization with one of everything, and every operation of the contract with a path and a valid body for it.

use std::collections::BTreeMap;

/// A complete kubeconfig of a cluster that does not answer.
pub(crate) const KUBECONFIG: &str = "apiVersion: v1\nkind: Config\ncurrent-context: x\nclusters: [{name: hidden-cluster, cluster: {server: 'https://127.0.0.1:1'}}]\ncontexts: [{name: x, context: {cluster: hidden-cluster, user: u}}]\nusers: [{name: u, user: {token: t}}]\n";

use entity::id::{AccessTokenId, OrganizationId, PersonId};
use entity::member::Role;
use poem::http::Method;
use serde_json::{Value, json};
use windlass::store;

use crate::harness::{Client, Furnished, TestApp, id};
use crate::validate::CONTRACT;

/// One of everything, by the name of its path parameter.
pub(crate) struct World {
    pub(crate) it: Furnished,
    pub(crate) ids: BTreeMap<&'static str, String>,
}

/// An operation of the contract.
#[derive(Clone)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: Method,
    /// With parameters.
    pub(crate) template: String,
    /// With the ids of a world.
    pub(crate) path: String,
    pub(crate) writes: bool,
    pub(crate) has_body: bool,
    /// The statuses that the contract names.
    pub(crate) statuses: Vec<u16>,
}

/// A cluster with a kubeconfig.
async fn far_cluster(client: &Client, clusters: &str) -> String {
    let cluster =
        json!({"name": "far", "region": "here", "cloud_provider": "ON_PREMISE", "kubernetes": "SELF_MANAGED"});
    let cluster = id(&client.post(clusters, cluster).await.expect(201));
    let kubeconfig = format!("{clusters}/{cluster}/kubeconfig");
    client.call(Method::PUT, &kubeconfig, Some(KUBECONFIG.into())).await.expect(204);
    cluster
}

/// A cluster with an agent.
async fn cluster_of_agents(client: &Client, clusters: &str) -> [(&'static str, String); 2] {
    let body = json!({"name": "unreachable", "region": "here", "cloud_provider": "ON_PREMISE"});
    let cluster = id(&client.post(clusters, body).await.expect(201));
    let agent = client.post(&format!("{clusters}/{cluster}/agent"), json!({"name": "a"})).await.expect(201);
    [("agentId", id(&agent)), ("cluster of agents", cluster)]
}

async fn built_in_variable(client: &Client, project: &str) -> String {
    let listed = client.get(&format!("/project/{project}/environmentVariable")).await.expect(200);
    id(listed["results"].as_array().unwrap().iter().find(|row| row["scope"] == "BUILT_IN").unwrap())
}

fn annotations() -> Value {
    json!({"name": "a", "annotations": [{"key": "a", "value": "b"}], "scopes": ["PODS"]})
}

fn labels() -> Value {
    json!({"name": "l", "labels": [{"key": "a", "value": "b", "propagate_to_cloud_provider": false}]})
}

impl World {
    pub(crate) async fn new(app: &TestApp) -> Self {
        let it = app.furnished().await;
        let client = &it.client;
        let (organization, project, environment) = (it.organization, it.project.clone(), it.environment.clone());
        let in_organization = |path: &str| format!("/organization/{organization}/{path}");
        let post = async |path: String, body: Value| id(&client.post(&path, body).await.expect(201));
        let job = it.create(it.cron("cron", "@daily")).await;
        let mut ids = BTreeMap::from([
            ("organizationId", organization.to_string()),
            ("projectId", project.clone()),
            ("environmentId", environment.clone()),
            ("deploymentRuleId", environment.clone()),
            ("containerRegistryId", it.registry.clone()),
            ("jobId", job.clone()),
            ("serviceId", job.clone()),
        ]);
        let clusters = client.get(&in_organization("cluster")).await.expect(200);
        let local = id(&clusters["results"][0]);
        ids.insert("local cluster", local.clone());
        ids.insert("annotationsGroupId", post(in_organization("annotationsGroups"), annotations()).await);
        ids.insert("labelsGroupId", post(in_organization("labelsGroups"), labels()).await);
        ids.insert("apiTokenId", post(in_organization("apiToken"), json!({"name": "t", "role_id": null})).await);
        ids.insert("accessTokenId", access_token(app, organization).await);
        let token = json!({"name": "g", "type": "GITHUB", "token": "secret-git-token"});
        ids.insert("gitTokenId", post(in_organization("gitToken"), token).await);
        ids.insert("customRoleId", post(in_organization("customRole"), json!({"name": "made"})).await);
        ids.insert("inviteId", post(in_organization("inviteMember"), json!({"email": "invited@example.com"})).await);
        ids.insert("clusterId", far_cluster(client, &in_organization("cluster")).await);
        ids.extend(cluster_of_agents(client, &in_organization("cluster")).await);
        let calendar = json!({"name": "closed", "days": ["2026-12-25"]});
        ids.insert("calendarId", post(in_organization("calendar"), calendar).await);
        ids.insert("webhookId", post(in_organization("webhook"), webhook()).await);
        ids.insert("pushHookId", post(in_organization("pushHook"), json!({"name": "gitea"})).await);
        ids.insert("alertReceiverId", post("/alert-receivers".into(), alert_receiver(organization)).await);
        let target = ("ENVIRONMENT", environment.as_str());
        ids.insert("alertRuleId", post("/alert-rules".into(), alert_rule(organization, &local, target)).await);
        let silence = json!({"ends_at": "2027-01-01T00:00:00Z", "target": {"type": "ENVIRONMENT", "id": environment}});
        ids.insert("alertSilenceId", post(in_organization("alert-silence"), silence).await);
        let restriction = json!({"mode": "MATCH", "type": "PATH", "value": "src/"});
        ids.insert("deploymentRestrictionId", post(format!("/job/{job}/deploymentRestriction"), restriction).await);
        let rule = post(format!("/project/{project}/deploymentRule"), project_rule(&local, "first")).await;
        ids.insert("project rule", rule);
        let stages = client.get(&format!("/environment/{environment}/deploymentStage")).await.expect(200);
        ids.insert("deploymentStageId", id(&stages["results"][0]));
        ids.insert("stageId", id(&stages["results"][2]));
        let check = json!({"name": "elsewhere", "period_seconds": 86_400});
        ids.insert("checkId", post(format!("/environment/{environment}/check"), check).await);
        for (scope, parent) in [("project", &project), ("environment", &environment), ("job", &job)] {
            ids.extend(variables(client, scope, parent).await);
        }
        ids.insert("variableId", ids["project variable"].clone());
        ids.insert("built-in variable", built_in_variable(client, &project).await);
        client.post(&format!("/job/{job}/deploy?forceEvent=CRON"), json!({})).await.expect(202);
        app.settle().await;
        app.runner.exit_all(0);
        app.settle().await;
        let span = json!({"from": "2026-11-01T00:00:00Z", "until": "2026-11-02T00:00:00Z"});
        let backfill = it.client.post(&format!("/job/{job}/backfill"), span).await.expect(202);
        ids.insert("backfillId", id(&backfill));
        // A run that is still running, so that it can be cancelled.
        let run = it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
        app.settle().await;
        ids.insert("runId", id(&run));
        let lifecycle = it.create(it.lifecycle("events")).await;
        client.post(&format!("/job/{lifecycle}/deploy"), json!({})).await.expect(202);
        app.settle().await;
        // Queued behind the deployment that is still running.
        let queued = client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
        ids.insert("deploymentRequestId", queued["deployment_request_id"].as_str().unwrap().to_owned());
        Self { it, ids }
    }

    /// The path of a template, with the ids of this world.
    fn path(&self, template: &str) -> String {
        let mut path = template.to_owned();
        let own = template.split('/').nth(1).unwrap_or_default().to_owned();
        // An override needs a variable of a wider scope; no secret has a wider scope than the project.
        let scope = match own.as_str() {
            "job" if template.ends_with("/override") => "environment",
            "environment" if template.ends_with("/override") => "project",
            "project" if template.ends_with("environmentVariableId}/override") => "built-in",
            own => own,
        };
        for (parameter, kind) in [("{environmentVariableId}", "variable"), ("{secretId}", "secret")] {
            if path.contains(parameter) {
                path = path.replace(parameter, &self.ids[format!("{scope} {kind}").as_str()]);
            }
        }
        if template.contains("{clusterId}/agent") {
            path = path.replace("{clusterId}", &self.ids["cluster of agents"]);
        }
        if own == "project" {
            path = path.replace("{deploymentRuleId}", &self.ids["project rule"]);
        }
        for (name, id) in &self.ids {
            path = path.replace(&format!("{{{name}}}"), id);
        }
        assert!(!path.contains('{'), "{template} has a parameter without an id in this world");
        let (project, job) = (&self.ids["projectId"], &self.ids["jobId"]);
        match template {
            "/variable" => format!("{path}?parent_id={project}&scope=PROJECT"),
            "/schedule/preview" => format!("{path}?scheduled_at=@daily"),
            "/variable/import" => format!("{path}?service_id={job}&service_type=JOB"),
            _ => path,
        }
    }

    /// Every operation of the contract.
    pub(crate) fn operations(&self) -> Vec<Operation> {
        let mut found = Vec::new();
        for (template, item) in CONTRACT["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let method: Method = method.to_uppercase().parse().unwrap();
                let statuses = operation["responses"].as_object().unwrap().keys();
                found.push(Operation {
                    id: operation["operationId"].as_str().unwrap().to_owned(),
                    writes: method != Method::GET,
                    has_body: operation.get("requestBody").is_some(),
                    method,
                    template: template.clone(),
                    path: self.path(template),
                    statuses: statuses.map(|status| status.parse().unwrap()).collect(),
                });
            }
        }
        found
    }

    /// The example of the contract with the ids of this world: a valid body, so that only the role of the caller can forbid
    /// the call.
    pub(crate) fn body(&self, operation: &str) -> Option<String> {
        let example = example(operation)?;
        let mut text = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
        for (name, shown) in parameter_examples() {
            let id = match (operation, name) {
                ("updateDeploymentRulesPriorityOrder", "deploymentRuleId") => &self.ids["project rule"],
                (_, "environmentVariableId" | "secretId") => continue,
                _ => &self.ids[name],
            };
            text = text.replace(shown, id);
        }
        // Nobody's id.
        Some(text.replace(PERSON, &self.ids["jobId"]))
    }
}

/// The id of a person in the examples.
pub(crate) const PERSON: &str = "00000000-0000-4000-8000-000000000099";

/// The example of the body of an operation.
pub(crate) fn example(operation: &str) -> Option<&'static Value> {
    let items = CONTRACT["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let found = items.into_iter().find(|found| found["operationId"] == operation)?;
    found.get("requestBody")?["content"].as_object().unwrap().values().next()?.get("example")
}

/// The ids that the examples of the contract contain, each with the name of its parameter.
fn parameter_examples() -> impl Iterator<Item = (&'static str, &'static str)> {
    let parameters = CONTRACT["components"]["parameters"].as_object().unwrap();
    parameters.values().filter_map(|one| Some((one["name"].as_str()?, one["example"].as_str()?)))
}

/// A variable and a secret of the scope.
async fn variables(client: &Client, scope: &str, parent: &str) -> [(&'static str, String); 2] {
    let path = |kind: &str| format!("/{scope}/{parent}/{kind}");
    let variable = json!({"key": format!("PLAIN_{scope}"), "value": "1"});
    let variable = client.post(&path("environmentVariable"), variable).await.expect(201);
    let secret = json!({"key": format!("SECRET_{scope}"), "value": "hidden-value"});
    let secret = client.post(&path("secret"), secret).await.expect(201);
    let (variable_name, secret_name) = match scope {
        "project" => ("project variable", "project secret"),
        "environment" => ("environment variable", "environment secret"),
        _ => ("job variable", "job secret"),
    };
    [(variable_name, id(&variable)), (secret_name, id(&secret))]
}

/// A rule for environments whose names begin with "feat-".
pub(crate) fn project_rule(cluster: &str, name: &str) -> Value {
    json!({
        "name": name, "mode": "STAGING", "cluster_id": cluster, "timezone": "Etc/UTC", "wildcard": "feat-*",
        "start_time": "1970-01-01T11:00:00Z", "stop_time": "1970-01-01T12:00:00Z", "weekdays": ["SUNDAY"],
        "auto_stop": true,
    })
}

pub(crate) fn alert_receiver(organization: OrganizationId) -> Value {
    json!({
        "organization_id": organization, "name": "on-call", "description": "", "type": "SLACK", "send_resolved": true,
        "webhook_url": "https://hooks.slack.example.com/services/hidden-token",
    })
}

/// A rule for failed runs, without receivers.
pub(crate) fn alert_rule(organization: OrganizationId, cluster: &str, (kind, target): (&str, &str)) -> Value {
    json!({
        "organization_id": organization, "cluster_id": cluster, "name": "failed", "description": "", "tag": "",
        "condition": {"kind": "BUILT", "promql": "run_failed"}, "for_duration": "PT0S", "severity": "HIGH",
        "enabled": true, "alert_receiver_ids": [], "presentation": {},
        "target": {"target_type": kind, "target_id": target},
    })
}

pub(crate) fn webhook() -> Value {
    json!({
        "kind": "STANDARD", "target_url": "https://hooks.example.com/x", "target_secret": "hidden-secret",
        "events": ["DEPLOYMENT_STARTED", "DEPLOYMENT_SUCCESSFUL"],
    })
}

impl Operation {
    pub(crate) async fn call(&self, client: &Client, body: Option<String>) -> (u16, Value) {
        let answer = client.call(self.method.clone(), &self.path, body).await;
        (answer.status, answer.body)
    }
}

/// A caller with a new custom role: one permission for every mode of the project, and one for every cluster.
pub(crate) async fn custom(app: &TestApp, world: &World, permission: &str, cluster: &str) -> Client {
    let organization = world.it.organization;
    let client = &world.it.client;
    let roles = format!("/organization/{organization}/customRole");
    let role = id(&client.post(&roles, json!({"name": format!("{permission} {cluster}")})).await.expect(201));
    let modes = ["DEVELOPMENT", "PREVIEW", "STAGING", "PRODUCTION"];
    let permissions: Vec<_> =
        modes.iter().map(|mode| json!({"environment_type": mode, "permission": permission})).collect();
    let clusters = client.get(&format!("/organization/{organization}/cluster")).await.expect(200);
    let clusters: Vec<_> = clusters["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| json!({"cluster_id": row["id"], "permission": cluster}))
        .collect();
    let matrix = json!({
        "name": format!("{permission} {cluster}"),
        "cluster_permissions": clusters,
        "project_permissions": [{"project_id": world.ids["projectId"], "permissions": permissions}],
    });
    client.put(&format!("{roles}/{role}"), matrix).await.expect(200);
    let token = json!({"name": permission, "role_id": role});
    let token = client.post(&format!("/organization/{organization}/apiToken"), token).await.expect(201);
    app.client(Some(format!("Token {}", token["token"].as_str().unwrap())))
}

/// An administrator of another organization.
pub(crate) async fn stranger(app: &TestApp) -> Client {
    let other = app.organization("other").await;
    app.token(other, Role::Admin).await
}

/// A personal access token of a new member of an organization.
async fn access_token(app: &TestApp, organization: OrganizationId) -> String {
    let (db, now) = (&app.app.db, app.clock.now());
    let person = PersonId::create();
    let row = entity::person::Model {
        id: person,
        created_at: now,
        issuer: "https://issuer.example".into(),
        subject: person.to_string(),
        email: None,
        name: Some("member".into()),
        communication_email: None,
        groups: None,
    };
    store::person::create(db, row).await.unwrap();
    store::person::add_member(db, organization, person, (Role::Viewer, None), now).await.unwrap();
    let row = entity::access_token::Model {
        id: AccessTokenId::create(),
        person_id: Some(person),
        created_at: now,
        created_by: "member".into(),
        name: "member".into(),
        description: None,
        groups: json!([]),
        hash: person.to_string(),
        expires_at: None,
        last_used_at: None,
        creator_id: Some(person),
        lifetime: None,
    };
    store::row::create(db, row).await.unwrap().id.to_string()
}
