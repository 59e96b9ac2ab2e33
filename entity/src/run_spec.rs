//! What a run executes: copied from its job when the run is created, so that later edits do not change it.

use std::collections::BTreeMap;

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{GroupId, RegistryId};
use crate::job_spec::{CpuArchitecture, GitRepository, Healthchecks};

/// A commit that an image was built from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The whole hash.
    pub id: String,
    pub at: DateTimeUtc,
    pub author: String,
    /// The first line.
    pub message: String,
}

/// What a build came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct BuiltImage {
    /// The name of the image on the engine that built it.
    pub image: String,
    /// None where the Dockerfile came from no repository.
    pub commit: Option<Commit>,
}

/// What a build starts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildSpec {
    pub git_repository: Option<GitRepository>,
    /// The commit to build; without it the newest of the branch.
    pub commit_id: Option<String>,
    pub dockerfile_path: Option<String>,
    pub dockerfile_raw: Option<String>,
    pub target_stage: Option<String>,
    pub submodules: bool,
    pub cache: bool,
}

/// What a run executes: taken from the job when the run is created, so that later edits do not change it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct RunSpec {
    /// Without tag; the registry's host comes from the registry.
    pub image_name: Option<String>,
    pub image_tag: Option<String>,
    pub registry_id: Option<RegistryId>,
    pub entrypoint: Option<String>,
    #[serde(default)]
    pub arguments: Vec<String>,
    pub cpu_milli: i32,
    pub memory_mib: i32,
    /// How often a failed attempt is started again.
    pub max_nb_restart: i32,
    /// For all attempts together, in seconds; 0 sets no limit.
    pub max_duration_seconds: i32,
    /// The whole name of an image that is on the engine already, because it was built there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub built_image: Option<String>,
    /// What is to be built; then nothing else of this is used but the limit of time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<BuildSpec>,
    /// Seconds before the second attempt, doubled before each further one; the default is 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_backoff_seconds: Option<i32>,
    /// Exit codes beside 0 that count as success.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub success_exit_codes: Vec<i32>,
    /// Exit codes after which no further attempt is made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fail_fast_exit_codes: Vec<i32>,
    /// Seconds between the polite and the forced end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_grace_seconds: Option<i32>,
    /// Seconds behind its scheduled time after which it is not started any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starting_deadline_seconds: Option<i32>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_only_root: bool,
    /// How many runs and for how many days they are kept.
    #[serde(default, skip_serializing_if = "Retention::is_default")]
    pub keep: Retention,
    /// What only a cluster of Kubernetes acts on.
    #[serde(default, skip_serializing_if = "PodSpec::is_default")]
    pub pod: PodSpec,
}

/// What a job asks of a cluster of Kubernetes, beside what every place of a run can give.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PodSpec {
    pub gpu: i32,
    pub ephemeral_storage_gib: Option<i32>,
    pub cpu_architecture: Option<CpuArchitecture>,
    pub port: Option<i32>,
    pub healthchecks: Healthchecks,
    /// Labels that its node must have.
    pub node_labels: BTreeMap<String, String>,
    /// Empty for the one of the namespace.
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

/// How long runs of a job are kept: as long as both limits allow.
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
