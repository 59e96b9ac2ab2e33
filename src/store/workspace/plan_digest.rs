//! The steps of a job without their plans, which are large, and what is known of the variables that those were made with.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use entity::id::WorkspaceStepId;
use entity::workspace_job::JobStatus;
use entity::workspace_step::{Column, Entity};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
};

use crate::store::page::PAGE;

/// The most digests that are kept. More plans than these hardly wait at the same time.
const MOST: usize = 4096;

/// A step of a job, and how it goes.
#[derive(Clone, Debug, FromQueryResult)]
pub struct StepMark {
    pub id: WorkspaceStepId,
    pub status: JobStatus,
    pub spec: serde_json::Value,
}

/// The steps of a job, in order.
///
/// # Errors
/// When the query fails.
pub async fn step_marks(db: &impl ConnectionTrait, job: i32) -> Result<Vec<StepMark>, DbErr> {
    Entity::find()
        .select_only()
        .columns([Column::Id, Column::Status, Column::Spec])
        .filter(Column::JobId.eq(job))
        .order_by_asc(Column::Position)
        .limit(PAGE)
        .into_model()
        .all(db)
        .await
}

/// The variables that a plan was made with, sealed; none if the step has no plan.
///
/// # Errors
/// When the query fails.
pub async fn plan_inputs(db: &impl ConnectionTrait, id: WorkspaceStepId) -> Result<Option<Vec<u8>>, DbErr> {
    let found: Option<Option<Vec<u8>>> =
        Entity::find_by_id(id).select_only().column(Column::Inputs).into_tuple().one(db).await?;
    Ok(found.flatten())
}

/// The digests of the variables of plans that wait. What a plan was made with never changes, so it is read once.
#[derive(Default)]
pub struct PlanDigests(Mutex<HashMap<WorkspaceStepId, [u8; 32]>>);

impl PlanDigests {
    fn all(&self) -> MutexGuard<'_, HashMap<WorkspaceStepId, [u8; 32]>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// That of the plan of a step, if it is known.
    #[must_use]
    pub fn get(&self, id: WorkspaceStepId) -> Option<[u8; 32]> {
        self.all().get(&id).copied()
    }

    pub fn keep(&self, id: WorkspaceStepId, digest: [u8; 32]) {
        let mut all = self.all();
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(id, digest);
    }
}
