//! The commits built by build runs.

use std::collections::HashMap;

use entity::id::RunId;
use entity::{deployment_job, run_spec};
use sea_orm::DatabaseConnection;

use super::commit::Commit;
use crate::error::Result;
use crate::store;

/// Built commits, by the run that built them.
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
