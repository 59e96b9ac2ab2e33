//! How a workspace job goes on: what it waits for before it starts, and whether anything about it has changed.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use chrono::{DateTime, Utc};
use entity::id::{OrganizationId, WorkspaceId};
use entity::workspace_job::JobStatus;
use entity::{run, workspace, workspace_job, workspace_step};
use sea_orm::prelude::Json;
use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::job_pages::OPEN;
use super::step_run::count_lines;
use crate::store::page::PAGE;
use crate::store::run::open;

/// What a job waits for before it starts.
#[derive(Clone, Debug)]
pub enum Hindrance {
    /// The workspace is locked.
    Lock(Box<workspace::Model>),
    /// An older job goes first.
    Job { id: i32, status: JobStatus },
    /// A rejected job still executes its scripts.
    Rejection { id: i32 },
    /// Somebody holds the lock of the state.
    StateLock(Json),
}

/// Jobs that others wait for, as in `DUE`.
fn holds_others() -> Condition {
    let waits_saved = Condition::all()
        .add(workspace_job::Column::SavePlan.eq(true))
        .add(workspace_job::Column::Status.eq(JobStatus::WaitingApproval));
    Condition::all().add(Expr::cust(OPEN)).add(workspace_job::Column::PlanOnly.eq(false)).add(waits_saved.not())
}

/// What a job waits for that has not started; none if it can start, or has. The conditions are those of `DUE`.
///
/// # Errors
/// When a query fails.
pub async fn hindrance(db: &impl ConnectionTrait, job: &workspace_job::Model) -> Result<Option<Hindrance>, DbErr> {
    if job.status != JobStatus::Pending {
        return Ok(None);
    }
    let begun = workspace_step::Entity::find()
        .filter(workspace_step::Column::JobId.eq(job.id))
        .filter(workspace_step::Column::Status.ne(JobStatus::Pending));
    if begun.one(db).await?.is_some() {
        return Ok(None);
    }
    let ignores_lock = job.plan_only && job.configuration_version_id.is_some();
    let of = workspace::Entity::find_by_id(job.workspace_id).one(db).await?;
    let held = of.as_ref().filter(|of| !of.deleted && job.configuration_version_id.is_some());
    let held = held.and_then(|of| of.state_lock.clone());
    if let Some(of) = of.filter(|of| of.locked && !ignores_lock) {
        return Ok(Some(Hindrance::Lock(Box::new(of))));
    }
    if job.plan_only {
        return Ok(None);
    }
    let older: Option<(i32, JobStatus)> = workspace_job::Entity::find()
        .select_only()
        .columns([workspace_job::Column::Id, workspace_job::Column::Status])
        .filter(workspace_job::Column::WorkspaceId.eq(job.workspace_id))
        .filter(workspace_job::Column::Id.lt(job.id))
        .filter(holds_others())
        .order_by_asc(workspace_job::Column::Id)
        .limit(1)
        .into_tuple()
        .one(db)
        .await?;
    if let Some((id, status)) = older {
        return Ok(Some(Hindrance::Job { id, status }));
    }
    if let Some(id) = rejection(db, job.workspace_id).await? {
        return Ok(Some(Hindrance::Rejection { id }));
    }
    Ok(held.map(Hindrance::StateLock))
}

/// The rejected job whose scripts are still executed.
async fn rejection(db: &impl ConnectionTrait, id: WorkspaceId) -> Result<Option<i32>, DbErr> {
    let runs = Query::select().column(run::Column::Id).from(run::Entity).and_where(open()).to_owned();
    workspace_step::Entity::find()
        .select_only()
        .column(workspace_step::Column::JobId)
        .filter(workspace_step::Column::WorkspaceId.eq(id))
        .filter(workspace_step::Column::Status.eq(JobStatus::Rejected))
        .filter(Expr::col((workspace_step::Entity, workspace_step::Column::RunId)).in_subquery(runs))
        .limit(1)
        .into_tuple()
        .one(db)
        .await
}

/// Whether a workspace is locked, who holds the lock of its state, when it was changed, and what its last job was.
type Around = (bool, Option<Json>, DateTime<Utc>, String, Option<DateTime<Utc>>);

/// A number that changes when a job, the lines of its steps, the lock of its workspace or another job of it do.
///
/// # Errors
/// When a query fails.
pub async fn pulse_of_job(db: &impl ConnectionTrait, id: i32) -> Result<i64, DbErr> {
    let job: Option<(WorkspaceId, JobStatus, DateTime<Utc>, Option<String>)> = workspace_job::Entity::find_by_id(id)
        .select_only()
        .columns([
            workspace_job::Column::WorkspaceId,
            workspace_job::Column::Status,
            workspace_job::Column::UpdatedAt,
            workspace_job::Column::Output,
        ])
        .into_tuple()
        .one(db)
        .await?;
    let Some((of, status, updated_at, output)) = job else { return Ok(0) };
    let around: Option<Around> = workspace::Entity::find_by_id(of)
        .select_only()
        .columns([
            workspace::Column::Locked,
            workspace::Column::StateLock,
            workspace::Column::UpdatedAt,
            workspace::Column::LastJobStatus,
            workspace::Column::LastJobDate,
        ])
        .into_tuple()
        .one(db)
        .await?;
    let around =
        around.map(|(locked, held, at, last, when)| (locked, held.map(|lock| lock.to_string()), at, last, when));
    let mut hasher = DefaultHasher::new();
    (count_lines(db, id).await?, status, updated_at, output, around).hash(&mut hasher);
    Ok(i64::from_ne_bytes(hasher.finish().to_ne_bytes()))
}

/// A number that changes when a workspace of an organization, one of its locks or the status of its newest job does.
///
/// # Errors
/// When the query fails.
pub async fn pulse_of_list(db: &impl ConnectionTrait, id: OrganizationId) -> Result<i64, DbErr> {
    use workspace::Column;
    type Line = (WorkspaceId, DateTime<Utc>, String, Option<DateTime<Utc>>, Option<serde_json::Value>);
    let lines: Vec<Line> = workspace::Entity::find()
        .select_only()
        .columns([Column::Id, Column::UpdatedAt, Column::LastJobStatus, Column::LastJobDate, Column::StateLock])
        .filter(Column::OrganizationId.eq(id))
        .filter(Column::Deleted.eq(false))
        .order_by_asc(Column::Id)
        .limit(10 * PAGE)
        .into_tuple()
        .all(db)
        .await?;
    let mut hasher = DefaultHasher::new();
    for (id, updated_at, status, date, lock) in lines {
        (id, updated_at, status, date, lock.is_some()).hash(&mut hasher);
    }
    Ok(i64::from_ne_bytes(hasher.finish().to_ne_bytes()))
}
