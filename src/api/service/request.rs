//! Requests about several services.

use poem_openapi::Object;
use serde::Deserialize;
use uuid::Uuid;

use crate::api::wire::Ignored;
use crate::engine::limits;
use crate::error::{Error, Result};

/// Services by kind. Ids of kinds other than jobs are rejected.
#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
pub(super) struct EnvironmentServiceIdsAllRequest {
    pub(super) application_ids: Option<Vec<Uuid>>,
    pub(super) container_ids: Option<Vec<Uuid>>,
    pub(super) database_ids: Option<Vec<Uuid>>,
    pub(super) job_ids: Option<Vec<Uuid>>,
    pub(super) helm_ids: Option<Vec<Uuid>>,
    pub(super) terraform_ids: Option<Vec<Uuid>>,
}

#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
pub(super) struct JobToDeploy {
    pub(super) id: Option<Uuid>,
    pub(super) image_tag: Option<String>,
    pub(super) git_commit_id: Option<String>,
}

#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
pub(super) struct DeployAllRequest {
    pub(super) applications: Option<Vec<Ignored>>,
    pub(super) databases: Option<Vec<Uuid>>,
    pub(super) containers: Option<Vec<Ignored>>,
    pub(super) jobs: Option<Vec<JobToDeploy>>,
    pub(super) helms: Option<Vec<Ignored>>,
    pub(super) terraforms: Option<Vec<Ignored>>,
}

#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
pub(super) struct RebootServicesRequest {
    pub(super) application_ids: Option<Vec<Uuid>>,
    pub(super) database_ids: Option<Vec<Uuid>>,
    pub(super) container_ids: Option<Vec<Uuid>>,
}

#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
pub(super) struct CleanRequest {
    pub(super) job_ids: Option<Vec<Uuid>>,
}

impl EnvironmentServiceIdsAllRequest {
    pub(super) fn jobs(self) -> Result<Vec<Uuid>> {
        let Self { application_ids, container_ids, database_ids, job_ids, helm_ids, terraform_ids } = self;
        reject_other_kinds(&[
            ("application_ids", count(&application_ids)),
            ("container_ids", count(&container_ids)),
            ("database_ids", count(&database_ids)),
            ("helm_ids", count(&helm_ids)),
            ("terraform_ids", count(&terraform_ids)),
        ])?;
        unique_ids("job_ids", job_ids.unwrap_or_default())
    }
}

/// Rejects services of kinds other than jobs.
pub(super) fn reject_other_kinds(given: &[(&str, usize)]) -> Result<()> {
    match given.iter().find(|(_, count)| *count > 0) {
        Some((field, _)) => Err(Error::invalid(*field, "this server supports only jobs")),
        None => Ok(()),
    }
}

pub(super) fn count<T>(list: &Option<Vec<T>>) -> usize {
    list.as_ref().map_or(0, Vec::len)
}

/// Checks the length of a list of ids, and removes duplicates.
pub(super) fn unique_ids(field: &str, mut ids: Vec<Uuid>) -> Result<Vec<Uuid>> {
    if ids.len() > limits::ITEMS {
        return Err(Error::invalid(field, format!("must have at most {} items", limits::ITEMS)));
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}
