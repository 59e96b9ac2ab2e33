//! The jobs that use a group.

use entity::job_spec::JobType;
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::{self, Action, Caller};
use crate::store::job_usage::LocatedJob;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::api) enum AssociatedItemType {
    Lifecycle,
    Cron,
}

impl From<JobType> for AssociatedItemType {
    fn from(job_type: JobType) -> Self {
        match job_type {
            JobType::Lifecycle => Self::Lifecycle,
            // The official lists contain no checks.
            JobType::Cron | JobType::Check => Self::Cron,
        }
    }
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct AssociatedItem {
    cluster_id: Uuid,
    project_id: Uuid,
    project_name: String,
    environment_id: Uuid,
    environment_name: String,
    item_id: Uuid,
    item_name: String,
    item_type: AssociatedItemType,
}

impl AssociatedItem {
    /// Filters jobs to those that the caller may see.
    pub(super) fn list(caller: &Caller, jobs: Vec<LocatedJob>) -> Vec<Self> {
        let is_visible = |(_, environment, _): &LocatedJob| {
            caller.may(environment.organization_id, Action::View, &access::location(environment))
        };
        let response = |(job, environment, project): LocatedJob| Self {
            cluster_id: environment.cluster_id.0,
            project_id: project.id.0,
            project_name: project.name,
            environment_id: environment.id.0,
            environment_name: environment.name,
            item_id: job.id.0,
            item_name: job.name,
            item_type: job.job_type.into(),
        };
        jobs.into_iter().filter(is_visible).map(response).collect()
    }
}
