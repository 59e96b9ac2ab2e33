//! Webhook requests.

use entity::environment::Mode;
use entity::webhook::OwnEvent;
use poem_openapi::Object;
use serde::Deserialize;

use super::super::environment::EnvironmentModeEnum;
use super::event_name::OrganizationWebhookEventName;
use super::response::{OrganizationWebhookKindEnum, OrganizationWebhookOwnEventEnum};
use crate::engine::settings::webhook_settings::WantedWebhook;

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
    events: Vec<OrganizationWebhookEventName>,
    #[serde(default)]
    #[oai(default)]
    own_events: Option<Vec<OrganizationWebhookOwnEventEnum>>,
    #[serde(default)]
    #[oai(default)]
    project_names_filter: Option<Vec<String>>,
    #[serde(default)]
    #[oai(default)]
    environment_types_filter: Option<Vec<EnvironmentModeEnum>>,
}

impl From<OrganizationWebhookCreateRequest> for WantedWebhook {
    fn from(request: OrganizationWebhookCreateRequest) -> Self {
        let OrganizationWebhookCreateRequest {
            kind,
            target_url,
            target_secret,
            description,
            enabled,
            events,
            own_events,
            project_names_filter,
            environment_types_filter,
        } = request;
        let (events, own) = OrganizationWebhookEventName::parted(events);
        // Without a list of their own, none among the events says nothing about them.
        let own_events = match own_events {
            Some(more) => Some(own.into_iter().chain(more.into_iter().map(OwnEvent::from)).collect()),
            None => Some(own).filter(|own| !own.is_empty()),
        };
        Self {
            kind: kind.into(),
            target_url,
            target_secret,
            description,
            enabled,
            events,
            own_events,
            project_names: project_names_filter.unwrap_or_default(),
            modes: environment_types_filter.unwrap_or_default().into_iter().map(Mode::from).collect(),
        }
    }
}
