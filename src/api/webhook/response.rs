//! Webhook and delivery responses.

use std::collections::BTreeMap;

use entity::webhook::{Model, OwnEvent, WebhookEvent, WebhookKind};
use entity::webhook_delivery;
use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::super::environment::EnvironmentModeEnum;
use super::super::wire::{Timestamp, mirrored};

mirrored!(OrganizationWebhookKindEnum of WebhookKind { Standard, Slack });

mirrored!(
    #[expect(clippy::enum_variant_names, reason = "these are the official names")]
    OrganizationWebhookEventEnum of WebhookEvent {
    DeploymentStarted,
    DeploymentCancelled,
    DeploymentFailure,
    DeploymentSuccessful,
});

mirrored!(OrganizationWebhookOwnEventEnum of OwnEvent {
    RunFailed,
    RunRecovered,
    RunSucceeded,
    TimeMissed,
    ScheduleRecovered,
    RunTooLong,
    RunTooLongEnded,
    ApprovalWaiting,
    ApprovalDecided,
});

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct OrganizationWebhookResponse {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    kind: OrganizationWebhookKindEnum,
    target_url: String,
    target_secret_set: bool,
    description: String,
    enabled: bool,
    events: Vec<OrganizationWebhookEventEnum>,
    own_events: Vec<OrganizationWebhookOwnEventEnum>,
    project_names_filter: Vec<String>,
    environment_types_filter: Vec<EnvironmentModeEnum>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct WebhookEventResponse {
    id: Uuid,
    created_at: Timestamp,
    kind: OrganizationWebhookKindEnum,
    matched_event: OrganizationWebhookEventEnum,
    target_url_used: String,
    request: BTreeMap<String, Value>,
    target_response_status_code: i32,
    target_response_body: Option<String>,
}

impl From<Model> for OrganizationWebhookResponse {
    fn from(row: Model) -> Self {
        let Model {
            id,
            organization_id: _,
            created_at,
            updated_at,
            kind,
            target_url,
            secret,
            description,
            enabled,
            events,
            project_names,
            modes,
            own_events,
        } = row;
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            kind: kind.into(),
            target_url,
            target_secret_set: secret.is_some(),
            description: description.unwrap_or_default(),
            enabled,
            events: events.0.into_iter().map(OrganizationWebhookEventEnum::from).collect(),
            own_events: own_events
                .map(|own| own.0.into_iter().map(OrganizationWebhookOwnEventEnum::from).collect())
                .unwrap_or_default(),
            project_names_filter: project_names.0,
            environment_types_filter: modes.0.into_iter().map(EnvironmentModeEnum::from).collect(),
        }
    }
}

impl From<webhook_delivery::Model> for WebhookEventResponse {
    fn from(row: webhook_delivery::Model) -> Self {
        let webhook_delivery::Model {
            id,
            webhook_id: _,
            created_at,
            updated_at: _,
            kind,
            event,
            target_url,
            payload,
            state: _,
            attempts: _,
            next_attempt_at: _,
            status_code,
            response,
            own_event: _,
            cause: _,
        } = row;
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            kind: kind.into(),
            matched_event: event.into(),
            target_url_used: target_url,
            request: payload.as_object().cloned().unwrap_or_default().into_iter().collect(),
            // Without a response there is no status code; 0 is not an HTTP status.
            target_response_status_code: status_code.unwrap_or(0),
            target_response_body: response,
        }
    }
}
