//! The pings of checks: their keys, and when they are expected.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::id::{EnvironmentId, JobId};
use entity::job;
use entity::job_check::{Column, Entity, Model};
use entity::job_spec::JobType;
use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use uuid::Uuid;

use super::page::PAGE;

/// The pings of a check.
///
/// # Errors
/// When the query fails.
pub async fn by_job(db: &impl ConnectionTrait, job: JobId) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(job).one(db).await
}

/// The check that a key belongs to.
///
/// # Errors
/// When the query fails.
pub async fn job_of_key(db: &impl ConnectionTrait, key_hash: &str) -> Result<Option<JobId>, DbErr> {
    let select = Entity::find().select_only().column(Column::JobId).filter(Column::KeyHash.eq(key_hash));
    select.into_tuple().one(db).await
}

/// Locks a check: first its job against deletion, like a deletion does, and then its pings against each other.
///
/// # Errors
/// When a query fails.
pub async fn lock(tx: &impl ConnectionTrait, id: JobId) -> Result<Option<(job::Model, Model)>, DbErr> {
    let Some(job) = job::Entity::find_by_id(id).lock(LockType::KeyShare).one(tx).await? else { return Ok(None) };
    let pings = Entity::find_by_id(id).lock(LockType::Update).one(tx).await?;
    Ok(pings.map(|pings| (job, pings)))
}

/// A page of the checks of an environment after a name key, by name.
///
/// # Errors
/// When the query fails.
pub async fn list_by_environment(
    db: &impl ConnectionTrait,
    environment: EnvironmentId,
    after: Option<&str>,
) -> Result<Vec<(job::Model, Model)>, DbErr> {
    let mut select = job::Entity::find()
        .filter(job::Column::EnvironmentId.eq(environment))
        .filter(job::Column::JobType.eq(JobType::Check));
    if let Some(after) = after {
        select = select.filter(job::Column::NameKey.gt(after));
    }
    let jobs = select.order_by_asc(job::Column::NameKey).limit(PAGE).all(db).await?;
    let ids = jobs.iter().map(|job| job.id);
    let pings = Entity::find().filter(Column::JobId.is_in(ids)).limit(PAGE).all(db).await?;
    let mut pings: HashMap<JobId, Model> = pings.into_iter().map(|row| (row.job_id, row)).collect();
    Ok(jobs.into_iter().filter_map(|job| pings.remove(&job.id).map(|row| (job, row))).collect())
}

/// When the next decision about a check is due, except for those in `paused`.
///
/// # Errors
/// When the query fails.
pub async fn next_due(db: &impl ConnectionTrait, paused: Vec<Uuid>) -> Result<Option<DateTime<Utc>>, DbErr> {
    let select = Entity::find().select_only().column(Column::DueAt).filter(Column::DueAt.is_not_null());
    let first: Option<Option<DateTime<Utc>>> = select
        .filter(Column::JobId.is_not_in(paused))
        .order_by_asc(Column::DueAt)
        .limit(1)
        .into_tuple()
        .one(db)
        .await?;
    Ok(first.flatten())
}

/// The checks about which something is to be decided, the most overdue first, except for those in `paused`.
///
/// # Errors
/// When the query fails.
pub async fn due(
    db: &impl ConnectionTrait,
    paused: Vec<Uuid>,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<JobId>, DbErr> {
    let select = select_due(now).select_only().column(Column::JobId).filter(Column::JobId.is_not_in(paused));
    select.order_by_asc(Column::DueAt).limit(limit).into_tuple().all(db).await
}

/// Locks those of some checks about which something is still to be decided, unless another server has locked them. Returns them with
/// their jobs.
///
/// # Errors
/// When a query fails.
pub async fn lock_due(
    tx: &impl ConnectionTrait,
    ids: &[JobId],
    now: DateTime<Utc>,
) -> Result<Vec<(job::Model, Model)>, DbErr> {
    let mut rows = select_due(now)
        .filter(Column::JobId.is_in(ids.iter().copied()))
        .order_by_asc(Column::JobId)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(tx)
        .await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let jobs = job::Entity::find().filter(job::Column::Id.is_in(rows.iter().map(|row| row.job_id)));
    let jobs = jobs.limit(ids.len() as u64).all(tx).await?;
    let mut found = Vec::with_capacity(jobs.len());
    for job in jobs {
        if let Some(place) = rows.iter().position(|row| row.job_id == job.id) {
            found.push((job, rows.swap_remove(place)));
        }
    }
    Ok(found)
}

fn select_due(now: DateTime<Utc>) -> Select<Entity> {
    Entity::find().filter(Column::DueAt.lte(now))
}

/// Sets what is expected of a check. Lock it first.
///
/// # Errors
/// When the statement fails.
pub async fn set_expected(tx: &impl ConnectionTrait, row: &Model) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::ExpectedFor, Expr::value(row.expected_for))
        .col_expr(Column::DueAt, Expr::value(row.due_at))
        .col_expr(Column::PingedAt, Expr::value(row.pinged_at))
        .filter(Column::JobId.eq(row.job_id))
        .exec(tx)
        .await
        .map(|_| ())
}

/// Replaces the key of a check.
///
/// # Errors
/// When the statement fails.
pub async fn set_key(tx: &impl ConnectionTrait, job: JobId, key_hash: String, sealed: Vec<u8>) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::KeyHash, Expr::value(key_hash))
        .col_expr(Column::Sealed, Expr::value(sealed))
        .filter(Column::JobId.eq(job))
        .exec(tx)
        .await
        .map(|_| ())
}
