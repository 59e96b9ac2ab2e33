//! /job/{jobId}/clone.

use std::collections::HashMap;
use std::sync::Arc;

use entity::id::{EnvironmentId, JobId};
use entity::stage_job;
use entity::variable::VariableKind;
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use serde::Deserialize;
use uuid::Uuid;

use super::response::JobResponse;
use crate::access::{self, Action};
use crate::api::audit::{self, Change};
use crate::api::caller::Auth;
use crate::api::tag::Tag;
use crate::api::wire::{Accepted, Body, Json};
use crate::app::App;
use crate::engine::copy_job::{copy_job, copy_variables};
use crate::engine::limits;
use crate::engine::{command, definition};
use crate::error::{Error, Result};
use crate::store;
use crate::store::variable::Owner;

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
        if target.organization_id != source.organization_id {
            return Err(Error::invalid("environment_id", "belongs to another organization"));
        }
        let cluster = store::environment::cluster_of(&self.0.db, &target).await?;
        definition::check_image(&self.0, &source.spec, &cluster)?;
        definition::check_limits(&source.spec, &cluster)?;
        let now = self.0.clock.now();
        let id = audit::write(&self.0, &auth, target.organization_id, async |tx| {
            command::lock_for_addition(tx, target.id).await?;
            let copy = copy_job(tx, &source, &target, name, now).await?;
            let same = source.environment_id == target.id;
            let mut copies = HashMap::new();
            let renamed = [(source.id, copy.id)];
            let rows = store::variable::list_of_job(tx, source.id).await?;
            // The official API does not copy aliases into another environment.
            let rows = rows.into_iter().filter(|row| same || row.kind != VariableKind::Alias).collect();
            copy_variables(&self.0, tx, rows, Owner::Job(copy.id), &mut copies, &renamed, now).await?;
            if same && let Some(place) = store::stage::place(tx, source.id).await? {
                store::stage::attach(
                    tx,
                    stage_job::Model { job_id: copy.id, created_at: now, updated_at: now, ..place },
                )
                .await?;
            }
            let change = Change::new("CLONE", "JOB", copy.id.0, &copy.name).of_environment(&target);
            Ok((copy.id, change))
        })
        .await?;
        let view = access::job(&self.0.db, &auth.0, Action::View, id).await?;
        Ok(Json(JobResponse::from(view)))
    }
}
