//! The commits that deployments have built.

use entity::run_spec;
use std::collections::HashMap;

use entity::deployment_job;
use entity::id::RunId;
use poem_openapi::Object;
use sea_orm::DatabaseConnection;
use serde::{Deserialize, Serialize};

use super::super::wire::Timestamp;
use crate::error::Result;
use crate::store;

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
    pub(in crate::api) fn new(id: String, at: chrono::DateTime<chrono::Utc>, author: String, message: String) -> Self {
        // The official Go client refuses a commit without a tag.
        Self { created_at: Timestamp(at), git_commit_id: id, tag: String::new(), message, author_name: author }
    }
}

/// What was built, by the run that built it.
#[derive(Default)]
pub(super) struct Builds(HashMap<RunId, run_spec::Commit>);

impl Builds {
    pub(super) async fn read<'a>(
        db: &DatabaseConnection,
        parts: impl IntoIterator<Item = &'a deployment_job::Model>,
    ) -> Result<Self> {
        let ids: Vec<RunId> = parts.into_iter().filter_map(|part| part.build_run_id).collect();
        let mut builds = HashMap::new();
        for ids in ids.chunks(500) {
            let runs = store::run::list_by_ids(db, ids.to_vec()).await?;
            builds.extend(runs.into_iter().filter_map(|run| Some((run.id, run.built?.commit?))));
        }
        Ok(Self(builds))
    }

    pub(super) fn of(&self, part: &deployment_job::Model) -> Option<Commit> {
        let run_spec::Commit { id, at, author, message } = self.0.get(&part.build_run_id?)?.clone();
        Some(Commit::new(id, at, author, message))
    }
}
