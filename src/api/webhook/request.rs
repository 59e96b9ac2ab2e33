//! Webhook requests, and their validation.

use entity::webhook::{Events, Model, Modes, ProjectNames, WebhookEvent};
use poem_openapi::Object;
use serde::Deserialize;

use super::super::environment::EnvironmentModeEnum;
use super::response::{OrganizationWebhookEventEnum, OrganizationWebhookKindEnum};
use crate::app::App;
use crate::engine::faults::Faults;
use crate::engine::limits;
use crate::error::{Error, Result};
use crate::outbound::{self, sign};
use crate::secret::stored_binding::of_webhook;
use crate::secret::{self, moves};

/// Not `Debug`: the request contains the secret.
#[derive(Deserialize, Object)]
pub(super) struct OrganizationWebhookCreateRequest {
    kind: OrganizationWebhookKindEnum,
    target_url: String,
    #[serde(default)]
    #[oai(default)]
    target_secret: Option<String>,
    #[serde(default)]
    #[oai(default)]
    description: Option<String>,
    #[serde(default)]
    #[oai(default)]
    enabled: Option<bool>,
    events: Vec<OrganizationWebhookEventEnum>,
    #[serde(default)]
    #[oai(default)]
    project_names_filter: Option<Vec<String>>,
    #[serde(default)]
    #[oai(default)]
    environment_types_filter: Option<Vec<EnvironmentModeEnum>>,
}

impl OrganizationWebhookCreateRequest {
    /// Validates the request and writes it to a row. An absent secret keeps the stored one, unless it would belong to another host;
    /// an empty one removes it.
    pub(super) fn apply(self, app: &App, mut row: Model) -> Result<Model> {
        let bound = of_webhook(&row);
        row.kind = self.kind.into();
        let mut faults = Faults::default();
        let is_allowed = |url: String| match outbound::check_literal(&url, app.config.webhook_private_addresses) {
            Ok(()) => Ok(url),
            Err(reason) => Err(Error::invalid("target_url", reason)),
        };
        let url = limits::web_address("target_url", &self.target_url).and_then(is_allowed);
        let is_url = url.is_ok();
        row.target_url = faults.note_or(url, row.target_url);
        match self.target_secret {
            None if is_url && row.secret.is_some() && moves(&bound, &of_webhook(&row)) => {
                let text = "must be given again, because target_url has another host; an empty one removes the secret";
                faults.refuse("target_secret", text);
            }
            None => {}
            Some(text) if text.is_empty() => row.secret = None,
            Some(text) => {
                let text = faults.note(limits::text("target_secret", text));
                faults.note(sign::key(&text).map(drop).map_err(|reason| Error::invalid("target_secret", reason)));
                row.secret = Some(app.keys.seal(&secret::place("webhook", row.id.0), text.as_bytes())?);
            }
        }
        if let Some(text) = self.description {
            row.description = Some(faults.note(limits::text("description", text)));
        }
        row.enabled = self.enabled.unwrap_or(row.enabled);
        if self.events.is_empty() || self.events.len() > limits::ITEMS {
            faults.refuse("events", format!("must have 1 to {} items", limits::ITEMS));
        }
        let mut events: Vec<_> = self.events.into_iter().map(WebhookEvent::from).collect();
        events.sort_unstable();
        events.dedup();
        row.events = Events(events);
        let names = limits::list("project_names_filter", self.project_names_filter.unwrap_or_default());
        row.project_names = ProjectNames(faults.note(names));
        let mut modes: Vec<_> = self
            .environment_types_filter
            .unwrap_or_default()
            .into_iter()
            .map(entity::environment::Mode::from)
            .collect();
        modes.sort_unstable();
        modes.dedup();
        row.modes = Modes(modes);
        faults.result()?;
        Ok(row)
    }
}
