//! Changes to a run. Its state changes only through `claim` and `advance`, which check the expected state.

use chrono::{DateTime, Utc};
use entity::id::RunId;
use entity::run;
use entity::run::{RunState, RunnerKind};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter};
use uuid::Uuid;

use super::open::open;

/// The expected state and owner of a run.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    pub state: RunState,
    pub owner: Option<Uuid>,
}

/// Replaces a run if it is still as expected. Returns whether it was.
///
/// # Errors
/// When the statement fails.
pub async fn advance(tx: &impl ConnectionTrait, expected: Expected, row: run::Model) -> Result<bool, DbErr> {
    use sea_orm::ActiveValue::NotSet;
    let id = row.id;
    let mut active = row.into_active_model().reset_all();
    // Others may set this while the runner is polled; never overwrite it with an older value.
    active.cancel_requested_at = NotSet;
    let owner = match expected.owner {
        Some(owner) => run::Column::LeaseOwner.eq(owner),
        None => run::Column::LeaseOwner.is_null(),
    };
    let changed = run::Entity::update_many()
        .set(active)
        .filter(run::Column::Id.eq(id))
        .filter(run::Column::State.eq(expected.state))
        .filter(owner)
        .exec(tx)
        .await?;
    Ok(changed.rows_affected == 1)
}

/// The handover of a run to a runner.
#[derive(Clone, Debug)]
pub struct Handover {
    pub runner: RunnerKind,
    pub place: String,
    /// The values to mask in the log, sealed.
    pub masks: Option<Vec<u8>>,
    /// The name of the step, if it is not derived from the id of the run.
    pub step: Option<String>,
}

/// Records where a run is about to be started. Returns false if the owner has lost the run and must not start it.
///
/// # Errors
/// When the statement fails.
pub async fn hand_over(db: &impl ConnectionTrait, id: RunId, owner: Option<Uuid>, to: Handover) -> Result<bool, DbErr> {
    use sea_orm::ActiveValue::Set;
    let Handover { runner, place, masks, step } = to;
    let row = run::ActiveModel {
        runner: Set(Some(runner)),
        place: Set(Some(place)),
        masks: Set(masks),
        step: Set(step),
        // A build that is started again writes its log from the beginning.
        attempt_lines: Set(0),
        ..Default::default()
    };
    let changed = run::Entity::update_many()
        .set(row)
        .filter(run::Column::Id.eq(id))
        .filter(run::Column::State.eq(RunState::Running))
        .filter(run::Column::LeaseOwner.eq(owner))
        .exec(db)
        .await?;
    Ok(changed.rows_affected == 1)
}

/// Lets queued runs start now that were queued while the clock was ahead.
///
/// # Errors
/// When the statement fails.
pub async fn release_from_future(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<(), DbErr> {
    run::Entity::update_many()
        .col_expr(run::Column::NotBefore, Expr::value(now))
        .filter(open())
        .filter(run::Column::State.eq(RunState::Queued))
        .filter(run::Column::UpdatedAt.gt(now))
        .exec(db)
        .await
        .map(|_| ())
}

/// Records that the runner was asked to stop a run.
///
/// # Errors
/// When the statement fails.
pub async fn note_stop(
    db: &impl ConnectionTrait,
    id: RunId,
    owner: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    run::Entity::update_many()
        .col_expr(run::Column::StopAskedAt, Expr::value(now))
        .filter(run::Column::Id.eq(id))
        .filter(run::Column::State.eq(RunState::Running))
        .filter(run::Column::LeaseOwner.eq(owner))
        .exec(db)
        .await
        .map(|_| ())
}
