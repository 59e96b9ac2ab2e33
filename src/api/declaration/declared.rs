//! An environment as it is declared, and what a declaration changes.

use std::collections::BTreeMap;

use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::api::environment::EnvironmentModeEnum;
use crate::api::job::{
    CpuArchitectureEnum, DeploymentRestrictionModeEnum, GitProviderEnum, Healthcheck, JobLifecycleTypeEnum,
};

/// An environment with its jobs.
#[derive(Debug, Serialize, Deserialize, Object)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct Declaration {
    pub(super) project: String,
    pub(super) environment: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mode: Option<EnvironmentModeEnum>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cluster: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stages: Option<Vec<DeclaredStage>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) project_variables: Option<BTreeMap<String, DeclaredVariable>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) project_secrets: Option<BTreeMap<String, DeclaredVariable>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) variables: Option<BTreeMap<String, DeclaredVariable>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secrets: Option<BTreeMap<String, DeclaredVariable>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) jobs: Option<BTreeMap<String, DeclaredJob>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) checks: Option<BTreeMap<String, DeclaredCheck>>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct DeclaredStage {
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
}

/// A variable, a secret, a file or an alias. No `Debug`: the value may be a secret.
#[derive(Default, Serialize, Deserialize, Object)]
#[serde(default)]
#[oai(default, skip_serializing_if_is_none)]
pub(super) struct DeclaredVariable {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) alias: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) interpolated: Option<bool>,
}

impl std::fmt::Debug for DeclaredVariable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeclaredVariable").field("path", &self.path).finish_non_exhaustive()
    }
}

#[derive(Debug, Default, Serialize, Deserialize, Object)]
#[serde(default)]
#[oai(default, skip_serializing_if_is_none)]
pub(super) struct DeclaredCommand {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) entrypoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) command: Option<Vec<String>>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct DeclaredGit {
    pub(super) url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) branch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) root_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) provider: Option<GitProviderEnum>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct DeclaredRestriction {
    pub(super) mode: DeploymentRestrictionModeEnum,
    pub(super) path: String,
}

/// A job; what is left out has its default.
#[derive(Debug, Default, Serialize, Deserialize, Object)]
#[serde(default)]
#[oai(default, skip_serializing_if_is_none)]
pub(super) struct DeclaredJob {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) schedule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) timezone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) on_start: Option<DeclaredCommand>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) on_stop: Option<DeclaredCommand>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) on_delete: Option<DeclaredCommand>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lifecycle_type: Option<JobLifecycleTypeEnum>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) registry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) git: Option<DeclaredGit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dockerfile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dockerfile_content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) build_stage: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) entrypoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) command: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) memory: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gpu: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ephemeral_storage_in_gib: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu_architecture: Option<CpuArchitectureEnum>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retries: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_duration_seconds: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) port: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) healthchecks: Option<Healthcheck>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) auto_deploy: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) auto_preview: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) icon_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) annotations: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) labels: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) settings: Option<BTreeMap<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stage: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) skipped: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) restrictions: Option<Vec<DeclaredRestriction>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) variables: Option<BTreeMap<String, DeclaredVariable>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secrets: Option<BTreeMap<String, DeclaredVariable>>,
}

/// A job that runs elsewhere; what is left out has its default.
#[derive(Debug, Default, Serialize, Deserialize, Object)]
#[serde(default)]
#[oai(default, skip_serializing_if_is_none)]
pub(super) struct DeclaredCheck {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) schedule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) timezone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) period_seconds: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) grace_seconds: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_duration_seconds: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) labels: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum DeclarationKindEnum {
    Project,
    ProjectVariable,
    ProjectSecret,
    Environment,
    Stage,
    Variable,
    Secret,
    Job,
    Check,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "UPPERCASE")]
#[oai(rename_all = "UPPERCASE")]
pub(super) enum DeclarationActionEnum {
    Create,
    Update,
    Delete,
}

/// A field that changes; null is the default, or nothing.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize, Object)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct DeclarationField {
    pub(super) field: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct DeclarationChange {
    pub(super) kind: DeclarationKindEnum,
    pub(super) action: DeclarationActionEnum,
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) job: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) job_id: Option<Uuid>,
    pub(super) fields: Vec<DeclarationField>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct DeclarationResult {
    /// Whether it is stored.
    pub(super) applied: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) environment_id: Option<Uuid>,
    pub(super) changes: Vec<DeclarationChange>,
}
