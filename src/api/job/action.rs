//! Actions on one job, and the deployment of a tag to every job that wants it.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::deployment::Action as DeploymentAction;
use entity::id::{EnvironmentId, JobId, OrganizationId};
use entity::job;
use entity::job_spec::JobType;
use entity::job_spec::Source;
use entity::run::Event;
use poem_openapi::param::{Path, Query};
use poem_openapi::{Enum, Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::caller::Auth;
use super::super::limits;
use super::super::status::{self, Status};
use super::super::tag::Tag;
use super::super::wire::{Accepted, Body, Empty, Json, Success};
use super::{clean, edit_of};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::command::{self, Target};
use crate::engine::deployment;
use crate::error::{Error, Result};
use crate::store;
use crate::store::job::JobEdit;

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum JobForceEvent {
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

#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
struct OrganizationJobAutoDeployRequest {
    image_name: Option<String>,
    tag: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct CleanedJob {
    clean_kubernetes_jobs: Vec<String>,
}

/// The version of a job that is to be deployed; none for the configured one.
pub(in super::super) struct Version {
    pub(in super::super) image_tag: Option<String>,
    pub(in super::super) git_commit_id: Option<String>,
}

impl Version {
    /// Another version becomes the configured one: changes the row, and returns the edit that stores it. A commit is
    /// returned as it is: it is what the deployment builds.
    pub(in super::super) fn apply(
        self,
        prefix: &str,
        row: &mut job::Model,
        now: DateTime<Utc>,
    ) -> Result<(Option<JobEdit>, Option<String>)> {
        let (commit_field, tag_field) = (format!("{prefix}git_commit_id"), format!("{prefix}image_tag"));
        let given_tag = match (self.image_tag, self.git_commit_id) {
            (None, None) => return Ok((None, None)),
            (Some(_), Some(_)) => {
                let text = "is given together with image_tag; a job has one or the other";
                return Err(Error::invalid(commit_field, text));
            }
            (None, Some(commit)) => {
                let from_git = matches!(&row.spec.source, Source::Docker { git_repository: Some(_), .. });
                if !from_git {
                    return Err(Error::invalid(commit_field, "only a job that is built from git has commits"));
                }
                return Ok((None, Some(limits::commit(&commit_field, &commit)?)));
            }
            (Some(tag), None) => tag,
        };
        match &mut row.spec.source {
            Source::Image { tag, .. } if *tag == given_tag => return Ok((None, None)),
            Source::Image { tag, .. } => *tag = limits::image_tag(&tag_field, &given_tag)?,
            Source::Docker { .. } => {
                return Err(Error::invalid(tag_field, "the job is built from a Dockerfile and has no image tag"));
            }
        }
        Ok((Some(edit_of(row, now)), None))
    }
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
        let JobDeployRequest { image_tag, git_commit_id } = body.0;
        let version = Version { image_tag, git_commit_id };
        self.deploy(&auth, job_id, force_event.0, version).await
    }

    #[oai(path = "/job/:jobId/redeploy", method = "post", operation_id = "redeployJob", tag = Tag::JobActions)]
    async fn redeploy_job(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        #[oai(name = "forceEvent")] force_event: Query<Option<JobForceEvent>>,
    ) -> Result<Accepted<Status>> {
        self.deploy(&auth, job_id, force_event.0, Version { image_tag: None, git_commit_id: None }).await
    }

    #[oai(path = "/job/:jobId/stop", method = "post", operation_id = "stopJob", tag = Tag::JobActions)]
    async fn stop_job(&self, auth: Auth, #[oai(name = "jobId")] job_id: Path<Uuid>) -> Result<Accepted<Status>> {
        let row = access::job_row(&self.0.db, &auth.0, Action::Deploy, JobId(job_id.0)).await?;
        self.request(&auth, Target::from(row), DeploymentAction::Stop).await
    }

    #[oai(path = "/job/:jobId/uninstall", method = "post", operation_id = "uninstallJob", tag = Tag::JobActions)]
    async fn uninstall_job(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        _body: Body<Empty>,
    ) -> Result<Accepted<Status>> {
        let row = access::job_row(&self.0.db, &auth.0, Action::Deploy, JobId(job_id.0)).await?;
        self.request(&auth, Target::from(row), DeploymentAction::Uninstall).await
    }

    #[oai(path = "/job/:jobId/cleanFailedJob", method = "post", operation_id = "cleanFailedJob", tag = Tag::JobActions)]
    async fn clean_failed_job(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
    ) -> Result<Success<CleanedJob>> {
        let row = access::job_row(&self.0.db, &auth.0, Action::Deploy, JobId(job_id.0)).await?;
        let (_, clean_kubernetes_jobs) = clean(&self.0, vec![row]).await?;
        Ok(Json(CleanedJob { clean_kubernetes_jobs }))
    }

    #[oai(path = "/organization/:organizationId/job/deploy", method = "post", operation_id = "autoDeployJobEnvironments", tag = Tag::Jobs)]
    async fn auto_deploy_job_environments(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        body: Body<OrganizationJobAutoDeployRequest>,
    ) -> Result<Accepted<Status>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::View, id).await?;
        let OrganizationJobAutoDeployRequest { image_name, tag } = body.0;
        let present = |field: &str, given: Option<String>| given.ok_or_else(|| Error::invalid(field, "is missing"));
        let image_name = limits::image_name("image_name", &present("image_name", image_name)?)?;
        let tag = limits::image_tag("tag", &present("tag", tag)?)?;
        let wanted = self.wanting(&auth, id, &image_name, &tag).await?;
        let mut newest = None;
        for (environment, jobs) in wanted {
            let now = self.0.clock.now();
            let target = |mut job: job::Model| {
                let version = Version { image_tag: Some(tag.clone()), git_commit_id: None };
                let (edit, commit) = version.apply("", &mut job, now)?;
                Ok(Target { edit, commit, ..Target::from(job) })
            };
            let targets = jobs.into_iter().map(target).collect::<Result<_>>()?;
            let by = auth.requester();
            let row = command::request_jobs(&self.0, &by, environment, targets, DeploymentAction::Deploy).await?;
            newest = Some(row);
        }
        match newest {
            Some(row) => Ok(Json(status::of_request(&self.0.db, &row).await?)),
            None => Ok(Json(status::of_nothing(id.0))),
        }
    }
}

impl ActionApi {
    async fn deploy(
        &self,
        auth: &Auth,
        job_id: Path<Uuid>,
        forced: Option<JobForceEvent>,
        version: Version,
    ) -> Result<Accepted<Status>> {
        let mut row = access::job_row(&self.0.db, &auth.0, Action::Deploy, JobId(job_id.0)).await?;
        let forced = forced.map(Event::from);
        if forced.is_some_and(|event| deployment::command(&row.spec.schedule, event).is_none()) {
            let text = match row.job_type {
                JobType::Cron => "a CRON job has no event but CRON",
                JobType::Lifecycle => "the job has no command for this event",
            };
            return Err(Error::invalid("forceEvent", text));
        }
        let (edit, commit) = version.apply("", &mut row, self.0.clock.now())?;
        self.request(auth, Target { job: row, forced, edit, commit }, DeploymentAction::Deploy).await
    }

    async fn request(&self, auth: &Auth, target: Target, action: DeploymentAction) -> Result<Accepted<Status>> {
        let row = target.job.clone();
        command::request_jobs(&self.0, &auth.requester(), row.environment_id, vec![target], action).await?;
        Ok(Json(status::of_job(&self.0.db, &row).await?))
    }

    /// The deployed jobs with auto-deploy and another tag of this image, that the caller may deploy.
    async fn wanting(
        &self,
        auth: &Auth,
        organization: OrganizationId,
        image: &str,
        tag: &str,
    ) -> Result<BTreeMap<EnvironmentId, Vec<job::Model>>> {
        let wants = |job: &job::Model| match &job.spec.source {
            Source::Image { image_name, tag: present, .. } => {
                job.spec.auto_deploy && job.deployed.is_some() && image_name == image && present != tag
            }
            Source::Docker { .. } => false,
        };
        let mut wanted: BTreeMap<EnvironmentId, Vec<job::Model>> = BTreeMap::new();
        let mut after = None;
        loop {
            let page = store::job::list_by_organization(&self.0.db, organization, (None, None, None), after).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.created_at, last.id));
            for job in page.into_iter().filter(wants) {
                wanted.entry(job.environment_id).or_default().push(job);
            }
        }
        let mut allowed = BTreeMap::new();
        for (id, jobs) in wanted {
            match access::environment(&self.0.db, &auth.0, Action::Deploy, id).await {
                Ok(_) => drop(allowed.insert(id, jobs)),
                Err(Error::Forbidden(_) | Error::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(allowed)
    }
}
