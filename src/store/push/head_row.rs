//! The branches that jobs with auto-deploy are built from.

use chrono::{DateTime, Utc};
use entity::id::{JobId, OrganizationId, RepositoryHeadId};
use entity::job;
use entity::repository_head::{Column, Entity, Model};
use sea_orm::sea_query::{Expr, ExprTrait as _, LockBehavior, LockType, OnConflict};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue, ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait,
    IntoActiveModel as _, QueryFilter, QueryOrder, QuerySelect,
};

use crate::store::row;

/// In the words of the partial index.
pub(super) const ASKED: &str = "repository_head.asked_at IS NOT NULL";

/// Jobs with auto-deploy, in the order of their ids, beginning after one of them. Most have no repository.
///
/// # Errors
/// When the query fails.
pub async fn list_auto_deployed(
    db: &impl ConnectionTrait,
    after: Option<JobId>,
    limit: u64,
) -> Result<Vec<job::Model>, DbErr> {
    // In the words of the partial index.
    let is_on = match db.get_database_backend() {
        DbBackend::Postgres => "(spec->>'auto_deploy') = 'true'",
        _ => "json_extract(spec, '$.auto_deploy') = 1",
    };
    let mut found = job::Entity::find().filter(Expr::cust(is_on));
    if let Some(after) = after {
        found = found.filter(job::Column::Id.gt(after));
    }
    found.order_by_asc(job::Column::Id).limit(limit).all(db).await
}

/// Stores a branch, if it is not known yet.
///
/// # Errors
/// When the statement fails.
pub async fn add_head(tx: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    let known = OnConflict::columns([Column::OrganizationId, Column::Url, Column::Branch]).do_nothing().to_owned();
    let insert = Entity::insert(row.into_active_model().reset_all()).on_conflict(known);
    insert.exec_without_returning(tx).await.map(|_| ())
}

/// Has branches polled as soon as possible, because a push was delivered for them.
///
/// # Errors
/// When the statement fails.
pub async fn ask_for_heads(
    tx: &impl ConnectionTrait,
    ids: Vec<RepositoryHeadId>,
    now: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let asked = Entity::update_many().col_expr(Column::AskedAt, Expr::value(Some(now)));
    Ok(asked.filter(Column::Id.is_in(ids)).exec(tx).await?.rows_affected)
}

/// Claims branches that are to be polled: their next poll is moved to `until`. Those that a push was delivered for come first; if
/// another server is polling one of them, it may have looked before the push, so the branch is polled again when it has finished.
///
/// # Errors
/// When a statement fails.
pub async fn claim_heads(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let is_free = Column::ClaimedUntil.is_null().or(Column::ClaimedUntil.lte(now));
    let mut rows = Entity::find()
        .filter(Expr::cust(ASKED))
        .filter(is_free)
        .order_by_asc(Column::AskedAt)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(tx)
        .await?;
    let asked: Vec<RepositoryHeadId> = rows.iter().map(|row| row.id).collect();
    let left = limit.saturating_sub(rows.len() as u64);
    if left > 0 {
        let due = Entity::find()
            .filter(Column::NextPollAt.lte(now))
            .filter(Column::Id.is_not_in(asked))
            .order_by_asc(Column::NextPollAt)
            .limit(left)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .all(tx)
            .await?;
        rows.extend(due);
    }
    let ids: Vec<RepositoryHeadId> = rows.iter().map(|row| row.id).collect();
    if !ids.is_empty() {
        let claimed = Entity::update_many()
            .col_expr(Column::NextPollAt, Expr::value(until))
            .col_expr(Column::ClaimedUntil, Expr::value(Some(until)))
            // A push that is delivered while this poll runs sets it again, and the branch is polled once more.
            .col_expr(Column::AskedAt, Expr::value(None::<DateTime<Utc>>));
        claimed.filter(Column::Id.is_in(ids)).exec(tx).await?;
    }
    Ok(rows)
}

/// A branch, locked until the transaction ends. None if it is gone.
///
/// # Errors
/// When the query fails.
pub async fn lock_head(tx: &impl ConnectionTrait, id: RepositoryHeadId) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).lock_exclusive().one(tx).await
}

/// Has all claimed branches polled now, because the only server that can have claimed them has begun anew.
///
/// # Errors
/// When the statement fails.
pub async fn release_heads(tx: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::NextPollAt, Expr::value(now))
        .col_expr(Column::ClaimedUntil, Expr::value(None::<DateTime<Utc>>))
        .filter(Column::ClaimedUntil.is_not_null())
        .exec(tx)
        .await
        .map(|_| ())
}

/// Stores what a poll found, and when the next one is due.
///
/// # Errors
/// When the statement fails.
pub async fn keep_head(
    tx: &impl ConnectionTrait,
    id: RepositoryHeadId,
    found: Result<String, String>,
    (next, now): (DateTime<Utc>, DateTime<Utc>),
) -> Result<(), DbErr> {
    let mut change = entity::repository_head::ActiveModel {
        next_poll_at: ActiveValue::Set(next),
        claimed_until: ActiveValue::Set(None),
        updated_at: ActiveValue::Set(now),
        ..Default::default()
    };
    match found {
        Ok(commit) => {
            change.commit_id = ActiveValue::Set(Some(commit));
            change.error = ActiveValue::Set(None);
        }
        Err(reason) => change.error = ActiveValue::Set(Some(reason)),
    }
    Entity::update_many().set(change).filter(Column::Id.eq(id)).exec(tx).await.map(|_| ())
}

/// Forgets a branch that no job is built from any more.
///
/// # Errors
/// When the statement fails.
pub async fn delete_head(tx: &impl ConnectionTrait, id: RepositoryHeadId) -> Result<(), DbErr> {
    row::delete::<Model>(tx, id).await.map(|_| ())
}

/// The branches of an organization that are polled.
///
/// # Errors
/// When the query fails.
pub async fn list_heads(db: &impl ConnectionTrait, id: OrganizationId, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::OrganizationId.eq(id)).order_by_asc(Column::Url).limit(limit).all(db).await
}
