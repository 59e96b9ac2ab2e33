//! The runs of a job's part in a deployment.

use std::collections::HashMap;

use entity::deployment::Progress;
use entity::deployment_job;
use entity::id::RunId;
use entity::run::{self, RunState};
use sea_orm::DatabaseConnection;

use crate::engine::shown::PartPhase;
use crate::error::Result;
use crate::store;

/// The runs of a part: the build of its image, and the run that the part waits for.
#[derive(Clone, Debug, Default)]
pub struct PartRuns {
    pub build: Option<run::Model>,
    pub run: Option<run::Model>,
}

/// The ids of the runs that parts refer to.
pub fn run_ids<'a>(parts: impl IntoIterator<Item = &'a deployment_job::Model>) -> Vec<RunId> {
    parts.into_iter().flat_map(|part| [part.run_id, part.build_run_id]).flatten().collect()
}

impl PartRuns {
    /// Selects the runs of a part from `all`.
    #[must_use]
    pub fn of(part: &deployment_job::Model, all: &[run::Model]) -> Self {
        let find = |id: Option<RunId>| all.iter().find(|run| Some(run.id) == id).cloned();
        Self { build: find(part.build_run_id), run: find(part.run_id) }
    }

    /// The same, by id.
    #[must_use]
    pub fn among(part: &deployment_job::Model, all: &HashMap<RunId, run::Model>) -> Self {
        let find = |id: Option<RunId>| id.and_then(|id| all.get(&id)).cloned();
        Self { build: find(part.build_run_id), run: find(part.run_id) }
    }

    /// Reads the runs of a part.
    ///
    /// # Errors
    /// Database errors.
    pub async fn read(db: &DatabaseConnection, part: &deployment_job::Model) -> Result<Self> {
        let ids = run_ids([part]);
        if ids.is_empty() {
            return Ok(Self::default());
        }
        Ok(Self::of(part, &store::run::list_by_ids(db, ids).await?))
    }

    /// The current activity of the part.
    #[must_use]
    pub fn doing(&self, part: &deployment_job::Model) -> PartPhase {
        // Applying the schedule to the cluster is a step of the deployment, not an execution.
        let executes = |run: &run::Model| {
            run.state == RunState::Running && run.event != run::Event::Apply && run.cancel_requested_at.is_none()
        };
        let running = self.run.as_ref().is_some_and(executes);
        match doing(part) {
            PartPhase::Idle if running => PartPhase::Run,
            other => other,
        }
    }
}

/// The activity that a part is in or failed in, according to its row alone.
#[must_use]
pub fn doing(part: &deployment_job::Model) -> PartPhase {
    let builds = part.build_run_id.is_some() && part.run_id.is_none();
    if builds && matches!(part.progress, Progress::Running | Progress::Failed) {
        PartPhase::Build
    } else {
        PartPhase::Idle
    }
}
