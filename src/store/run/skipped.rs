//! Skipped times of schedules.

use chrono::{DateTime, Utc};
use entity::id::JobId;
use entity::skipped_time::{Column, Entity, Model};
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};

/// Stores skipped times. Times that are already stored stay unchanged.
///
/// # Errors
/// When a statement fails.
pub async fn create(db: &impl ConnectionTrait, rows: Vec<Model>) -> Result<(), DbErr> {
    let known = OnConflict::columns([Column::JobId, Column::ScheduledFor]).do_nothing().to_owned();
    for chunk in rows.chunks(500) {
        let rows = chunk.iter().map(|row| row.clone().into_active_model().reset_all());
        Entity::insert_many(rows).on_conflict(known.clone()).exec_without_returning(db).await?;
    }
    Ok(())
}

/// The skipped times of a job that overlap a time span, oldest first.
///
/// # Errors
/// When the query fails.
pub async fn list_between(
    db: &impl ConnectionTrait,
    job: JobId,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    // Rows of a job do not overlap: at most the last one that begins before the span reaches into it.
    let before = Entity::find().filter(Column::JobId.eq(job)).filter(Column::ScheduledFor.lt(from));
    let before = before.order_by_desc(Column::ScheduledFor).limit(1).one(db).await?;
    let mut rows: Vec<Model> = before.into_iter().filter(|row| row.through >= from).collect();
    let inside = Entity::find()
        .filter(Column::JobId.eq(job))
        .filter(Column::ScheduledFor.gte(from))
        .filter(Column::ScheduledFor.lt(until))
        .order_by_asc(Column::ScheduledFor)
        .limit(limit.saturating_sub(rows.len() as u64));
    rows.extend(inside.all(db).await?);
    Ok(rows)
}

/// The newest of them, newest first.
///
/// # Errors
/// When the query fails.
pub async fn list_newest_between(
    db: &impl ConnectionTrait,
    job: JobId,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let newest = |select: sea_orm::Select<Entity>| select.order_by_desc(Column::ScheduledFor);
    let of_job = || Entity::find().filter(Column::JobId.eq(job));
    let inside = of_job().filter(Column::ScheduledFor.gte(from)).filter(Column::ScheduledFor.lt(until));
    let mut rows = newest(inside).limit(limit).all(db).await?;
    let before = newest(of_job().filter(Column::ScheduledFor.lt(from))).limit(1).one(db).await?;
    rows.extend(before.filter(|row| row.through >= from));
    Ok(rows)
}

/// The newest skipped times of a job.
///
/// # Errors
/// When the query fails.
pub async fn list_newest(
    db: &impl ConnectionTrait,
    job: JobId,
    before: Option<DateTime<Utc>>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let mut select = Entity::find().filter(Column::JobId.eq(job));
    if let Some(before) = before {
        select = select.filter(Column::ScheduledFor.lt(before));
    }
    select.order_by_desc(Column::ScheduledFor).limit(limit).all(db).await
}

/// Forgets skipped times that run after all. A row that stands for several times remains.
///
/// # Errors
/// When the statement fails.
pub async fn forget(db: &impl ConnectionTrait, job: JobId, times: Vec<DateTime<Utc>>) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::JobId.eq(job))
        .filter(Column::ScheduledFor.is_in(times))
        .filter(Expr::col(Column::Through).eq(Expr::col(Column::ScheduledFor)))
        .exec(db)
        .await?;
    Ok(())
}

/// Forgets the skipped times of jobs that are later than `now`.
///
/// # Errors
/// When a statement fails.
pub async fn forget_after(db: &impl ConnectionTrait, jobs: Vec<JobId>, now: DateTime<Utc>) -> Result<(), DbErr> {
    if jobs.is_empty() {
        return Ok(());
    }
    let later = Entity::delete_many().filter(Column::JobId.is_in(jobs.iter().copied()));
    later.filter(Column::ScheduledFor.gt(now)).exec(db).await?;
    Entity::update_many()
        .col_expr(Column::Through, Expr::value(now))
        .filter(Column::JobId.is_in(jobs))
        .filter(Column::Through.gt(now))
        .exec(db)
        .await?;
    Ok(())
}

/// Deletes rows that were recorded before `before`. Returns their number.
///
/// # Errors
/// When a statement fails.
pub async fn delete_some(db: &impl ConnectionTrait, before: DateTime<Utc>, limit: u64) -> Result<u64, DbErr> {
    let old = Entity::find().filter(Column::RecordedAt.lt(before)).order_by_asc(Column::RecordedAt).limit(limit);
    let old: Vec<(JobId, DateTime<Utc>)> =
        old.select_only().columns([Column::JobId, Column::ScheduledFor]).into_tuple().all(db).await?;
    let mut gone = 0;
    for (job, at) in old {
        gone += Entity::delete_by_id((job, at)).exec(db).await?.rows_affected;
    }
    Ok(gone)
}
