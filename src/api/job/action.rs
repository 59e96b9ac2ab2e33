//! /job/{jobId}/deploy and /job/{jobId}/stop.

use std::sync::Arc;

use entity::deployment::Action as DeploymentAction;
use entity::id::JobId;
use entity::job::{JobType, Source};
use entity::run::Event;
use poem_openapi::param::{Path, Query};
use poem_openapi::{Enum, Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::Tag;
use super::super::caller::Auth;
use super::super::status::{self, Status};
use super::super::wire::{Accepted, Answer, Body};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::command;
use crate::engine::deployment;
use crate::error::{Error, Result};
use crate::store;
use crate::store::job::JobEdit;

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum JobForceEvent {
    Start,
    Stop,
    Delete,
    Cron,
}

impl From<JobForceEvent> for Event {
    fn from(event: JobForceEvent) -> Self {
        match event {
            JobForceEvent::Start => Self::Start,
            JobForceEvent::Stop => Self::Stop,
            JobForceEvent::Delete => Self::Delete,
            JobForceEvent::Cron => Self::Cron,
        }
    }
}

#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
struct JobDeployRequest {
    image_tag: Option<String>,
    git_commit_id: Option<String>,
}

/// The handlers.
pub(in super::super) struct ActionApi(pub(in super::super) Arc<App>);

#[OpenApi]
impl ActionApi {
    #[oai(path = "/job/:jobId/deploy", method = "post", operation_id = "deployJob", tag = Tag::JobActions)]
    async fn deploy_job(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        #[oai(name = "forceEvent")] force_event: Query<Option<JobForceEvent>>,
        body: Body<JobDeployRequest>,
    ) -> Result<Accepted<Status>> {
        let mut row = access::job_row(&self.0.db, &auth.0, Action::Deploy, JobId(job_id.0)).await?;
        let forced = force_event.0.map(Event::from);
        if forced.is_some_and(|event| deployment::command(&row.spec.schedule, event).is_none()) {
            let text = match row.job_type {
                JobType::Cron => "a CRON job has no event but CRON",
                JobType::Lifecycle => "the job has no command for this event",
            };
            return Err(Error::invalid("forceEvent", text));
        }
        self.set_version(&mut row, body.0).await?;
        command::request_job(&self.0, auth.requester(), &row, DeploymentAction::Deploy, forced).await?;
        Ok(Answer(status::of_job(&self.0.db, &row).await?))
    }

    #[oai(path = "/job/:jobId/stop", method = "post", operation_id = "stopJob", tag = Tag::JobActions)]
    async fn stop_job(&self, auth: Auth, #[oai(name = "jobId")] job_id: Path<Uuid>) -> Result<Accepted<Status>> {
        let row = access::job_row(&self.0.db, &auth.0, Action::Deploy, JobId(job_id.0)).await?;
        command::request_job(&self.0, auth.requester(), &row, DeploymentAction::Stop, None).await?;
        Ok(Answer(status::of_job(&self.0.db, &row).await?))
    }
}

impl ActionApi {
    /// Another version to deploy becomes the configured one.
    async fn set_version(&self, row: &mut entity::job::Model, given: JobDeployRequest) -> Result<()> {
        let JobDeployRequest { image_tag, git_commit_id } = given;
        let given_tag = match (image_tag, git_commit_id) {
            (None, None) => return Ok(()),
            (Some(_), Some(_)) => {
                return Err(Error::invalid(
                    "git_commit_id",
                    "is given together with image_tag; a job has one or the other",
                ));
            }
            (None, Some(_)) => {
                return Err(Error::invalid(
                    "git_commit_id",
                    "only a job that is built from git has commits, and building is not supported yet",
                ));
            }
            (Some(tag), None) => tag,
        };
        match &mut row.spec.source {
            Source::Image { tag, .. } if *tag == given_tag => return Ok(()),
            Source::Image { tag, .. } => *tag = super::request::tag("image_tag", &given_tag)?,
            Source::Docker { .. } => {
                return Err(Error::invalid("image_tag", "the job is built from a Dockerfile and has no image tag"));
            }
        }
        let edit = JobEdit {
            name: row.name.clone(),
            registry_id: row.registry_id,
            spec: row.spec.clone(),
            updated_at: self.0.clock.now(),
        };
        store::job::update(&self.0.db, row.id, edit).await?;
        Ok(())
    }
}
