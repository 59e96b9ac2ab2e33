//! What webhooks of repositories delivered, and the jobs that it started.

use chrono::{DateTime, Utc};
use entity::id::{WorkspaceId, WorkspacePushId, WorkspaceWebhookId};
use entity::workspace_job::{self, JobStatus};
use entity::workspace_push::{Column, Entity, Model, PushEvent, PushOutcome};
use sea_orm::sea_query::{Expr, ExprTrait as _, LockBehavior, LockType, SimpleExpr};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::known_delivery::known_deliveries;
use crate::store::row::delete_some;

/// In the words of the partial index.
pub(super) const WAITING: &str = "workspace_push.outcome = 'WAITING'";

/// What was received before with the id of a delivery, or with the same body.
///
/// # Errors
/// When the query fails.
pub async fn known(
    tx: &impl ConnectionTrait,
    webhook: WorkspaceWebhookId,
    (delivery, digest): (&str, &str),
) -> Result<Vec<Model>, DbErr> {
    let same = (Column::Delivery.eq(delivery), Column::Digest.eq(digest));
    known_deliveries::<Entity>(tx, Column::WebhookId.eq(webhook), same, 2).await
}

/// The push to a branch of a workspace that was heard of last, delivered or found by polling.
///
/// # Errors
/// When the query fails.
pub async fn newest_of_branch(
    tx: &impl ConnectionTrait,
    workspace: WorkspaceId,
    (repository, branch): (&str, &str),
) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::WorkspaceId.eq(workspace))
        .filter(Column::Event.eq(PushEvent::Push))
        .filter(Column::Repository.eq(repository))
        .filter(Column::Branch.eq(branch))
        .order_by_desc(Column::Id)
        .one(tx)
        .await
}

/// The newest deliveries of a workspace, newest first.
///
/// # Errors
/// When the query fails.
pub async fn list(db: &impl ConnectionTrait, id: WorkspaceId, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::WorkspaceId.eq(id)).order_by_desc(Column::Id).limit(limit).all(db).await
}

/// The jobs of pushes to the same branch, or of the same pull request.
fn of_same(push: &Model) -> SimpleExpr {
    let number = match push.pr_number {
        Some(number) => Column::PrNumber.eq(number),
        None => Column::PrNumber.is_null().and(Column::Branch.eq(push.branch.clone())),
    };
    let pushes = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::WorkspaceId.eq(push.workspace_id))
        .filter(Column::Event.eq(push.event))
        .filter(number);
    workspace_job::Column::PushId.in_subquery(sea_orm::QueryTrait::into_query(pushes))
}

/// The jobs with smaller numbers that wait for their turn or for an approval, and plan an older commit of the same branch.
///
/// # Errors
/// When the query fails.
pub async fn older_waiting(tx: &impl ConnectionTrait, push: &Model, job: i32, limit: u64) -> Result<Vec<i32>, DbErr> {
    workspace_job::Entity::find()
        .select_only()
        .column(workspace_job::Column::Id)
        .filter(workspace_job::Column::WorkspaceId.eq(push.workspace_id))
        .filter(workspace_job::Column::Id.lt(job))
        .filter(workspace_job::Column::Status.is_in([JobStatus::Pending, JobStatus::WaitingApproval]))
        .filter(of_same(push))
        .order_by_asc(workspace_job::Column::Id)
        .limit(limit)
        .into_tuple()
        .all(tx)
        .await
}

/// A job that no other transaction has locked, locked until this one ends.
///
/// # Errors
/// When the query fails.
pub async fn lock_free_job(tx: &impl ConnectionTrait, id: i32) -> Result<Option<workspace_job::Model>, DbErr> {
    workspace_job::Entity::find_by_id(id).lock_with_behavior(LockType::Update, LockBehavior::SkipLocked).one(tx).await
}

/// The newest job of the same branch with a larger number, unless it has failed.
///
/// # Errors
/// When the query fails.
pub async fn newer_job(tx: &impl ConnectionTrait, push: &Model, job: i32) -> Result<Option<i32>, DbErr> {
    workspace_job::Entity::find()
        .select_only()
        .column(workspace_job::Column::Id)
        .filter(workspace_job::Column::WorkspaceId.eq(push.workspace_id))
        .filter(workspace_job::Column::Id.gt(job))
        .filter(workspace_job::Column::Status.ne(JobStatus::Failed))
        .filter(of_same(push))
        .order_by_desc(workspace_job::Column::Id)
        .limit(1)
        .into_tuple()
        .one(tx)
        .await
}

/// The job that a commit of a pull request, or one that polling found, has started already.
///
/// # Errors
/// When the query fails.
pub async fn job_of_commit(
    tx: &impl ConnectionTrait,
    workspace: WorkspaceId,
    (pr_number, commit): (i32, &str),
) -> Result<Option<i32>, DbErr> {
    let job: Option<Option<i32>> = Entity::find()
        .select_only()
        .column(Column::JobId)
        .filter(Column::WorkspaceId.eq(workspace))
        .filter(Column::PrNumber.eq(pr_number))
        .filter(Column::CommitId.eq(commit))
        .filter(Column::Outcome.eq(PushOutcome::Started))
        .order_by_desc(Column::Id)
        .limit(1)
        .into_tuple()
        .one(tx)
        .await?;
    Ok(job.flatten())
}

/// Claims pushes whose paths are to be read: their next attempt is moved to `until`.
///
/// # Errors
/// When a statement fails.
pub async fn claim_waiting(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let rows = Entity::find()
        .filter(Expr::cust(WAITING))
        .filter(Column::NextAttemptAt.lte(now))
        .order_by_asc(Column::NextAttemptAt)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(tx)
        .await?;
    let ids: Vec<WorkspacePushId> = rows.iter().map(|row| row.id).collect();
    if !ids.is_empty() {
        Entity::update_many()
            .col_expr(Column::NextAttemptAt, Expr::value(Some(until)))
            .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
            .filter(Column::Id.is_in(ids))
            .exec(tx)
            .await?;
    }
    Ok(rows)
}

/// Deletes deliveries that are older than `before` and started no job that is kept. Returns their number.
///
/// # Errors
/// When a statement fails.
pub async fn delete_some_pushes(tx: &impl ConnectionTrait, before: DateTime<Utc>, limit: u64) -> Result<u64, DbErr> {
    const NO_JOB: &str = "NOT EXISTS (SELECT 1 FROM workspace_job j WHERE j.push_id = workspace_push.id)";
    delete_some::<Entity>(tx, Column::Id, Column::CreatedAt.lt(before).and(Expr::cust(NO_JOB)), limit).await
}
