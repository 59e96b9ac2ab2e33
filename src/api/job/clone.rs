//! /job/{jobId}/clone and /job/{jobId}/commit; and the copying of jobs with what belongs to them.

use entity::job_spec;
use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::id::{EnvironmentId, JobId, RestrictionId, VariableId};
use entity::variable::{self, VariableKind};
use entity::{deployment_restriction, job, stage_job};
use poem_openapi::param::{Path, Query};
use poem_openapi::{Object, OpenApi};
use sea_orm::DatabaseTransaction;
use serde::Deserialize;
use uuid::Uuid;

use super::super::audit::{self, Change};
use super::super::caller::Auth;
use super::super::history::Commit;
use super::super::limits;
use super::super::tag::Tag;
use super::super::wire::{Accepted, Body, Json, Results, Success};
use super::response::JobResponse;
use super::{or_taken, validate};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::command;
use crate::engine::variables::short_id;
use crate::error::{Error, Result};
use crate::git;
use crate::secret;
use crate::store;

#[derive(Debug, Deserialize, Object)]
struct CloneServiceRequest {
    name: String,
    environment_id: Uuid,
}

/// The handlers.
pub(in super::super) struct CloneApi(pub(in super::super) Arc<App>);

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
        validate::check_limits(&source.spec, &cluster)?;
        let now = self.0.clock.now();
        let id = audit::write(&self.0, &auth, target.organization_id, async |tx| {
            command::lock_for_addition(tx, target.id).await?;
            let copy = copy_job(tx, &source, &target, name, now).await?;
            let same = source.environment_id == target.id;
            let mut known = HashMap::new();
            let renamed = [(source.id, copy.id)];
            let rows = store::variable::list_of_job(tx, source.id).await?;
            // Into another environment aliases are not copied (rule of the official API).
            let rows = rows.into_iter().filter(|row| same || row.kind != VariableKind::Alias).collect();
            copy_variables(&self.0, tx, rows, Owner::Job(copy.id), &mut known, &renamed, now).await?;
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

    #[oai(path = "/job/:jobId/commit", method = "get", operation_id = "listJobCommit", tag = Tag::JobMainCalls)]
    async fn list_job_commit(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        #[oai(name = "startId")] start_id: Query<Option<Uuid>>,
        #[oai(name = "gitCommitId")] git_commit_id: Query<Option<Uuid>>,
    ) -> Result<Success<Results<Commit>>> {
        let row = access::job_row(&self.0.db, &auth.0, Action::View, JobId(job_id.0)).await?;
        // Ids of commits are no UUIDs, so that nothing can be behind one.
        let _unused = (start_id, git_commit_id);
        let job_spec::Source::Docker { git_repository: Some(repository), .. } = &row.spec.source else {
            return Err(Error::invalid("jobId", "the job is not built from git, so it has no commits"));
        };
        let login = git::login::of(&self.0, repository).await?;
        let commits = crate::git::commits(&repository.url, repository.branch.as_deref(), login.as_ref())
            .await
            .map_err(|reason| Error::invalid("jobId", reason))?;
        let answer = |commit: crate::git::Commit| Commit::new(commit.id, commit.at, commit.author, commit.message);
        Ok(Json(Results { results: commits.into_iter().map(answer).collect() }))
    }
}

/// Who gets a copy of variables.
#[derive(Clone, Copy)]
pub(in super::super) enum Owner {
    Environment(EnvironmentId),
    Job(JobId),
}

/// A copy of a job that was never deployed, with its restrictions, in the stage of new jobs.
pub(in super::super) async fn copy_job(
    tx: &DatabaseTransaction,
    source: &job::Model,
    environment: &entity::environment::Model,
    name: String,
    now: DateTime<Utc>,
) -> Result<job::Model> {
    // Of the source only its configuration is copied: the copy was never deployed.
    let copy = job::Model::new(environment, &name, source.spec.clone(), now);
    store::job::create(tx, copy.clone()).await.map_err(or_taken)?;
    for row in store::restriction::list(tx, source.id).await? {
        let id = RestrictionId::create();
        let row = deployment_restriction::Model { id, job_id: copy.id, created_at: now, updated_at: now, ..row };
        store::row::create(tx, row).await?;
    }
    Ok(copy)
}

/// Copies variables to an owner; targets that were copied before are followed, as are the short ids of jobs in names
/// inside values. Aliases whose target is not there any more are left out, overrides become plain values.
pub(in super::super) async fn copy_variables(
    app: &App,
    tx: &DatabaseTransaction,
    rows: Vec<variable::Model>,
    owner: Owner,
    known: &mut HashMap<VariableId, VariableId>,
    renamed: &[(JobId, JobId)],
    now: DateTime<Utc>,
) -> Result<()> {
    // Plain values first: what refers to them comes behind.
    let (mut plain, referring): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.target_id.is_none());
    plain.extend(referring);
    for row in plain {
        if row.kind == VariableKind::BuiltIn {
            continue;
        }
        let target_id = row.target_id.map(|id| known.get(&id).copied().unwrap_or(id));
        let there = match target_id {
            Some(id) => store::variable::is_visible(tx, id, owner.into()).await?,
            None => true,
        };
        if !there && row.kind == VariableKind::Alias {
            continue;
        }
        let id = VariableId::create();
        known.insert(row.id, id);
        let mut copy = variable::Model {
            id,
            project_id: None,
            environment_id: match owner {
                Owner::Environment(id) => Some(id),
                Owner::Job(_) => None,
            },
            job_id: match owner {
                Owner::Environment(_) => None,
                Owner::Job(id) => Some(id),
            },
            created_at: now,
            updated_at: now,
            target_id: target_id.filter(|_| there),
            kind: if there { row.kind } else { VariableKind::Value },
            value: row.value.as_deref().map(|text| rename(text, renamed)),
            target_key: row.target_key.as_deref().map(|text| rename(text, renamed)),
            sealed: None,
            ..row.clone()
        };
        if let Some(sealed) = &row.sealed {
            let opened = app.keys.open_text(&secret::place("variable", row.id.0), sealed)?;
            let text = rename(opened.expose(), renamed);
            copy.sealed = Some(app.keys.seal(&secret::place("variable", id.0), text.as_bytes())?);
        }
        store::row::create(tx, copy).await?;
    }
    Ok(())
}

impl From<Owner> for store::variable::Owner {
    fn from(owner: Owner) -> Self {
        match owner {
            Owner::Environment(id) => Self::Environment(id),
            Owner::Job(id) => Self::Job(id),
        }
    }
}

/// The names of built-in variables hold the short id of their job.
fn rename(text: &str, renamed: &[(JobId, JobId)]) -> String {
    renamed.iter().fold(text.to_owned(), |text, (old, new)| {
        let (old, new) = (short_id(old.0).to_uppercase(), short_id(new.0).to_uppercase());
        text.replace(&format!("_Z{old}_"), &format!("_Z{new}_"))
    })
}
