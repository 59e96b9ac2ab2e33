//! /environment/{environmentId}/job and /job/{jobId}.

pub(super) mod action;
mod request;
mod response;
pub(super) mod run;
mod schema;

use std::collections::HashSet;
use std::sync::Arc;

use entity::id::{EnvironmentId, JobId};
use entity::job;
use futures_util::{Stream, stream};
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use uuid::Uuid;

use self::request::Checked;
use self::response::JobResponse;
use self::schema::JobRequest;
use super::Tag;
use super::caller::Auth;
use super::status::{self, Status};
use super::wire::{Answer, Body, Created, Found, Gone, Results, Streamed};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::command::{self, Removal};
use crate::engine::deployment::runs_alike;
use crate::error::{Error, Result};
use crate::store;
use crate::store::job::JobEdit;

const TAKEN: &str = "Job name within the environment is already taken";

/// The handlers.
pub(super) struct JobApi(pub(super) Arc<App>);

#[OpenApi]
impl JobApi {
    #[oai(path = "/environment/:environmentId/job", method = "get", operation_id = "listJobs", tag = Tag::Jobs)]
    async fn list_jobs(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        #[oai(name = "toUpdate", default)] to_update: Query<bool>,
    ) -> Result<Streamed<Results<JobResponse>>> {
        let id = EnvironmentId(environment_id.0);
        let row = access::environment(&self.0.db, &auth.0, Action::View, id).await?;
        let wanted = if to_update.0 { Wanted::ToUpdate } else { Wanted::All };
        Ok(Streamed::new(pages(Arc::clone(&self.0), row.id, wanted)))
    }

    #[oai(path = "/environment/:environmentId/job", method = "post", operation_id = "createJob", tag = Tag::Jobs)]
    async fn create_job(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        body: Body<JobRequest>,
    ) -> Result<Created<JobResponse>> {
        let id = EnvironmentId(environment_id.0);
        let environment = access::environment(&self.0.db, &auth.0, Action::Manage, id).await?;
        let Checked { name, job_type, spec } = self.check(&environment, body.0, None).await?;
        let now = self.0.clock.now();
        let row = job::Model {
            id: JobId::create(),
            organization_id: environment.organization_id,
            environment_id: environment.id,
            created_at: now,
            updated_at: now,
            name_key: entity::name_key(&name),
            name,
            job_type,
            registry_id: request::registry_of(&spec),
            spec,
            deployed: None,
            next_run_at: None,
        };
        let id = row.id;
        store::write(&self.0.db, async |tx| {
            command::lock_for_addition(tx, environment.id).await?;
            store::job::create(tx, row).await.map_err(|e| Error::or_taken(e, TAKEN))
        })
        .await?;
        let view = access::job(&self.0.db, &auth.0, Action::View, id).await?;
        Ok(Answer(JobResponse::from(view)))
    }

    #[oai(path = "/job/:jobId", method = "get", operation_id = "getJob", tag = Tag::JobMainCalls)]
    async fn get_job(&self, auth: Auth, #[oai(name = "jobId")] job_id: Path<Uuid>) -> Result<Found<JobResponse>> {
        let view = access::job(&self.0.db, &auth.0, Action::View, JobId(job_id.0)).await?;
        Ok(Answer(JobResponse::from(view)))
    }

    #[oai(path = "/job/:jobId", method = "put", operation_id = "editJob", tag = Tag::JobMainCalls)]
    async fn edit_job(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        body: Body<JobRequest>,
    ) -> Result<Found<JobResponse>> {
        let row = access::job_row(&self.0.db, &auth.0, Action::Manage, JobId(job_id.0)).await?;
        let environment = access::environment(&self.0.db, &auth.0, Action::Manage, row.environment_id).await?;
        let Checked { name, job_type: _, spec } = self.check(&environment, body.0, Some(&row)).await?;
        let edit = JobEdit { name, registry_id: request::registry_of(&spec), spec, updated_at: self.0.clock.now() };
        store::job::update(&self.0.db, row.id, edit).await.map_err(|e| Error::or_taken(e, TAKEN))?;
        let view = access::job(&self.0.db, &auth.0, Action::View, row.id).await?;
        Ok(Answer(JobResponse::from(view)))
    }

    #[oai(path = "/job/:jobId", method = "delete", operation_id = "deleteJob", tag = Tag::JobMainCalls)]
    async fn delete_job(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        #[oai(name = "skipReconcile", default)] skip_reconcile: Query<bool>,
    ) -> Result<Gone> {
        let row = access::job_row(&self.0.db, &auth.0, Action::Manage, JobId(job_id.0)).await?;
        let removal = if skip_reconcile.0 { Removal::RowsOnly } else { Removal::Complete };
        command::delete_job(&self.0, auth.requester(), &row, removal).await?;
        Ok(Gone)
    }

    #[oai(path = "/job/:jobId/status", method = "get", operation_id = "getJobStatus", tag = Tag::JobMainCalls)]
    async fn get_job_status(&self, auth: Auth, #[oai(name = "jobId")] job_id: Path<Uuid>) -> Result<Found<Status>> {
        let row = access::job_row(&self.0.db, &auth.0, Action::View, JobId(job_id.0)).await?;
        Ok(Answer(status::of_job(&self.0.db, &row).await?))
    }
}

impl JobApi {
    /// Everything that a request has to satisfy, alone and against what is stored.
    async fn check(
        &self,
        environment: &entity::environment::Model,
        given: JobRequest,
        stored: Option<&job::Model>,
    ) -> Result<Checked> {
        let checked = request::check(given, stored)?;
        let cluster = store::environment::cluster_of(&self.0.db, environment).await?;
        request::check_limits(&checked.spec, &cluster)?;
        if let Some(id) = request::registry_of(&checked.spec) {
            let registry = store::registry::by_id(&self.0.db, id).await?;
            if registry.is_none_or(|registry| registry.organization_id != environment.organization_id) {
                let text = "is not a registry of this organization";
                return Err(Error::invalid("source.image.registry_id", text));
            }
        }
        Ok(checked)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    All,
    /// Those whose configuration is not what is deployed.
    ToUpdate,
}

/// The pieces of a list of jobs: a page of rows each, so that a long list needs no more memory than a short one.
fn pages(
    app: Arc<App>,
    environment: EnvironmentId,
    wanted: Wanted,
) -> impl Stream<Item = Result<Vec<u8>>> + Send + 'static {
    enum Position {
        Begin,
        After(JobId),
        End,
    }
    stream::try_unfold((app, Position::Begin, true), move |(app, position, mut first)| async move {
        let (mut piece, after) = match position {
            Position::End => return Ok(None),
            Position::Begin => (b"{\"results\":[".to_vec(), None),
            Position::After(id) => (Vec::new(), Some(id)),
        };
        let views = store::job::list_views_by_environment(&app.db, environment, after, store::PAGE).await?;
        let outdated = match wanted {
            Wanted::All => None,
            Wanted::ToUpdate => Some(outdated(&app, environment, after).await?),
        };
        let last = views.last().map(|view| view.id);
        for view in views {
            if outdated.as_ref().is_some_and(|ids| !ids.contains(&view.id)) {
                continue;
            }
            if !std::mem::replace(&mut first, false) {
                piece.push(b',');
            }
            serde_json::to_writer(&mut piece, &JobResponse::from(view)).map_err(Error::internal)?;
        }
        let next = match last {
            Some(id) => Position::After(id),
            None => {
                piece.extend_from_slice(b"]}");
                Position::End
            }
        };
        Ok(Some((piece, (app, next, first))))
    })
}

async fn outdated(app: &App, environment: EnvironmentId, after: Option<JobId>) -> Result<HashSet<JobId>> {
    let rows = store::job::list_by_environment(&app.db, environment, after, store::PAGE).await?;
    let differs = |row: &job::Model| row.deployed.as_ref().is_none_or(|deployed| !runs_alike(deployed, &row.spec));
    Ok(rows.into_iter().filter(differs).map(|row| row.id).collect())
}
