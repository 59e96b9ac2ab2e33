//! /job/{jobId}/deploymentRestriction: which paths of a repository trigger a deployment.

use std::sync::Arc;

use entity::deployment_restriction::{Model, RestrictionKind, RestrictionMode};
use entity::id::{JobId, RestrictionId};
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::wire::{self, Body, Created, EmptyResponse, Json, NoContent, Results, Success, Timestamp};
use crate::api::{audit, tag::Tag};
use crate::app::App;
use crate::engine::definition::job_change;
use crate::error::{Error, Result};
use crate::store;

wire::mirrored!(DeploymentRestrictionModeEnum of RestrictionMode { Exclude, Match });

wire::mirrored!(DeploymentRestrictionTypeEnum of RestrictionKind { Path });

#[derive(Debug, Deserialize, Object)]
struct JobDeploymentRestrictionRequest {
    mode: DeploymentRestrictionModeEnum,
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    kind: DeploymentRestrictionTypeEnum,
    value: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct JobDeploymentRestrictionResponse {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    mode: DeploymentRestrictionModeEnum,
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    kind: DeploymentRestrictionTypeEnum,
    value: String,
}

impl From<Model> for JobDeploymentRestrictionResponse {
    fn from(row: Model) -> Self {
        let Model { id, job_id: _, created_at, updated_at, mode, kind, value } = row;
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            mode: mode.into(),
            kind: kind.into(),
            value,
        }
    }
}

/// Checks a path inside a repository, or a pattern of such paths: `*` and `?` match inside a folder, `**` across folders.
pub(in crate::api) fn path(given: String) -> Result<String> {
    let steps_out = given.split('/').any(|part| part == "." || part == "..");
    if given.is_empty() || given.starts_with('/') || steps_out || given.chars().any(char::is_control) {
        let text = "must be a path inside the repository without a leading slash, or a pattern of such paths, such as src/jobs/**";
        return Err(Error::invalid("value", text));
    }
    if given.chars().count() > 1024 {
        return Err(Error::invalid("value", "must have at most 1024 characters"));
    }
    Ok(given)
}

const TAKEN: &str = "the job already has this restriction";

const MOST: usize = 100;

pub(in crate::api) struct DeploymentRestrictionApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl DeploymentRestrictionApi {
    #[oai(path = "/job/:jobId/deploymentRestriction", method = "get", operation_id = "getJobDeploymentRestrictions", tag = Tag::JobDeploymentRestriction)]
    async fn get_job_deployment_restrictions(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
    ) -> Result<Success<Results<JobDeploymentRestrictionResponse>>> {
        let job = access::job_row(&self.0.db, &auth.0, Action::View, JobId(job_id.0)).await?;
        let rows = store::restriction::list(&self.0.db, job.id).await?;
        Ok(Json(Results { results: rows.into_iter().map(JobDeploymentRestrictionResponse::from).collect() }))
    }

    #[oai(path = "/job/:jobId/deploymentRestriction", method = "post", operation_id = "createJobDeploymentRestriction", tag = Tag::JobDeploymentRestriction)]
    async fn create_job_deployment_restriction(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        body: Body<JobDeploymentRestrictionRequest>,
    ) -> Result<Created<JobDeploymentRestrictionResponse>> {
        let job = access::job_row(&self.0.db, &auth.0, Action::Manage, JobId(job_id.0)).await?;
        let JobDeploymentRestrictionRequest { mode, kind, value } = body.0;
        let now = self.0.clock.now();
        let row = Model {
            id: RestrictionId::create(),
            job_id: job.id,
            created_at: now,
            updated_at: now,
            mode: mode.into(),
            kind: kind.into(),
            value: path(value)?,
        };
        let row = audit::write(&self.0, &auth, job.organization_id, async |tx| {
            if store::restriction::list(tx, job.id).await?.len() >= MOST {
                return Err(Error::Conflict(format!("the job already has {MOST} restrictions, the maximum")));
            }
            let row = store::row::create(tx, row).await.map_err(|e| Error::or_taken(e, TAKEN))?;
            let after = JobDeploymentRestrictionResponse::from(row.clone());
            Ok((row, job_change(tx, "CREATE", &job, "CONFIG").await?.after(&after)))
        })
        .await?;
        Ok(Json(row.into()))
    }

    #[oai(path = "/job/:jobId/deploymentRestriction/:deploymentRestrictionId", method = "put", operation_id = "editJobDeploymentRestriction", tag = Tag::JobDeploymentRestriction)]
    async fn edit_job_deployment_restriction(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        #[oai(name = "deploymentRestrictionId")] deployment_restriction_id: Path<Uuid>,
        body: Body<JobDeploymentRestrictionRequest>,
    ) -> Result<Success<JobDeploymentRestrictionResponse>> {
        let job = access::job_row(&self.0.db, &auth.0, Action::Manage, JobId(job_id.0)).await?;
        let id = RestrictionId(deployment_restriction_id.0);
        let row = access::restriction(&self.0.db, job.id, id).await?;
        let JobDeploymentRestrictionRequest { mode, kind, value } = body.0;
        let (value, updated_at) = (path(value)?, self.0.clock.now());
        let row = audit::write(&self.0, &auth, job.organization_id, async |tx| {
            let edit = |stored| Ok(Model { mode: mode.into(), kind: kind.into(), value, updated_at, ..stored });
            let changed = store::row::change(tx, row.id, edit, |e| Error::or_taken(e, TAKEN)).await?;
            let (before, row) = changed.ok_or(Error::NotFound("deployment restriction"))?;
            let before = JobDeploymentRestrictionResponse::from(before);
            let after = JobDeploymentRestrictionResponse::from(row.clone());
            Ok((row, job_change(tx, "UPDATE", &job, "CONFIG").await?.before(&before).after(&after)))
        })
        .await?;
        Ok(Json(row.into()))
    }

    #[oai(path = "/job/:jobId/deploymentRestriction/:deploymentRestrictionId", method = "delete", operation_id = "deleteJobDeploymentRestriction", tag = Tag::JobDeploymentRestriction)]
    async fn delete_job_deployment_restriction(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        #[oai(name = "deploymentRestrictionId")] deployment_restriction_id: Path<Uuid>,
    ) -> Result<NoContent> {
        let job = access::job_row(&self.0.db, &auth.0, Action::Manage, JobId(job_id.0)).await?;
        let id = RestrictionId(deployment_restriction_id.0);
        let row = access::restriction(&self.0.db, job.id, id).await?;
        audit::write(&self.0, &auth, job.organization_id, async |tx| {
            store::row::delete::<Model>(tx, row.id).await?;
            let before = JobDeploymentRestrictionResponse::from(row);
            Ok(((), job_change(tx, "DELETE", &job, "CONFIG").await?.before(&before)))
        })
        .await?;
        Ok(EmptyResponse)
    }
}
