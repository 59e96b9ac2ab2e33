//! Event responses.

use entity::event::Model;
use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::wire::{Timestamp, enum_value};
use super::event_origin::OrganizationEventOrigin;
use super::event_target::{OrganizationEventSubTargetType, OrganizationEventTargetType};
use super::event_type::OrganizationEventType;
use crate::engine::event_kind::target_kind;

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct OrganizationEventResponse {
    id: Uuid,
    timestamp: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_type: Option<OrganizationEventType>,
    target_id: Option<Uuid>,
    target_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_type: Option<OrganizationEventTargetType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_target_type: Option<OrganizationEventSubTargetType>,
    target_kind: String,
    change: String,
    origin: OrganizationEventOrigin,
    triggered_by: String,
    project_id: Option<Uuid>,
    project_name: String,
    environment_id: Option<Uuid>,
    environment_name: String,
    user_agent: Option<String>,
    original_change: Option<String>,
}

impl From<Model> for OrganizationEventResponse {
    fn from(row: Model) -> Self {
        let Model {
            id,
            organization_id: _,
            created_at,
            kind,
            target,
            sub_target,
            target_id,
            target_name,
            project_id,
            project_name,
            environment_id,
            environment_name,
            before,
            after,
            origin,
            triggered_by,
            user_agent,
        } = row;
        Self {
            id: id.0,
            timestamp: Timestamp(created_at),
            event_type: enum_value(&kind),
            target_id,
            target_name,
            target_kind: target_kind(&target, sub_target.as_deref()).to_owned(),
            target_type: enum_value(&target),
            sub_target_type: sub_target.as_deref().and_then(enum_value),
            change: after.map(|value| value.to_string()).unwrap_or_default(),
            origin: origin.into(),
            triggered_by,
            project_id: project_id.map(|id| id.0),
            project_name: project_name.unwrap_or_default(),
            environment_id: environment_id.map(|id| id.0),
            environment_name: environment_name.unwrap_or_default(),
            user_agent,
            original_change: before.map(|value| value.to_string()),
        }
    }
}

#[derive(Debug, Default, Serialize, Deserialize, Object)]
pub(super) struct Links {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) previous: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct OrganizationEventResponseList {
    pub(super) links: Links,
    pub(super) organization_max_limit_reached: bool,
    pub(super) events: Vec<OrganizationEventResponse>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize, Object)]
pub(super) struct EventTarget {
    pub(super) id: Uuid,
    pub(super) name: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct OrganizationEventTargetResponseList {
    pub(super) targets: Vec<EventTarget>,
}
