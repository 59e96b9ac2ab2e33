//! The configuration of a job: one document, stored a second time when the job is deployed.

use std::collections::BTreeMap;

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{GitTokenId, GroupId, RegistryId};

/// When a job runs: on a schedule, or on events of its environment. A check runs elsewhere, and reports by pings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobType {
    Lifecycle,
    Cron,
    Check,
}

/// The command of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Command {
    /// One program, not split into words. By default, the entrypoint of the image is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Vec<String>>,
}

/// The tool that a LIFECYCLE job was made for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LifecycleType {
    #[default]
    Generic,
    Terraform,
    Cloudformation,
}

/// The times or events that start a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Schedule {
    Cron {
        /// Five fields or a macro, as the client wrote it.
        scheduled_at: String,
        /// IANA name.
        timezone: String,
        command: Command,
    },
    Lifecycle {
        #[serde(default)]
        on_start: Option<Command>,
        #[serde(default)]
        on_stop: Option<Command>,
        #[serde(default)]
        on_delete: Option<Command>,
        #[serde(default)]
        lifecycle_type: LifecycleType,
    },
    /// Something that runs elsewhere is expected to ping: at the times of a schedule, or once in a period.
    Check {
        rhythm: Rhythm,
        /// How late a ping may be.
        grace_seconds: i32,
    },
}

/// When the pings of a check are expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Rhythm {
    Cron {
        scheduled_at: String,
        /// IANA name.
        timezone: String,
    },
    /// Counted from the last ping.
    Period { seconds: i32 },
}

/// Which git host a repository is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum GitProvider {
    Bitbucket,
    Github,
    Gitlab,
}

/// A repository to build from, exactly as the client wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitRepository {
    pub url: String,
    pub provider: GitProvider,
    pub branch: Option<String>,
    pub root_path: String,
    pub git_token_id: Option<GitTokenId>,
}

/// The image of a job: from a registry, or built from a Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Source {
    Image {
        image_name: String,
        tag: String,
        registry_id: RegistryId,
    },
    Docker {
        git_repository: Option<GitRepository>,
        dockerfile_path: Option<String>,
        dockerfile_raw: Option<String>,
        docker_target_build_stage: Option<String>,
    },
}

impl Source {
    /// No image: the job can only run as a plain process. It is stored as a build of nothing, which earlier releases can read.
    #[must_use]
    pub const fn none() -> Self {
        Self::Docker {
            git_repository: None,
            dockerfile_path: None,
            dockerfile_raw: None,
            docker_target_build_stage: None,
        }
    }

    /// Whether the job has no image.
    #[must_use]
    pub fn is_none(&self) -> bool {
        matches!(self, Self::Docker { git_repository: None, dockerfile_raw: None, .. })
    }

    /// Whether the image is built from a Dockerfile.
    #[must_use]
    pub fn is_built(&self) -> bool {
        matches!(self, Self::Docker { .. }) && !self.is_none()
    }
}

/// The CPU architecture that a job requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CpuArchitecture {
    Amd64,
    Arm64,
}

/// How a probe checks the container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ProbeType {
    Tcp { port: Option<i32>, host: Option<String> },
    Http { path: String, scheme: String, port: Option<i32> },
    Exec { command: Vec<String> },
    Grpc { service: Option<String>, port: Option<i32> },
}

/// A check of the running container; times in seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    pub kind: ProbeType,
    pub initial_delay_seconds: i32,
    pub period_seconds: i32,
    pub timeout_seconds: i32,
    pub success_threshold: i32,
    pub failure_threshold: i32,
}

/// The probes of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Healthchecks {
    pub readiness_probe: Option<Probe>,
    pub liveness_probe: Option<Probe>,
}

/// The configuration of a job without its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct JobSpec {
    #[serde(default)]
    pub description: String,
    pub cpu_milli: i32,
    pub memory_mib: i32,
    #[serde(default)]
    pub gpu: i32,
    #[serde(default)]
    pub ephemeral_storage_gib: Option<i32>,
    #[serde(default)]
    pub cpu_architecture: Option<CpuArchitecture>,
    /// How often a failed run is retried.
    pub max_nb_restart: i32,
    /// The time limit of all attempts together, in seconds; 0 means no limit.
    pub max_duration_seconds: i32,
    pub auto_preview: bool,
    pub auto_deploy: bool,
    pub port: Option<i32>,
    pub icon_uri: String,
    #[serde(default)]
    pub healthchecks: Healthchecks,
    pub source: Source,
    pub schedule: Schedule,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub annotations_groups: Vec<GroupId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels_groups: Vec<GroupId>,
    /// Advanced settings that differ from their defaults.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, serde_json::Value>,
}

impl JobSpec {
    /// The type of a job with this configuration.
    #[must_use]
    pub fn job_type(&self) -> JobType {
        match self.schedule {
            Schedule::Cron { .. } => JobType::Cron,
            Schedule::Lifecycle { .. } => JobType::Lifecycle,
            Schedule::Check { .. } => JobType::Check,
        }
    }

    /// The registry of the image; none if the image is built.
    #[must_use]
    pub fn registry_id(&self) -> Option<RegistryId> {
        match &self.source {
            Source::Image { registry_id, .. } => Some(*registry_id),
            Source::Docker { .. } => None,
        }
    }

    /// The git token for the repository.
    #[must_use]
    pub fn git_token_id(&self) -> Option<GitTokenId> {
        match &self.source {
            Source::Image { .. } => None,
            Source::Docker { git_repository, .. } => git_repository.as_ref()?.git_token_id,
        }
    }
}
