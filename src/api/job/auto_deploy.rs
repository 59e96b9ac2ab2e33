//! /organization/{organizationId}/job/deploy: deploys an image tag to every job with auto-deploy that uses the image.

use std::collections::BTreeMap;
use std::sync::Arc;

use entity::id::{EnvironmentId, OrganizationId};
use entity::job;
use entity::job_spec::Source;
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use serde::Deserialize;
use uuid::Uuid;

use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::status::{self, Status};
use crate::api::tag::Tag;
use crate::api::wire::{Accepted, Body, Json};
use crate::app::App;
use crate::engine::command::{self, JobTarget};
use crate::engine::deploy_version::NewTag;
use crate::engine::limits;
use crate::error::{Error, Result};
use crate::store;

#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
struct OrganizationJobAutoDeployRequest {
    image_name: Option<String>,
    tag: Option<String>,
}

pub(in crate::api) struct AutoDeployApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl AutoDeployApi {
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
        let targets_by_environment = self.outdated_jobs(&auth, id, &image_name, &tag).await?;
        let mut newest = None;
        for (environment, jobs) in targets_by_environment {
            let new_tag = Some(NewTag::of_image(image_name.clone(), tag.clone()));
            let target = |job| JobTarget { tag: new_tag.clone(), ..JobTarget::from(job) };
            let targets = jobs.into_iter().map(target).collect();
            let by = auth.requester();
            let row = command::deploy_selected(&self.0, &by, environment, targets).await?;
            newest = row.or(newest);
        }
        match newest {
            Some(row) => Ok(Json(status::of_request(&self.0.db, &row).await?)),
            None => Ok(Json(status::of_nothing(id.0))),
        }
    }
}

impl AutoDeployApi {
    /// The jobs to deploy, by environment: deployed, with auto-deploy enabled and another tag of this image, in an
    /// environment that the caller may deploy.
    async fn outdated_jobs(
        &self,
        auth: &Auth,
        organization: OrganizationId,
        image: &str,
        tag: &str,
    ) -> Result<BTreeMap<EnvironmentId, Vec<job::Model>>> {
        let auto_deployed = |job: &job::Model| match &job.spec.source {
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
            for job in page.into_iter().filter(auto_deployed) {
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
