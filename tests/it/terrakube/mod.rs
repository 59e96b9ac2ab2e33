//! The Terrakube-compatible API.

mod access;
mod client_requests;
mod contract;
pub(crate) mod drift;
mod expressions;
mod flow;
mod newest_state;
mod pairs;
mod places;
mod plans;
mod protocol;
mod refusals;
mod rights;
mod sources;
mod state_versions;
mod states;
pub(crate) mod terraform;
mod tokens;
mod waiting;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use entity::id::OrganizationId;
use entity::member::Role;
use serde_json::{Value, json};

use crate::harness::{Answer, Client, TestApp};

/// An organization with its templates, and an administrator of it.
pub(crate) struct House {
    pub(crate) app: TestApp,
    pub(crate) client: Client,
    pub(crate) organization: OrganizationId,
}

/// The id of the resource in a response.
pub(crate) fn id(body: &Value) -> String {
    body["data"]["id"].as_str().unwrap_or_else(|| panic!("no id in {body}")).to_owned()
}

/// The detail of an error with this status.
#[track_caller]
pub(crate) fn detail(answer: Answer, status: u16) -> String {
    answer.expect(status)["errors"][0]["detail"].as_str().unwrap().to_owned()
}

/// A document about a new resource.
pub(crate) fn new(kind: &str, attributes: Value) -> Value {
    json!({"data": {"type": kind, "attributes": attributes}})
}

/// A document about a change.
pub(crate) fn change(kind: &str, id: &str, attributes: Value) -> Value {
    json!({"data": {"type": kind, "id": id, "attributes": attributes}})
}

/// A template as it is sent.
pub(crate) fn tcl(yaml: &str) -> String {
    STANDARD.encode(yaml)
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::of(TestApp::new().await).await
    }

    pub(crate) async fn of(app: TestApp) -> Self {
        let organization = app.organization("acme").await;
        windlass::bootstrap::add_missing_templates(&app.app).await.unwrap();
        let client = app.token(organization, Role::Admin).await;
        Self { app, client, organization }
    }

    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/api/v1/organization/{}/{rest}", self.organization)
    }

    pub(crate) async fn get(&self, rest: &str) -> Value {
        self.client.get(&self.path(rest)).await.expect(200)
    }

    pub(crate) async fn create(&self, collection: &str, kind: &str, attributes: Value) -> String {
        id(&self.client.post(&self.path(collection), new(kind, attributes)).await.expect(201))
    }

    pub(crate) async fn workspace(&self, name: &str) -> String {
        self.create("workspace", "workspace", json!({"name": name, "source": "https://git.example/infra.git"})).await
    }

    /// The id of a template by its name.
    pub(crate) async fn template(&self, name: &str) -> String {
        let found = self.get(&format!("template?filter[template]=name=='{}'", name.replace(' ', "%20"))).await;
        found["data"][0]["id"].as_str().unwrap_or_else(|| panic!("no template {name}")).to_owned()
    }

    /// Starts a job with these attributes.
    pub(crate) async fn start(&self, workspace: &str, attributes: Value) -> String {
        id(&self.ask(&self.client, workspace, attributes).await.expect(201))
    }

    /// The answer to somebody who asks for a job with these attributes.
    pub(crate) async fn ask(&self, caller: &Client, workspace: &str, attributes: Value) -> Answer {
        let mut body = new("job", attributes);
        body["data"]["relationships"] = json!({"workspace": {"data": {"type": "workspace", "id": workspace}}});
        caller.post(&self.path("job"), body).await
    }

    pub(crate) async fn give(&self, job: &str, status: &str) -> Answer {
        self.client.patch(&self.path(&format!("job/{job}")), change("job", job, json!({"status": status}))).await
    }

    /// The status of a job, and those of its steps.
    pub(crate) async fn status(&self, job: &str) -> (String, Vec<String>) {
        let body = self.get(&format!("job/{job}?include=step")).await;
        let status = |one: &Value| one["attributes"]["status"].as_str().unwrap().to_owned();
        let mut steps: Vec<&Value> = body["included"].as_array().into_iter().flatten().collect();
        steps.sort_by_key(|step| step["attributes"]["stepNumber"].as_i64());
        (status(&body["data"]), steps.into_iter().map(status).collect())
    }
}
