//! /job/{jobId}/clone.

use std::sync::Arc;

use entity::id::{EnvironmentId, JobId};
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use serde::Deserialize;
use uuid::Uuid;

use super::response::JobResponse;
use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::tag::Tag;
use crate::api::wire::{Accepted, Body, Json};
use crate::app::App;
use crate::engine::clone_job::clone_job;
use crate::engine::limits;
use crate::error::Result;

#[derive(Debug, Deserialize, Object)]
struct CloneServiceRequest {
    name: String,
    environment_id: Uuid,
}

pub(in crate::api) struct CloneApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl CloneApi {
    #[oai(path = "/job/:jobId/clone", method = "post", operation_id = "cloneJob", tag = Tag::Jobs)]
    async fn clone_job(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        body: Body<CloneServiceRequest>,
    ) -> Result<Accepted<JobResponse>> {
        let source = access::job_row(&self.0.db, &auth.0, Action::Manage, JobId(job_id.0)).await?;
        let CloneServiceRequest { name, environment_id } = body.0;
        let target = EnvironmentId(environment_id);
        let name = limits::name("name", &name)?;
        let target = access::environment(&self.0.db, &auth.0, Action::Manage, target).await?;
        let id = clone_job(&self.0, &auth.requester(), &source, &target, name).await?;
        let view = access::job(&self.0.db, &auth.0, Action::View, id).await?;
        Ok(Json(JobResponse::from(view)))
    }
}
