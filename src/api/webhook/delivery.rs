//! Deliveries of all events, with what became of them.

use std::collections::BTreeMap;

use entity::webhook_delivery::{DeliveryState, Model};
use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::super::wire::{Timestamp, mirrored};
use super::event_name::OrganizationWebhookEventName;
use super::response::OrganizationWebhookKindEnum;

mirrored!(WebhookDeliveryState of DeliveryState { Pending, Delivered, Failed });

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct WebhookDeliveryResponse {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    kind: OrganizationWebhookKindEnum,
    event: OrganizationWebhookEventName,
    state: WebhookDeliveryState,
    attempts: i32,
    next_attempt_at: Option<Timestamp>,
    target_url: String,
    request: BTreeMap<String, Value>,
    status_code: Option<i32>,
    response: Option<String>,
}

impl From<Model> for WebhookDeliveryResponse {
    fn from(row: Model) -> Self {
        let Model {
            id,
            webhook_id: _,
            created_at,
            updated_at,
            kind,
            event,
            target_url,
            payload,
            state,
            attempts,
            next_attempt_at,
            status_code,
            response,
            own_event,
            cause: _,
        } = row;
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            kind: kind.into(),
            event: own_event.map_or_else(|| event.into(), OrganizationWebhookEventName::from),
            state: state.into(),
            attempts,
            next_attempt_at: (state == DeliveryState::Pending).then_some(Timestamp(next_attempt_at)),
            target_url,
            request: payload.as_object().cloned().unwrap_or_default().into_iter().collect(),
            status_code,
            response,
        }
    }
}
