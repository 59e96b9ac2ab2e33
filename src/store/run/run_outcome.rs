//! The newest executions of jobs, with their outcomes. Builds and changes of schedules in clusters are no executions.

use chrono::{DateTime, Utc};
use entity::id::{JobId, RunId};
use entity::run::{self, Event, RunState, Trigger};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, DerivePartialModel, EntityTrait, QueryFilter, QueryOrder,
};

/// The outcome of a run.
#[derive(Clone, Debug, PartialEq, Eq, DerivePartialModel)]
#[sea_orm(entity = "run::Entity")]
pub struct LastRun {
    pub id: RunId,
    pub number: i64,
    pub state: RunState,
    pub trigger: Trigger,
    pub event: Event,
    pub scheduled_for: Option<DateTime<Utc>>,
    pub started_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
    pub exit_code: Option<i32>,
    pub reason: Option<String>,
}

/// Ended runs that say how their job does: executions that succeeded, and whatever failed. A build that succeeded is no recovery.
pub(in crate::store) fn says_how_it_does() -> Condition {
    Condition::all().add(run::Column::State.is_in([RunState::Succeeded, RunState::Failed])).add(
        Condition::any()
            .add(run::Column::State.eq(RunState::Failed))
            .add(run::Column::Event.is_not_in(Event::NO_EXECUTIONS)),
    )
}

/// The newest execution of a job.
///
/// # Errors
/// When the query fails.
pub async fn last_of_job(db: &impl ConnectionTrait, job: JobId) -> Result<Option<LastRun>, DbErr> {
    run::Entity::find()
        .filter(run::Column::JobId.eq(job))
        .filter(run::Column::Event.is_not_in(Event::NO_EXECUTIONS))
        .order_by_desc(run::Column::Number)
        .into_partial_model()
        .one(db)
        .await
}

/// The runs with these numbers.
///
/// # Errors
/// When the query fails.
pub async fn outcomes_by_number(db: &impl ConnectionTrait, numbers: Vec<i64>) -> Result<Vec<LastRun>, DbErr> {
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    run::Entity::find().filter(run::Column::Number.is_in(numbers)).into_partial_model().all(db).await
}
