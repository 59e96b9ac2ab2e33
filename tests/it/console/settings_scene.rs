//! Somebody at the settings of an organization.

use entity::member::Role;
use serde_json::Value;

use super::browser::Browser;
use crate::harness::{Furnished, TestApp};

pub(super) struct Scene {
    pub(super) app: TestApp,
    pub(super) it: Furnished,
    pub(super) me: Browser,
    /// The address of the settings.
    pub(super) settings: String,
}

impl Scene {
    pub(super) async fn new(role: Role) -> Self {
        let app = TestApp::new().await;
        let it = app.furnished().await;
        let me = Browser::new(&app, it.organization, role).await;
        let settings = format!("/console/organization/{}/settings", it.organization);
        Self { app, it, me, settings }
    }

    /// What the API lists of the organization.
    pub(super) async fn rows(&self, kind: &str) -> Vec<Value> {
        let body = self.it.client.get(&format!("/organization/{}/{kind}", self.it.organization)).await.expect(200);
        body["results"].as_array().unwrap().clone()
    }

    pub(super) async fn named(&self, kind: &str, name: &str) -> Value {
        self.rows(kind).await.into_iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no {name}"))
    }
}
