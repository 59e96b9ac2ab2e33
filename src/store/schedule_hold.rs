//! Pauses of schedules, and single times to skip.

use chrono::{DateTime, Utc};
use entity::id::JobId;
use entity::run::{self, Event};
use entity::{job, schedule_pause, schedule_skip};
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait as _,
};
use uuid::Uuid;

use super::run::open;

/// How many times of a schedule can be set to be skipped.
pub const MOST_SKIPS: u64 = 1000;

/// The pause of a job's schedule, and the times that it will skip.
///
/// # Errors
/// When a query fails.
pub async fn of_job(
    db: &impl ConnectionTrait,
    job: JobId,
) -> Result<(Option<schedule_pause::Model>, Vec<schedule_skip::Model>), DbErr> {
    let pause = schedule_pause::Entity::find_by_id(job).one(db).await?;
    let skips = schedule_skip::Entity::find()
        .filter(schedule_skip::Column::JobId.eq(job))
        .order_by_asc(schedule_skip::Column::ScheduledFor)
        .limit(MOST_SKIPS)
        .all(db)
        .await?;
    Ok((pause, skips))
}

/// Whether a schedule is paused or skips a time.
///
/// # Errors
/// When a query fails.
pub async fn exists(db: &impl ConnectionTrait, job: JobId) -> Result<bool, DbErr> {
    let (pause, skips) = of_job(db, job).await?;
    Ok(pause.is_some() || !skips.is_empty())
}

/// Whether any schedule is held back. Most installations hold none back most of the time, which this finds out quickly.
///
/// # Errors
/// When a query fails.
pub async fn any(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    Ok(schedule_pause::Entity::find().one(db).await?.is_some()
        || schedule_skip::Entity::find().one(db).await?.is_some())
}

/// The pauses of these jobs, and their times to skip until `now`.
///
/// # Errors
/// When a query fails.
pub async fn list_due(
    db: &impl ConnectionTrait,
    jobs: &[JobId],
    now: DateTime<Utc>,
) -> Result<(Vec<schedule_pause::Model>, Vec<schedule_skip::Model>), DbErr> {
    let paused = schedule_pause::Column::JobId.is_in(jobs.iter().copied());
    let pauses = schedule_pause::Entity::find().filter(paused).all(db).await?;
    let skipped = schedule_skip::Column::JobId.is_in(jobs.iter().copied());
    let due = schedule_skip::Entity::find().filter(skipped).filter(schedule_skip::Column::ScheduledFor.lte(now));
    let skips = due.order_by_asc(schedule_skip::Column::ScheduledFor).all(db).await?;
    Ok((pauses, skips))
}

/// Pauses a schedule, or changes its pause.
///
/// # Errors
/// When the statement fails.
pub async fn pause(tx: &impl ConnectionTrait, row: schedule_pause::Model) -> Result<(), DbErr> {
    use schedule_pause::Column::{JobId, PausedAt, RequestedBy, Until};
    let replace = OnConflict::column(JobId).update_columns([PausedAt, Until, RequestedBy]).to_owned();
    let row = row.into_active_model();
    schedule_pause::Entity::insert(row).on_conflict(replace).exec_without_returning(tx).await.map(|_| ())
}

/// Ends the pause of a schedule, and forgets which times it was to skip. Returns whether there was anything to end.
///
/// # Errors
/// When a statement fails.
pub async fn end(tx: &impl ConnectionTrait, job: JobId) -> Result<bool, DbErr> {
    let pauses = schedule_pause::Entity::delete_by_id(job).exec(tx).await?.rows_affected;
    let skips = schedule_skip::Entity::delete_many().filter(schedule_skip::Column::JobId.eq(job)).exec(tx).await?;
    Ok(pauses + skips.rows_affected > 0)
}

/// Marks a time to be skipped. A time that is already marked stays as it is.
///
/// # Errors
/// When the statement fails.
pub async fn skip(tx: &impl ConnectionTrait, row: schedule_skip::Model) -> Result<(), DbErr> {
    use schedule_skip::Column::{JobId, ScheduledFor};
    let known = OnConflict::columns([JobId, ScheduledFor]).do_nothing().to_owned();
    let row = row.into_active_model();
    schedule_skip::Entity::insert(row).on_conflict(known).exec_without_returning(tx).await.map(|_| ())
}

/// Deployed jobs that have a CronJob although their schedule is paused or skips a time, except for those in `paused` and those whose
/// CronJob is being changed or was changed after `recent`.
///
/// # Errors
/// When the query fails.
pub async fn jobs_with_cron_job(
    db: &impl ConnectionTrait,
    paused: Vec<Uuid>,
    recent: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<job::Model>, DbErr> {
    let mut changes = Query::select();
    changes
        .column(run::Column::Id)
        .from(run::Entity)
        .and_where(Expr::col((run::Entity, run::Column::JobId)).equals((job::Entity, job::Column::Id)))
        .and_where(run::Column::Event.eq(Event::Apply))
        .cond_where(Condition::any().add(open()).add(run::Column::UpdatedAt.gt(recent)));
    let pauses = schedule_pause::Entity::find().select_only().column(schedule_pause::Column::JobId).into_query();
    let skips = schedule_skip::Entity::find().select_only().column(schedule_skip::Column::JobId).into_query();
    let held = Condition::any().add(job::Column::Id.in_subquery(pauses)).add(job::Column::Id.in_subquery(skips));
    job::Entity::find()
        .filter(held)
        .filter(job::Column::Applied.is_not_null())
        .filter(job::Column::Deployed.is_not_null())
        .filter(job::Column::Id.is_not_in(paused))
        .filter(Expr::exists(changes).not())
        .order_by_asc(job::Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// How many times of a schedule will be skipped.
///
/// # Errors
/// When the query fails.
pub async fn count_skips(db: &impl ConnectionTrait, job: JobId) -> Result<u64, DbErr> {
    schedule_skip::Entity::find().filter(schedule_skip::Column::JobId.eq(job)).count(db).await
}

/// Deletes the pauses that have ended and the skips that have passed, of jobs whose times until `now` are settled.
///
/// # Errors
/// When a statement fails.
pub async fn forget_past(tx: &impl ConnectionTrait, jobs: Vec<JobId>, now: DateTime<Utc>) -> Result<(), DbErr> {
    if jobs.is_empty() {
        return Ok(());
    }
    let pauses = schedule_pause::Entity::delete_many().filter(schedule_pause::Column::Until.lte(now));
    pauses.filter(schedule_pause::Column::JobId.is_in(jobs.iter().copied())).exec(tx).await?;
    let skips = schedule_skip::Entity::delete_many().filter(schedule_skip::Column::ScheduledFor.lte(now));
    skips.filter(schedule_skip::Column::JobId.is_in(jobs)).exec(tx).await?;
    Ok(())
}
