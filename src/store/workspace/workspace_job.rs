//! Workspace jobs: runs of a workspace through the steps of a template.

use entity::id::WorkspaceId;
use entity::workspace_job::JobStatus;
use entity::{workspace, workspace_address, workspace_job, workspace_step};
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ActiveValue, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::store::counter::take_numbers;
use crate::store::page::PAGE;
use crate::store::push::report_again;
use crate::store::row;

/// Jobs that can continue: no step runs and no approval is pending. A job that has not started also needs to be the
/// oldest open one of its workspace, which must not be locked or still run a step after a rejection. A job that only plans waits for no
/// other one (one from uploaded files not even for the lock), and no other one waits for it, or for one whose plan was saved for later.
/// A job from uploaded files also waits while somebody holds the lock of the state: the programs that start such jobs count how long.
/// The locks of a hidden workspace hold up nothing: its jobs are cancelled.
pub(in crate::store) const DUE: &str = "workspace_job.status IN ('pending', 'queue', 'running', 'waitingApproval', 'approved') \
     AND workspace_job.status <> 'waitingApproval' \
     AND NOT EXISTS (SELECT 1 FROM workspace_step s WHERE s.job_id = workspace_job.id AND s.status IN ('queue', 'running')) \
     AND (EXISTS (SELECT 1 FROM workspace_step s WHERE s.job_id = workspace_job.id AND s.status <> 'pending') \
     OR (workspace_job.plan_only AND (workspace_job.configuration_version_id IS NOT NULL \
     OR NOT EXISTS (SELECT 1 FROM workspace w WHERE w.id = workspace_job.workspace_id AND w.locked AND NOT w.deleted))) \
     OR (NOT EXISTS (SELECT 1 FROM workspace_job older WHERE older.workspace_id = workspace_job.workspace_id \
     AND older.status IN ('pending', 'queue', 'running', 'waitingApproval', 'approved') AND older.id < workspace_job.id \
     AND NOT older.plan_only AND NOT (older.save_plan AND older.status = 'waitingApproval')) \
     AND NOT EXISTS (SELECT 1 FROM workspace_step s JOIN run r ON r.id = s.run_id WHERE s.workspace_id = workspace_job.workspace_id \
     AND s.status = 'rejected' AND r.state IN ('QUEUED', 'RUNNING')) \
     AND NOT EXISTS (SELECT 1 FROM workspace w WHERE w.id = workspace_job.workspace_id AND NOT w.deleted \
     AND (w.locked OR (w.state_lock IS NOT NULL AND workspace_job.configuration_version_id IS NOT NULL)))))";

/// The ids of jobs that can continue, oldest first, except for those in `paused`.
///
/// # Errors
/// When the query fails.
pub async fn due(db: &impl ConnectionTrait, paused: Vec<i32>, limit: u64) -> Result<Vec<i32>, DbErr> {
    workspace_job::Entity::find()
        .select_only()
        .column(workspace_job::Column::Id)
        .filter(Expr::cust(DUE))
        .filter(workspace_job::Column::Id.is_not_in(paused))
        .order_by_asc(workspace_job::Column::Id)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}

/// Jobs whose approval is awaited, with larger numbers than `after`, in the order of their numbers.
///
/// # Errors
/// When the query fails.
pub async fn waiting(
    db: &impl ConnectionTrait,
    paused: Vec<i32>,
    after: i32,
    limit: u64,
) -> Result<Vec<workspace_job::Model>, DbErr> {
    workspace_job::Entity::find()
        // Written out, so that the partial index is used.
        .filter(Expr::cust("workspace_job.status = 'waitingApproval'"))
        .filter(workspace_job::Column::Id.gt(after))
        .filter(workspace_job::Column::Id.is_not_in(paused))
        .order_by_asc(workspace_job::Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// A job, locked until the transaction ends.
///
/// # Errors
/// When the query fails.
pub async fn lock_job(tx: &impl ConnectionTrait, id: i32) -> Result<Option<workspace_job::Model>, DbErr> {
    workspace_job::Entity::find_by_id(id).lock(LockType::Update).one(tx).await
}

/// Stores and numbers a new job with its steps and addresses.
///
/// # Errors
/// When a statement fails.
pub async fn create_job(
    tx: &impl ConnectionTrait,
    job: workspace_job::Model,
    steps: Vec<workspace_step::Model>,
    addresses: Vec<workspace_address::Model>,
) -> Result<workspace_job::Model, DbErr> {
    let number = take_numbers(tx, entity::counter::WORKSPACE_JOB, 1).await?;
    let id = i32::try_from(number).map_err(|_| DbErr::Custom("no numbers are left for workspace jobs".into()))?;
    let job = row::create(tx, workspace_job::Model { id, ..job }).await?;
    for step in steps {
        row::create(tx, workspace_step::Model { job_id: id, ..step }).await?;
    }
    for address in addresses {
        row::create(tx, workspace_address::Model { job_id: id, ..address }).await?;
    }
    note_status(tx, &job).await?;
    Ok(job)
}

/// Updates a job, and its status in the workspace.
///
/// # Errors
/// When a statement fails.
pub async fn update_job(tx: &impl ConnectionTrait, job: workspace_job::Model) -> Result<workspace_job::Model, DbErr> {
    let job = row::update(tx, job).await?;
    note_status(tx, &job).await?;
    Ok(job)
}

async fn note_status(tx: &impl ConnectionTrait, job: &workspace_job::Model) -> Result<(), DbErr> {
    use sea_orm::ActiveEnum as _;
    workspace::Entity::update_many()
        .col_expr(workspace::Column::LastJobStatus, Expr::value(job.status.to_value()))
        .col_expr(workspace::Column::LastJobDate, Expr::value(job.updated_at))
        .filter(workspace::Column::Id.eq(job.workspace_id))
        .exec(tx)
        .await?;
    report_again(tx, job).await
}

/// The resource addresses that a job targets or replaces.
///
/// # Errors
/// When the query fails.
pub async fn addresses(db: &impl ConnectionTrait, job: i32) -> Result<Vec<workspace_address::Model>, DbErr> {
    workspace_address::Entity::find()
        .filter(workspace_address::Column::JobId.eq(job))
        .order_by_asc(workspace_address::Column::Id)
        .limit(2 * PAGE)
        .all(db)
        .await
}

/// Sets the output of a job, if it is another one.
///
/// # Errors
/// When the statement fails.
pub async fn set_output(db: &impl ConnectionTrait, job: i32, output: &str) -> Result<(), DbErr> {
    let differs =
        Condition::any().add(workspace_job::Column::Output.is_null()).add(workspace_job::Column::Output.ne(output));
    let row = workspace_job::ActiveModel { output: ActiveValue::Set(Some(output.to_owned())), ..Default::default() };
    let these = Condition::all().add(workspace_job::Column::Id.eq(job)).add(differs);
    workspace_job::Entity::update_many().set(row).filter(these).exec(db).await?;
    Ok(())
}

/// Clears the output of a job, if it begins with a text.
///
/// # Errors
/// When the statement fails.
pub async fn clear_output(db: &impl ConnectionTrait, job: i32, beginning: &str) -> Result<(), DbErr> {
    let row = workspace_job::ActiveModel { output: ActiveValue::Set(None), ..Default::default() };
    let these = Condition::all()
        .add(workspace_job::Column::Id.eq(job))
        .add(workspace_job::Column::Output.starts_with(beginning));
    workspace_job::Entity::update_many().set(row).filter(these).exec(db).await?;
    Ok(())
}

/// Stores the context that clients keep with a job.
///
/// # Errors
/// When the statement fails.
pub async fn set_context(db: &impl ConnectionTrait, job: i32, context: serde_json::Value) -> Result<(), DbErr> {
    let row = workspace_job::ActiveModel { context: ActiveValue::Set(Some(context)), ..Default::default() };
    workspace_job::Entity::update_many().set(row).filter(workspace_job::Column::Id.eq(job)).exec(db).await?;
    Ok(())
}

/// The jobs of a workspace with their statuses.
///
/// # Errors
/// When the query fails.
pub async fn jobs(db: &impl ConnectionTrait, id: WorkspaceId) -> Result<Vec<(i32, JobStatus)>, DbErr> {
    workspace_job::Entity::find()
        .select_only()
        .columns([workspace_job::Column::Id, workspace_job::Column::Status])
        .filter(workspace_job::Column::WorkspaceId.eq(id))
        .limit(100 * PAGE)
        .into_tuple()
        .all(db)
        .await
}
