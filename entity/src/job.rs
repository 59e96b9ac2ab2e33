//! A job: a stored definition of what runs and when.

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{EnvironmentId, GitTokenId, JobId, OrganizationId, RegistryId};
use crate::job_spec::{JobSpec, JobType};
use crate::run_spec::BuiltImage;

/// Row of `job`; unique by environment and name key.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JobId,
    pub organization_id: OrganizationId,
    pub environment_id: EnvironmentId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub name: String,
    pub name_key: String,
    pub job_type: JobType,
    /// The registry of the source, which cannot be deleted while the job uses it.
    pub registry_id: Option<RegistryId>,
    /// The git token of the source, which cannot be deleted while the job uses it.
    pub git_token_id: Option<GitTokenId>,
    pub spec: JobSpec,
    /// The deployed configuration; null if the job is not deployed.
    pub deployed: Option<JobSpec>,
    /// Failed runs from before this time do not affect the running state.
    pub failures_cleared_at: Option<DateTimeUtc>,
    /// When the deployed configuration was deployed.
    pub deployed_at: Option<DateTimeUtc>,
    /// When a variable that is visible to the job was last changed.
    pub variables_changed_at: Option<DateTimeUtc>,
    /// The image of the newest deployment with a build.
    pub built: Option<BuiltImage>,
    /// How the schedule was applied in the cluster; null if the server runs the schedule.
    pub applied: Option<AppliedSchedule>,
    /// When the server noticed that the applied schedule had been changed or deleted manually.
    pub drifted_at: Option<DateTimeUtc>,
}

/// The version of a schedule when it was applied in a cluster. A difference means that it was changed manually.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct AppliedSchedule {
    pub namespace: String,
    /// The name of the CronJob.
    pub name: String,
    pub uid: String,
    pub generation: i64,
    /// The version of the Secret with its variables.
    pub secret: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// A new job of an environment, not deployed and not stored yet. Its type, registry and git token follow from
    /// `spec`.
    #[must_use]
    pub fn new(environment: &crate::environment::Model, name: &str, spec: JobSpec, now: DateTimeUtc) -> Self {
        Self {
            id: JobId::create(),
            organization_id: environment.organization_id,
            environment_id: environment.id,
            created_at: now,
            updated_at: now,
            name: name.to_owned(),
            name_key: crate::name_key(name),
            job_type: spec.job_type(),
            registry_id: spec.registry_id(),
            git_token_id: spec.git_token_id(),
            spec,
            deployed: None,
            failures_cleared_at: None,
            deployed_at: None,
            variables_changed_at: None,
            built: None,
            applied: None,
            drifted_at: None,
        }
    }
}
