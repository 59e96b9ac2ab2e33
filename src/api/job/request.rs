//! The bodies of requests about jobs, and what they share with answers, under their official names.

use entity::job_spec::GitProvider;
use poem_openapi::types::MaybeUndefined;
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::wire::{self, ReferenceObject};

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum JobLifecycleTypeEnum {
    Generic,
    Terraform,
    Cloudformation,
}

wire::mirrored!(GitProviderEnum of GitProvider { Bitbucket, Github, Gitlab });

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "UPPERCASE")]
#[oai(rename_all = "UPPERCASE")]
pub(super) enum CpuArchitectureEnum {
    Amd64,
    Arm64,
}

/// One event of a job.
#[derive(Debug, Default, Serialize, Deserialize, Object)]
#[serde(default)]
#[oai(default, skip_serializing_if_is_none)]
pub(super) struct JobCommand {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arguments: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) entrypoint: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct TcpProbe {
    pub(super) port: Option<i32>,
    #[serde(default)]
    #[oai(default)]
    pub(super) host: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct HttpProbe {
    #[serde(default)]
    #[oai(default)]
    pub(super) path: Option<String>,
    #[serde(default)]
    #[oai(default)]
    pub(super) scheme: Option<String>,
    pub(super) port: Option<i32>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct ExecProbe {
    pub(super) command: Option<Vec<String>>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct GrpcProbe {
    #[serde(default)]
    #[oai(default)]
    pub(super) service: Option<String>,
    pub(super) port: Option<i32>,
}

/// Exactly one key is used; in answers the others are null.
#[derive(Debug, Default, Serialize, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
pub(super) struct ProbeType {
    pub(super) tcp: Option<TcpProbe>,
    pub(super) http: Option<HttpProbe>,
    pub(super) exec: Option<ExecProbe>,
    pub(super) grpc: Option<GrpcProbe>,
}

/// In requests absent numbers take the official defaults.
#[derive(Debug, Default, Serialize, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
pub(super) struct Probe {
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    pub(super) kind: Option<ProbeType>,
    #[serde(deserialize_with = "wire::optional_number")]
    pub(super) initial_delay_seconds: Option<i32>,
    #[serde(deserialize_with = "wire::optional_number")]
    pub(super) period_seconds: Option<i32>,
    #[serde(deserialize_with = "wire::optional_number")]
    pub(super) timeout_seconds: Option<i32>,
    #[serde(deserialize_with = "wire::optional_number")]
    pub(super) success_threshold: Option<i32>,
    #[serde(deserialize_with = "wire::optional_number")]
    pub(super) failure_threshold: Option<i32>,
}

#[derive(Debug, Default, Serialize, Deserialize, Object)]
#[serde(default)]
#[oai(default, skip_serializing_if_is_none)]
pub(super) struct Healthcheck {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) readiness_probe: Option<Probe>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) liveness_probe: Option<Probe>,
}

#[derive(Debug, Deserialize, Object)]
pub(super) struct ImageRequest {
    pub(super) image_name: Option<String>,
    pub(super) tag: Option<String>,
    pub(super) registry_id: Option<String>,
}

#[derive(Debug, Deserialize, Object)]
pub(in super::super) struct ApplicationGitRepositoryRequest {
    pub(super) url: String,
    #[serde(default)]
    #[oai(default)]
    pub(super) branch: Option<String>,
    #[serde(default)]
    #[oai(default)]
    pub(super) root_path: Option<String>,
    #[serde(default)]
    #[oai(default)]
    pub(super) git_token_id: Option<Uuid>,
    pub(super) provider: GitProviderEnum,
}

#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
pub(super) struct DockerRequest {
    pub(super) git_repository: Option<ApplicationGitRepositoryRequest>,
    pub(super) dockerfile_path: Option<String>,
    pub(super) dockerfile_raw: Option<String>,
    pub(super) docker_target_build_stage: Option<String>,
}

#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
pub(super) struct SourceRequest {
    pub(super) image: Option<ImageRequest>,
    pub(super) docker: Option<DockerRequest>,
}

#[derive(Debug, Deserialize, Object)]
pub(super) struct CronRequest {
    #[serde(default)]
    #[oai(default)]
    pub(super) arguments: Option<Vec<String>>,
    #[serde(default)]
    #[oai(default)]
    pub(super) entrypoint: Option<String>,
    #[serde(default)]
    #[oai(default)]
    pub(super) timezone: Option<String>,
    pub(super) scheduled_at: String,
}

#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
pub(super) struct ScheduleRequest {
    pub(super) on_start: Option<JobCommand>,
    pub(super) on_stop: Option<JobCommand>,
    pub(super) on_delete: Option<JobCommand>,
    pub(super) cronjob: Option<CronRequest>,
    pub(super) lifecycle_type: Option<JobLifecycleTypeEnum>,
}

/// Absent keys keep their value in an edit and take the default in a creation; null clears.
#[derive(Debug, Default, Deserialize, Object)]
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
