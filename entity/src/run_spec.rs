//! The specification of a run: copied from the job when the run is created, so that later edits do not change it.

use std::collections::BTreeMap;

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{GroupId, RegistryId};
use crate::job_spec::{CpuArchitecture, GitRepository, Healthchecks};

/// A commit that an image was built from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The full hash.
    pub id: String,
    pub at: DateTimeUtc,
    pub author: String,
    /// The first line of the message.
    pub message: String,
}

/// An image that was built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct BuiltImage {
    /// The name of the image on the engine that built it.
    pub image: String,
    /// None if the Dockerfile did not come from a repository.
    pub commit: Option<Commit>,
}

/// The source and options of a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildSpec {
    pub git_repository: Option<GitRepository>,
    /// The commit to build; none for the newest commit of the branch.
    pub commit_id: Option<String>,
    pub dockerfile_path: Option<String>,
    pub dockerfile_raw: Option<String>,
    pub target_stage: Option<String>,
    pub submodules: bool,
    pub cache: bool,
}

/// The reference of an image without the host of its registry. A digest, in the name or instead of a tag, is all that counts.
#[must_use]
pub fn image_reference(name: &str, tag: &str) -> String {
    match (name.contains('@'), tag.starts_with("sha256:")) {
        (true, _) => name.to_owned(),
        (false, true) => format!("{name}@{tag}"),
        (false, false) => format!("{name}:{tag}"),
    }
}

/// The specification of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct RunSpec {
    /// Without tag and registry host.
    pub image_name: Option<String>,
    pub image_tag: Option<String>,
    pub registry_id: Option<RegistryId>,
    pub entrypoint: Option<String>,
    #[serde(default)]
    pub arguments: Vec<String>,
    pub cpu_milli: i32,
    pub memory_mib: i32,
    /// How often a failed run is retried.
    pub max_nb_restart: i32,
    /// The time limit of all attempts together, in seconds; 0 means no limit.
    pub max_duration_seconds: i32,
    /// The full name of an image that was built on the engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub built_image: Option<String>,
    /// Whether the job has no image, and can only run as a plain process.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_image: bool,
    /// Options for plain processes; other runners ignore them.
    #[serde(default, skip_serializing_if = "ProcessSpec::is_default")]
    pub process: ProcessSpec,
    /// The build; with it, only the time limit of the other fields is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<BuildSpec>,
    /// Seconds before the second attempt, doubled for each further one; 10 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_backoff_seconds: Option<i32>,
    /// Exit codes that count as success, in addition to 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub success_exit_codes: Vec<i32>,
    /// Exit codes after which the run is not retried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fail_fast_exit_codes: Vec<i32>,
    /// Seconds between SIGTERM and SIGKILL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_grace_seconds: Option<i32>,
    /// Seconds after the scheduled time until the run may be started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starting_deadline_seconds: Option<i32>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_only_root: bool,
    /// How long runs are kept.
    #[serde(default, skip_serializing_if = "Retention::is_default")]
    pub keep: Retention,
    /// The names of the variables given for this run that are secret.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secret_additions: Vec<String>,
    /// Options for Kubernetes; other runners ignore them.
    #[serde(default, skip_serializing_if = "PodSpec::is_default")]
    pub pod: PodSpec,
}

/// The options of a job for plain processes. An empty text stands for the default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProcessSpec {
    pub home: String,
    pub path: String,
    pub working_folder: String,
    pub user: String,
}

impl ProcessSpec {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The options of a job for Kubernetes, beyond those that every runner supports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PodSpec {
    pub gpu: i32,
    pub ephemeral_storage_gib: Option<i32>,
    pub cpu_architecture: Option<CpuArchitecture>,
    pub port: Option<i32>,
    pub healthchecks: Healthchecks,
    /// Labels that the node must have.
    pub node_labels: BTreeMap<String, String>,
    /// Empty for the default one of the namespace.
    pub service_account: String,
    pub automount_token: bool,
    /// How long a finished Job is kept, in seconds.
    pub ttl_seconds: Option<i32>,
    pub annotations_groups: Vec<GroupId>,
    pub labels_groups: Vec<GroupId>,
}

impl PodSpec {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// How many runs of a job are kept, and for how many days. A run is deleted as soon as one limit is exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    pub succeeded: i32,
    pub failed: i32,
    pub succeeded_days: i32,
    pub failed_days: i32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { succeeded: 100, failed: 200, succeeded_days: 30, failed_days: 90 }
    }
}

impl Retention {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
