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
    /// The registry that the source names, so that it cannot be deleted under the job.
    pub registry_id: Option<RegistryId>,
    /// The git token that the source names, so that it cannot be deleted under the job.
    pub git_token_id: Option<GitTokenId>,
    pub spec: JobSpec,
    /// The configuration that is deployed; null when the job is not.
    pub deployed: Option<JobSpec>,
    /// Runs that failed before no longer count for the running state.
    pub failures_cleared_at: Option<DateTimeUtc>,
    /// When what is deployed was deployed.
    pub deployed_at: Option<DateTimeUtc>,
    /// When a variable that the job sees was last changed.
    pub variables_changed_at: Option<DateTimeUtc>,
    /// What the newest deployment with a build has built.
    pub built: Option<BuiltImage>,
    /// How its schedule was given to its cluster; null where the server keeps its time.
    pub applied: Option<AppliedSchedule>,
    /// When it was seen that what was applied was changed or deleted by somebody else.
    pub drifted_at: Option<DateTimeUtc>,
}

/// What a schedule that was given to a cluster was then; whatever differs later was changed by somebody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct AppliedSchedule {
    pub namespace: String,
    /// Of the CronJob.
    pub name: String,
    pub uid: String,
    pub generation: i64,
    /// The version of the secret with its variables.
    pub secret: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// A new job of an environment, not deployed and not stored yet. Its type, registry and git token follow from `spec`.
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
