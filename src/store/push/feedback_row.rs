//! What is reported to repositories: an outbox with one row per commit and per pull request.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use entity::id::PushFeedbackId;
use entity::push_feedback::{Column, Entity, FeedbackKind, Model};
use entity::webhook_delivery::DeliveryState;
use entity::{workspace_job, workspace_push};
use sea_orm::sea_query::{Expr, ExprTrait as _, LockBehavior, LockType, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};

use crate::store::outbox::Room;
use crate::store::row;

/// In the words of the partial index.
const PENDING: &str = "push_feedback.state = 'PENDING'";

/// Has a job reported about a commit or a pull request from now on.
///
/// # Errors
/// When a statement fails.
pub async fn report_on(
    tx: &impl ConnectionTrait,
    (kind, subject): (FeedbackKind, String),
    push: &workspace_push::Model,
    job: i32,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let these =
        Condition::all().add(Column::WorkspaceId.eq(push.workspace_id)).add(Column::Subject.eq(subject.as_str()));
    let known = pending(now)
        .col_expr(Column::PushId, Expr::value(push.id))
        .col_expr(Column::JobId, Expr::value(job))
        .filter(these)
        .exec(tx)
        .await?;
    if known.rows_affected > 0 {
        return Ok(());
    }
    let new = Model {
        id: PushFeedbackId::create(),
        organization_id: push.organization_id,
        workspace_id: push.workspace_id,
        push_id: push.id,
        job_id: job,
        kind,
        subject,
        remote_id: None,
        revision: 1,
        state: DeliveryState::Pending,
        attempts: 0,
        next_attempt_at: now,
        claimed_until: None,
        sent: None,
        error: None,
        created_at: now,
        updated_at: now,
    };
    row::create(tx, new).await.map(|_| ())
}

/// Has what is said about a job reported again, because it has changed.
///
/// # Errors
/// When the statement fails.
pub async fn report_again(tx: &impl ConnectionTrait, job: &workspace_job::Model) -> Result<(), DbErr> {
    if job.push_id.is_none() {
        return Ok(());
    }
    pending(job.updated_at).filter(Column::JobId.eq(job.id)).exec(tx).await.map(|_| ())
}

fn pending(now: DateTime<Utc>) -> sea_orm::UpdateMany<Entity> {
    // One that is being sent is due when that ends.
    let next = Expr::case(Column::ClaimedUntil.gt(now), Expr::col(Column::ClaimedUntil)).finally(Expr::value(now));
    Entity::update_many()
        .col_expr(Column::Revision, Expr::col(Column::Revision).add(1))
        .col_expr(Column::State, Expr::value(DeliveryState::Pending))
        .col_expr(Column::Attempts, Expr::value(0))
        .col_expr(Column::NextAttemptAt, next.into())
        .col_expr(Column::UpdatedAt, Expr::value(now))
}

fn is_free(now: DateTime<Utc>) -> SimpleExpr {
    Column::ClaimedUntil.is_null().or(Column::ClaimedUntil.lte(now))
}

/// The reports that wait, about workspaces about which none is under way.
fn waiting(room: &Room) -> Select<Entity> {
    room.to_others(Entity::find().filter(Expr::cust(PENDING)), Column::WorkspaceId)
}

/// When the next report is due that can begin.
///
/// # Errors
/// When the query fails.
pub async fn next_report(db: &impl ConnectionTrait, room: &Room) -> Result<Option<DateTime<Utc>>, DbErr> {
    let next = waiting(room).select_only().column(Column::NextAttemptAt);
    let next = match room.retries {
        0 => next.filter(Column::Attempts.eq(0)),
        _ => next,
    };
    next.order_by_asc(Column::NextAttemptAt).limit(1).into_tuple().one(db).await
}

/// Claims reports that are due, of each workspace one, first those that were never tried: their next attempt is moved to `until`. One that
/// is being sent by another server is left to it, so that each arrives in order. The result has them as they were before.
///
/// # Errors
/// When a statement fails.
pub async fn claim_reports(
    tx: &impl ConnectionTrait,
    room: &Room,
    (now, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<Model>, DbErr> {
    let due = || {
        waiting(room)
            .filter(Column::NextAttemptAt.lte(now))
            .filter(is_free(now))
            .order_by_asc(Column::NextAttemptAt)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
    };
    let mut taken = HashSet::new();
    let mut rows = due().filter(Column::Attempts.eq(0)).limit(room.places as u64).all(tx).await?;
    rows.retain(|row| taken.insert(row.workspace_id));
    let retries = room.retries_beside(rows.len());
    if retries > 0 {
        let tried = due().filter(Column::Attempts.gt(0)).limit(retries).all(tx).await?;
        rows.extend(tried.into_iter().filter(|row| taken.insert(row.workspace_id)));
    }
    let ids: Vec<PushFeedbackId> = rows.iter().map(|row| row.id).collect();
    if !ids.is_empty() {
        Entity::update_many()
            .col_expr(Column::ClaimedUntil, Expr::value(Some(until)))
            .col_expr(Column::NextAttemptAt, Expr::value(until))
            .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
            .filter(Column::Id.is_in(ids))
            .exec(tx)
            .await?;
    }
    Ok(rows)
}

/// What became of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportEnd {
    /// This text arrived; the comment has this id.
    Sent {
        text: String,
        remote_id: Option<String>,
    },
    /// It is tried again. A comment that is gone is created again.
    Later {
        at: DateTime<Utc>,
        error: String,
        is_gone: bool,
    },
    Failed(String),
}

/// Stores what became of a claimed report. What has changed in the meantime is sent next.
///
/// # Errors
/// When a statement fails.
pub async fn end_report(
    tx: &impl ConnectionTrait,
    claimed: &Model,
    end: ReportEnd,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let this = Column::Id.eq(claimed.id);
    let freed = Entity::update_many()
        .col_expr(Column::ClaimedUntil, Expr::value(None::<DateTime<Utc>>))
        .col_expr(Column::NextAttemptAt, Expr::value(now));
    let same = Column::Revision.eq(claimed.revision);
    match end {
        ReportEnd::Sent { text, remote_id } => {
            freed
                .col_expr(Column::Sent, Expr::value(Some(text)))
                .col_expr(Column::RemoteId, Expr::value(remote_id))
                .col_expr(Column::Error, Expr::value(None::<String>))
                .filter(this.clone())
                .exec(tx)
                .await?;
            Entity::update_many()
                .col_expr(Column::State, Expr::value(DeliveryState::Delivered))
                .col_expr(Column::UpdatedAt, Expr::value(now))
                .filter(this)
                .filter(same)
                .exec(tx)
                .await?;
        }
        ReportEnd::Later { at, error, is_gone } => {
            let freed = freed.col_expr(Column::Error, Expr::value(Some(error)));
            let freed = if is_gone { freed.col_expr(Column::RemoteId, Expr::value(None::<String>)) } else { freed };
            freed.filter(this.clone()).exec(tx).await?;
            Entity::update_many()
                .col_expr(Column::NextAttemptAt, Expr::value(at))
                .filter(this)
                .filter(same)
                .exec(tx)
                .await?;
        }
        ReportEnd::Failed(error) => {
            freed.col_expr(Column::Error, Expr::value(Some(error))).filter(this.clone()).exec(tx).await?;
            Entity::update_many()
                .col_expr(Column::State, Expr::value(DeliveryState::Failed))
                .col_expr(Column::UpdatedAt, Expr::value(now))
                .filter(this)
                .filter(same)
                .exec(tx)
                .await?;
        }
    }
    Ok(())
}

/// What is reported about a job.
///
/// # Errors
/// When the query fails.
pub async fn list_reports(db: &impl ConnectionTrait, job: i32) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::JobId.eq(job)).order_by_asc(Column::Id).limit(10).all(db).await
}

/// Deletes reports about jobs that are gone. Returns their number.
///
/// # Errors
/// When a statement fails.
pub async fn delete_some_reports(tx: &impl ConnectionTrait, before: DateTime<Utc>, limit: u64) -> Result<u64, DbErr> {
    const NO_JOB: &str = "NOT EXISTS (SELECT 1 FROM workspace_job j WHERE j.id = push_feedback.job_id)";
    let gone = Column::UpdatedAt.lt(before).and(Expr::cust(NO_JOB));
    row::delete_some::<Entity>(tx, Column::Id, gone, limit).await
}
