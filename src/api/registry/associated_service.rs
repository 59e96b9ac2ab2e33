//! The jobs that use a registry or a git token.

use entity::job_spec::JobType;
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::{self, Action, Caller};
use crate::store::job_usage::LocatedJob;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::api) enum AssociatedServiceType {
    Lifecycle,
    Cron,
}

impl From<JobType> for AssociatedServiceType {
    fn from(job_type: JobType) -> Self {
        match job_type {
            JobType::Lifecycle => Self::Lifecycle,
            // The official lists contain no checks.
            JobType::Cron | JobType::Check => Self::Cron,
        }
    }
}

/// A job that uses a registry or a git token.
#[derive(Debug, Serialize, Deserialize, Object)]
#[oai(rename = "ContainerRegistryAssociatedServicesResponse")]
pub(in crate::api) struct AssociatedService {
    project_id: Uuid,
    project_name: String,
    environment_id: Uuid,
    environment_name: String,
    service_id: Uuid,
    service_name: String,
    service_type: AssociatedServiceType,
}

impl AssociatedService {
    /// Filters jobs to those that the caller may see.
    pub(in crate::api) fn list(caller: &Caller, jobs: Vec<LocatedJob>) -> Vec<Self> {
        let is_visible = |(_, environment, _): &LocatedJob| {
            caller.may(environment.organization_id, Action::View, &access::location(environment))
        };
        let response = |(job, environment, project): LocatedJob| Self {
            project_id: project.id.0,
            project_name: project.name,
            environment_id: environment.id.0,
            environment_name: environment.name,
            service_id: job.id.0,
            service_name: job.name,
            service_type: job.job_type.into(),
        };
        jobs.into_iter().filter(is_visible).map(response).collect()
    }
}
