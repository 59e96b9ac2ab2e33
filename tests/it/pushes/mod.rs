//! Runs on push: deliveries of each provider, what they start, and what is reported back.

mod auto_deploy;
mod deliveries;
mod hooked_polls;
mod killed;
pub(crate) mod payloads;
mod polls;
mod provider;
mod push_hook_settings;
mod push_hooks;
mod reports;
mod set_up;

use hmac::{Hmac, KeyInit as _, Mac as _};
use poem::http::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::harness::{Answer, TestApp};
use crate::terrakube::{House, id, new};

const SECRET: &str = "a secret of the test";

/// A house with a workspace whose webhook follows `main`.
pub(crate) struct Followed {
    pub(crate) house: House,
    pub(crate) workspace: String,
    pub(crate) hook: String,
}

pub(crate) fn signature(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The headers of a delivery.
pub(crate) type Headers = Vec<(&'static str, String)>;

/// The headers that GitHub sends.
pub(crate) fn of_github(secret: &str, event: &str, delivery: &str, body: &str) -> Headers {
    vec![
        ("x-github-event", event.to_owned()),
        ("x-github-delivery", delivery.to_owned()),
        ("x-hub-signature-256", format!("sha256={}", signature(secret, body))),
    ]
}

/// Delivers JSON to a push hook, whose address is in no contract.
pub(crate) async fn deliver(app: &TestApp, hook: &str, headers: &[(&str, String)], body: &str) -> Answer {
    let mut all: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    if !all.iter().any(|(name, _)| *name == "content-type") {
        all.push(("content-type", "application/json"));
    }
    let (status, text) = app.client(None).raw_call("POST", &format!("/push/{hook}"), Some(body), &all).await;
    let body = serde_json::from_str(&text).unwrap_or_default();
    Answer { status, text, body }
}

impl Followed {
    pub(crate) async fn new() -> Self {
        Self::of(TestApp::new().await, "https://git.example/acme/infra.git").await
    }

    pub(crate) async fn of(app: TestApp, source: &str) -> Self {
        let house = House::of(app).await;
        let attributes = json!({"name": "net", "source": source, "branch": "main"});
        let workspace = house.create("workspace", "workspace", attributes).await;
        let path = house.path(&format!("workspace/{workspace}/webhook"));
        let hook = id(&house.client.post(&path, new("webhook", json!({"secret": SECRET}))).await.expect(201));
        Self { house, workspace, hook }
    }

    /// Adds an event with these attributes, and the template `Plan and apply` if they name none.
    pub(crate) async fn event(&self, mut attributes: Value) -> String {
        if attributes.get("templateId").is_none() {
            attributes["templateId"] = json!(self.house.template("Plan and apply").await);
        }
        id(&self.add_event(attributes).await.expect(201))
    }

    pub(crate) async fn add_event(&self, attributes: Value) -> Answer {
        let path = format!("/api/v1/webhook/{}/events", self.hook);
        self.house.client.post(&path, new("webhook_event", attributes)).await
    }

    pub(crate) async fn send(&self, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut all = headers.to_vec();
        all.push(("content-type", "application/json"));
        let path = format!("/webhook/v2/{}", self.hook);
        self.house.app.client(None).call_with(Method::POST, &path, Some(body), &all).await
    }

    /// Delivers as GitHub does.
    pub(crate) async fn github(&self, event: &str, delivery: &str, payload: &Value) -> Answer {
        let body = payload.to_string();
        let signature = format!("sha256={}", signature(SECRET, &body));
        let headers =
            [("x-github-event", event), ("x-github-delivery", delivery), ("x-hub-signature-256", signature.as_str())];
        self.send(&headers, &body).await
    }

    /// The only result of a delivery.
    #[track_caller]
    pub(crate) fn result(answer: Answer, status: u16) -> (String, String) {
        let body = answer.expect(status);
        let results = body["results"].as_array().unwrap();
        assert_eq!(results.len(), 1, "{body}");
        let text = |name: &str| results[0][name].as_str().unwrap_or_default().to_owned();
        (text("outcome"), text("reason"))
    }

    /// The number of the job that a delivery started.
    #[track_caller]
    pub(crate) fn started(answer: Answer) -> String {
        let body = answer.expect(200);
        assert_eq!(body["results"][0]["outcome"], "STARTED", "{body}");
        body["results"][0]["job"].as_str().unwrap().to_owned()
    }

    /// The attributes of a job.
    pub(crate) async fn job(&self, job: &str) -> Value {
        self.house.get(&format!("job/{job}")).await["data"]["attributes"].clone()
    }
}
