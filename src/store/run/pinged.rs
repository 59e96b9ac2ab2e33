//! The runs of checks, which run elsewhere: no server owns them, so nothing claims, visits, stops or takes them over.

use chrono::{DateTime, Utc};
use entity::id::{JobId, RunId};
use entity::run;
use entity::run::{RunState, Trigger};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::open::open;

/// How many started runs of a check can be open.
pub const MOST_OPEN: usize = 100;

/// The started runs of a check that have not ended, the oldest first.
///
/// # Errors
/// When the query fails.
pub async fn list_open(tx: &impl ConnectionTrait, job: JobId) -> Result<Vec<run::Model>, DbErr> {
    let open = run::Entity::find().filter(open()).filter(run::Column::JobId.eq(job));
    open.filter(run::Column::State.eq(RunState::Running))
        .order_by_asc(run::Column::Number)
        .limit(MOST_OPEN as u64)
        .all(tx)
        .await
}

/// The time of the schedule that an open run of a check reports about. A time that has a run keeps it.
///
/// # Errors
/// When a statement fails.
pub async fn count_for(tx: &impl ConnectionTrait, run: RunId, time: DateTime<Utc>) -> Result<(), DbErr> {
    let row =
        run::ActiveModel { trigger: Set(Trigger::Schedule), scheduled_for: Set(Some(time)), ..Default::default() };
    run::Entity::update_many().set(row).filter(run::Column::Id.eq(run)).exec(tx).await.map(|_| ())
}

/// Lets another run of a check have the name by which its pings told this one from others.
///
/// # Errors
/// When the statement fails.
pub async fn release_name(tx: &impl ConnectionTrait, run: RunId) -> Result<(), DbErr> {
    run::Entity::update_many()
        .col_expr(run::Column::IdempotencyKey, Expr::value(None::<String>))
        .filter(run::Column::Id.eq(run))
        .exec(tx)
        .await
        .map(|_| ())
}

/// Records that the log of a run has grown.
///
/// # Errors
/// When the statement fails.
pub async fn note_log(tx: &impl ConnectionTrait, run: &run::Model) -> Result<(), DbErr> {
    let row = run::ActiveModel {
        attempt_lines: Set(run.attempt_lines),
        total_lines: Set(run.total_lines),
        log_bytes: Set(run.log_bytes),
        log_cut: Set(run.log_cut),
        updated_at: Set(run.updated_at),
        ..Default::default()
    };
    run::Entity::update_many().set(row).filter(run::Column::Id.eq(run.id)).exec(tx).await.map(|_| ())
}
