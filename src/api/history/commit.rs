//! /job/{jobId}/commit, and commits in responses.

use std::sync::Arc;

use entity::id::JobId;
use entity::job_spec;
use poem_openapi::param::{Path, Query};
use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::tag::Tag;
use crate::api::wire::{Json, Results, Success, Timestamp};
use crate::app::App;
use crate::error::{Error, Result};
use crate::git;

/// One commit.
#[derive(Clone, Debug, Serialize, Deserialize, Object)]
pub(in crate::api) struct Commit {
    created_at: Timestamp,
    git_commit_id: String,
    tag: String,
    message: String,
    author_name: String,
}

impl Commit {
    pub(super) fn new(id: String, at: chrono::DateTime<chrono::Utc>, author: String, message: String) -> Self {
        // The official Go client rejects a commit without a tag.
        Self { created_at: Timestamp(at), git_commit_id: id, tag: String::new(), message, author_name: author }
    }
}

pub(in crate::api) struct CommitApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl CommitApi {
    #[oai(path = "/job/:jobId/commit", method = "get", operation_id = "listJobCommit", tag = Tag::JobMainCalls)]
    async fn list_job_commit(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        #[oai(name = "startId")] start_id: Query<Option<Uuid>>,
        #[oai(name = "gitCommitId")] git_commit_id: Query<Option<Uuid>>,
    ) -> Result<Success<Results<Commit>>> {
        let row = access::job_row(&self.0.db, &auth.0, Action::View, JobId(job_id.0)).await?;
        // The official parameters are UUIDs, but commit ids are not, so they are ignored.
        let _unused = (start_id, git_commit_id);
        let job_spec::Source::Docker { git_repository: Some(repository), .. } = &row.spec.source else {
            return Err(Error::invalid("jobId", "the job is not built from a git repository and has no commits"));
        };
        let login = git::login::of_repository(&self.0, row.organization_id, repository)
            .await?
            .map_err(|refused| Error::invalid("jobId", format!("the git token of the job: {refused}")))?;
        let commits = git::commits(&repository.url, repository.branch.as_deref(), login.as_ref())
            .await
            .map_err(|reason| Error::invalid("jobId", reason))?;
        let answer = |commit: git::Commit| Commit::new(commit.id, commit.at, commit.author, commit.message);
        Ok(Json(Results { results: commits.into_iter().map(answer).collect() }))
    }
}
