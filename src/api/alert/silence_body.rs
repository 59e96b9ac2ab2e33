//! The bodies of silences.

use chrono::{DateTime, Utc};
use entity::alert_silence::{Model, SilenceTarget};
use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::alert::{WantedSilence, WantedSilenced};
use crate::api::wire::{Timestamp, mirrored};

mirrored!(AlertSilenceTargetType of SilenceTarget { Organization, Project, Environment, Job, Label, Rule });

/// What a silence is about.
#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct AlertSilenceTarget {
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    kind: AlertSilenceTargetType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[oai(default, skip_serializing_if_is_none)]
    id: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[oai(default, skip_serializing_if_is_none)]
    label_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[oai(default, skip_serializing_if_is_none)]
    label_value: Option<String>,
}

#[derive(Debug, Deserialize, Object)]
pub(super) struct AlertSilenceRequest {
    #[serde(default)]
    #[oai(default)]
    begins_at: Option<Timestamp>,
    ends_at: Timestamp,
    #[serde(default)]
    #[oai(default)]
    comment: String,
    target: AlertSilenceTarget,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct AlertSilence {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    author: String,
    comment: String,
    begins_at: Timestamp,
    ends_at: Timestamp,
    /// Whether it has begun and not ended.
    active: bool,
    target: AlertSilenceTarget,
}

impl AlertSilence {
    pub(super) fn new(row: Model, now: DateTime<Utc>) -> Self {
        let Model {
            id,
            organization_id,
            created_at,
            updated_at,
            author,
            comment,
            begins_at,
            ends_at,
            target,
            project_id,
            environment_id,
            job_id,
            rule_id,
            label_key,
            label_value,
        } = row;
        let target_id = match target {
            SilenceTarget::Organization => Some(organization_id.0),
            SilenceTarget::Project => project_id.map(|id| id.0),
            SilenceTarget::Environment => environment_id.map(|id| id.0),
            SilenceTarget::Job => job_id.map(|id| id.0),
            SilenceTarget::Rule => rule_id.map(|id| id.0),
            SilenceTarget::Label => None,
        };
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            author,
            comment,
            begins_at: Timestamp(begins_at),
            ends_at: Timestamp(ends_at),
            active: begins_at <= now && now < ends_at,
            target: AlertSilenceTarget { kind: target.into(), id: target_id, label_key, label_value },
        }
    }
}

impl From<AlertSilenceRequest> for WantedSilence {
    fn from(given: AlertSilenceRequest) -> Self {
        let AlertSilenceRequest { begins_at, ends_at, comment, target } = given;
        let AlertSilenceTarget { kind, id, label_key, label_value } = target;
        let target = WantedSilenced { kind: kind.into(), id, label_key, label_value };
        Self { begins_at: begins_at.map(|time| time.0), ends_at: ends_at.0, comment, target }
    }
}
