//! Job requests, under their official names.

use entity::run::Event;
use poem_openapi::types::MaybeUndefined;
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};

use super::healthcheck::Healthcheck;
use super::schedule_request::ScheduleRequest;
use super::source_request::SourceRequest;
use crate::api::wire::{self, ReferenceObject};
use crate::error::Result;

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "UPPERCASE")]
#[oai(rename_all = "UPPERCASE")]
pub(in crate::api) enum CpuArchitectureEnum {
    Amd64,
    Arm64,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum JobForceEvent {
    Start,
    Stop,
    Delete,
    Cron,
}

impl From<JobForceEvent> for Event {
    fn from(event: JobForceEvent) -> Self {
        match event {
            JobForceEvent::Start => Self::Start,
            JobForceEvent::Stop => Self::Stop,
            JobForceEvent::Delete => Self::Delete,
            JobForceEvent::Cron => Self::Cron,
        }
    }
}

/// On edit, absent keys keep their value and null clears it. On creation, both mean the default.
#[derive(Clone, Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
pub(super) struct JobRequest {
    pub(super) name: Option<String>,
    pub(super) description: MaybeUndefined<String>,
    #[serde(deserialize_with = "cleared_number")]
    pub(super) cpu: MaybeUndefined<i32>,
    #[serde(deserialize_with = "cleared_number")]
    pub(super) memory: MaybeUndefined<i32>,
    #[serde(deserialize_with = "cleared_number")]
    pub(super) gpu: MaybeUndefined<i32>,
    #[serde(deserialize_with = "cleared_number")]
    pub(super) ephemeral_storage_in_gib: MaybeUndefined<i32>,
    #[serde(deserialize_with = "cleared_number")]
    pub(super) max_nb_restart: MaybeUndefined<i32>,
    #[serde(deserialize_with = "cleared_number")]
    pub(super) max_duration_seconds: MaybeUndefined<i32>,
    pub(super) auto_preview: MaybeUndefined<bool>,
    #[serde(deserialize_with = "cleared_number")]
    pub(super) port: MaybeUndefined<i32>,
    pub(super) source: Option<SourceRequest>,
    pub(super) cpu_architecture: MaybeUndefined<CpuArchitectureEnum>,
    pub(super) healthchecks: MaybeUndefined<Healthcheck>,
    pub(super) schedule: Option<ScheduleRequest>,
    pub(super) auto_deploy: MaybeUndefined<bool>,
    pub(super) annotations_groups: MaybeUndefined<Vec<ReferenceObject>>,
    pub(super) labels_groups: MaybeUndefined<Vec<ReferenceObject>>,
    pub(super) icon_uri: MaybeUndefined<String>,
}

fn cleared_number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<MaybeUndefined<i32>, D::Error> {
    Ok(wire::optional_number(deserializer)?.map_or(MaybeUndefined::Null, MaybeUndefined::Value))
}
