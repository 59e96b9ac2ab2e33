//! Changes to a run. Its state changes only through `claim`, `advance` and `advance_all`, which check the expected state.

use chrono::{DateTime, Utc};
use entity::id::RunId;
use entity::run;
use entity::run::{RunState, RunnerKind};
use entity::run_spec::Retention;
use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{
    ActiveEnum as _, ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryTrait as _,
};
use uuid::Uuid;

use super::open::{lock_in_order, open};

/// The expected state and owner of a run.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    pub state: RunState,
    pub owner: Option<Uuid>,
}

/// Whether a run was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advanced {
    /// Another server changed it first.
    No,
    Yes(Follows),
}

/// What follows from the end of a run. Questions of their own would be more statements for each run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Follows {
    /// Webhooks of its organization name events of ours.
    pub is_watched: bool,
    /// Its job has more ended runs of its kind than are kept.
    pub is_beyond: bool,
}

pub(super) const IS_WATCHED: &str = "EXISTS (SELECT 1 FROM webhook w WHERE w.organization_id = (SELECT j.organization_id FROM job j \
     WHERE j.id = run.job_id) AND w.enabled AND w.own_events IS NOT NULL)";

/// The states that are counted together with the state of an ended run, and how many runs in these states its job keeps.
#[must_use]
pub fn kept(run: &run::Model) -> Option<(&'static [RunState], u64)> {
    let Retention { succeeded, failed, .. } = run.spec.keep;
    let (states, kept): (&[RunState], i32) = match run.state {
        RunState::Succeeded => (&[RunState::Succeeded], succeeded),
        RunState::Failed | RunState::Cancelled => (&[RunState::Failed, RunState::Cancelled], failed),
        RunState::Queued | RunState::Running => return None,
    };
    Some((states, u64::try_from(kept).unwrap_or(1)))
}

/// Whether a job has as many runs like one that has just ended as are kept, apart from that one.
pub(super) fn is_beyond(states: &[RunState], kept: u64) -> String {
    if kept == 0 {
        return "1 = 1".to_owned();
    }
    let states = states.iter().map(|state| format!("'{}'", state.to_value())).collect::<Vec<_>>().join(", ");
    format!(
        "EXISTS (SELECT 1 FROM run o WHERE o.job_id = run.job_id AND o.state IN ({states}) \
         AND o.number <> run.number ORDER BY o.number DESC LIMIT 1 OFFSET {})",
        kept - 1
    )
}

/// Replaces a run if it is still as expected.
///
/// # Errors
/// When the statement fails.
pub async fn advance(tx: &impl ConnectionTrait, expected: Expected, row: run::Model) -> Result<Advanced, DbErr> {
    let (id, kept) = (row.id, kept(&row));
    let stays = row.state == RunState::Running && expected.state == RunState::Running;
    let active = changeable(row, stays);
    let owner = match expected.owner {
        Some(owner) => run::Column::LeaseOwner.eq(owner),
        None => run::Column::LeaseOwner.is_null(),
    };
    let change = run::Entity::update_many()
        .set(active)
        .filter(run::Column::Id.eq(id))
        .filter(run::Column::State.eq(expected.state))
        .filter(owner);
    let Some((states, kept)) = kept else {
        let changed = change.exec(tx).await?;
        return Ok(if changed.rows_affected == 1 { Advanced::Yes(Follows::default()) } else { Advanced::No });
    };
    let mut change = change.into_query();
    let (is_watched, is_beyond) = (Expr::cust(IS_WATCHED), Expr::cust(is_beyond(states, kept)));
    change.returning(Query::returning().exprs([is_watched, is_beyond]));
    let Some(row) = tx.query_one(&change).await? else { return Ok(Advanced::No) };
    Ok(Advanced::Yes(Follows { is_watched: row.try_get_by_index(0)?, is_beyond: row.try_get_by_index(1)? }))
}

/// The columns that a transition may change. SQLite rewrites an index entry whenever one of its columns is set, even to the same value.
pub(super) fn changeable(row: run::Model, stays: bool) -> run::ActiveModel {
    use sea_orm::ActiveValue::NotSet;
    let mut active = run::ActiveModel {
        number: NotSet,
        job_id: NotSet,
        deployment_id: NotSet,
        created_at: NotSet,
        trigger: NotSet,
        event: NotSet,
        scheduled_for: NotSet,
        spec: NotSet,
        in_turn: NotSet,
        idempotency_key: NotSet,
        additions: NotSet,
        organization_id: NotSet,
        slots: NotSet,
        backfill_id: NotSet,
        counts_for_schedule: NotSet,
        // Others may set this while the runner is polled; never overwrite it with an older value.
        cancel_requested_at: NotSet,
        ..row.into_active_model().reset_all()
    };
    if stays {
        active.state = NotSet;
        active.not_before = NotSet;
        active.expires_at = NotSet;
        active.lease_owner = NotSet;
        // The heartbeat may have renewed the lease since the row was read.
        active.lease_until = NotSet;
    }
    active
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

/// Records that a run is being stopped. Returns false if the owner has lost the run and must not stop it.
///
/// # Errors
/// When the statement fails.
pub async fn begin_stop(
    db: &impl ConnectionTrait,
    id: RunId,
    owner: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    set_of_running(db, (id, owner), (run::Column::StoppingAt, Expr::value(now))).await
}

/// Corrects the size of the stored log of a run, after a part of it was deleted.
///
/// # Errors
/// When the statement fails.
pub async fn note_log_bytes(tx: &impl ConnectionTrait, id: RunId, bytes: i64) -> Result<(), DbErr> {
    run::Entity::update_many()
        .col_expr(run::Column::LogBytes, Expr::value(bytes))
        .filter(run::Column::Id.eq(id))
        .exec(tx)
        .await
        .map(|_| ())
}

/// Lets queued runs start now that were queued while the clock was ahead.
///
/// # Errors
/// When the statement fails.
pub async fn release_from_future(tx: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<(), DbErr> {
    let queued = Condition::all().add(run::Column::State.eq(RunState::Queued)).add(run::Column::UpdatedAt.gt(now));
    let ids = lock_in_order(tx, queued).await?;
    if ids.is_empty() {
        return Ok(());
    }
    run::Entity::update_many()
        .col_expr(run::Column::NotBefore, Expr::value(now))
        .filter(run::Column::Id.is_in(ids))
        .exec(tx)
        .await
        .map(|_| ())
}

/// Records that the runner accepted the request to stop a run.
///
/// # Errors
/// When the statement fails.
pub async fn note_stop(
    db: &impl ConnectionTrait,
    id: RunId,
    owner: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    set_of_running(db, (id, owner), (run::Column::StopAskedAt, Expr::value(now))).await.map(|_| ())
}

/// Records that the end of a running run was seen. Returns false if the owner has lost the run.
///
/// # Errors
/// When the statement fails.
pub async fn note_end_seen(
    db: &impl ConnectionTrait,
    id: RunId,
    owner: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    set_of_running(db, (id, owner), (run::Column::EndSeenAt, Expr::value(now))).await
}

/// Records how a lost run ended after all.
///
/// # Errors
/// When the statement fails.
pub async fn note_late_end(db: &impl ConnectionTrait, id: RunId, exit_code: i32, reason: String) -> Result<(), DbErr> {
    run::Entity::update_many()
        .col_expr(run::Column::ExitCode, Expr::value(exit_code))
        .col_expr(run::Column::Reason, Expr::value(reason))
        .filter(run::Column::Id.eq(id))
        .filter(run::Column::State.eq(RunState::Failed))
        .filter(run::Column::ExitCode.is_null())
        .exec(db)
        .await
        .map(|_| ())
}

/// Sets the reason of a running run, without recording that the run was seen.
///
/// # Errors
/// When the statement fails.
pub async fn note_reason(
    db: &impl ConnectionTrait,
    id: RunId,
    owner: Option<Uuid>,
    reason: String,
) -> Result<(), DbErr> {
    set_of_running(db, (id, owner), (run::Column::Reason, Expr::value(reason))).await.map(|_| ())
}

/// Sets a column of a running run. Returns false if the owner has lost the run.
async fn set_of_running(
    db: &impl ConnectionTrait,
    (id, owner): (RunId, Option<Uuid>),
    (column, value): (run::Column, sea_orm::sea_query::SimpleExpr),
) -> Result<bool, DbErr> {
    let changed = run::Entity::update_many()
        .col_expr(column, value)
        .filter(run::Column::Id.eq(id))
        .filter(run::Column::State.eq(RunState::Running))
        .filter(run::Column::LeaseOwner.eq(owner))
        .exec(db)
        .await?;
    Ok(changed.rows_affected == 1)
}

/// Ends an open run, whatever else its row contains. Returns false if it has ended, or if another server owns it.
///
/// # Errors
/// When the statement fails.
pub async fn give_up(
    tx: &impl ConnectionTrait,
    id: RunId,
    owner: Uuid,
    (state, reason): (RunState, String),
    (now, expires_at): (DateTime<Utc>, DateTime<Utc>),
) -> Result<bool, DbErr> {
    use sea_orm::ActiveValue::Set;
    let row = run::ActiveModel {
        state: Set(state),
        reason: Set(Some(reason)),
        updated_at: Set(now),
        finished_at: Set(Some(now)),
        // Its step may be removed even if it is running.
        stopping_at: Set(Some(now)),
        lease_owner: Set(None),
        lease_until: Set(None),
        ..Default::default()
    };
    let changed = run::Entity::update_many()
        .set(row)
        .filter(run::Column::Id.eq(id))
        .filter(open())
        .filter(run::Column::LeaseOwner.is_null().or(run::Column::LeaseOwner.eq(owner)))
        .exec(tx)
        .await?;
    if changed.rows_affected == 0 {
        return Ok(false);
    }
    // The runs of workspace steps are deleted together with their job.
    run::Entity::update_many()
        .col_expr(run::Column::ExpiresAt, Expr::value(expires_at))
        .filter(run::Column::Id.eq(id))
        .filter(run::Column::JobId.is_not_null())
        .exec(tx)
        .await?;
    Ok(true)
}
