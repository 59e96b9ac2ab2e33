//! Workspaces, their runs and the steps of those, their states, and their schedules.

use chrono::{DateTime, Utc};
use entity::id::{OrganizationId, RunId, StateVersionId, VcsId, WorkspaceId, WorkspaceStepId};
use entity::workspace_job::JobStatus;
use entity::{
    ssh_key, state_version, template, terraform_variable, vcs, workspace, workspace_address, workspace_job,
    workspace_schedule, workspace_step,
};
use sea_orm::sea_query::{Expr, ExprTrait as _, LockType};
use sea_orm::{
    ActiveValue, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::PAGE;

/// Jobs in which something is to be done: nothing of theirs runs, nobody is asked, and either they have begun, or it is
/// their turn in a workspace that is not locked, where nothing is executed for a rejection either.
const DUE: &str = "workspace_job.status IN ('pending', 'queue', 'running', 'waitingApproval', 'approved') \
     AND workspace_job.status <> 'waitingApproval' \
     AND NOT EXISTS (SELECT 1 FROM workspace_step s WHERE s.job_id = workspace_job.id AND s.status IN ('queue', 'running')) \
     AND (EXISTS (SELECT 1 FROM workspace_step s WHERE s.job_id = workspace_job.id AND s.status <> 'pending') \
     OR (NOT EXISTS (SELECT 1 FROM workspace_job older WHERE older.workspace_id = workspace_job.workspace_id \
     AND older.status IN ('pending', 'queue', 'running', 'waitingApproval', 'approved') AND older.id < workspace_job.id) \
     AND NOT EXISTS (SELECT 1 FROM workspace_step s JOIN run r ON r.id = s.run_id WHERE s.workspace_id = workspace_job.workspace_id \
     AND s.status = 'rejected' AND r.state IN ('QUEUED', 'RUNNING')) \
     AND NOT EXISTS (SELECT 1 FROM workspace w WHERE w.id = workspace_job.workspace_id AND w.locked)))";

/// The ids of jobs in which something is to be done, the oldest first.
///
/// # Errors
/// When the query fails.
pub async fn due(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<i32>, DbErr> {
    workspace_job::Entity::find()
        .select_only()
        .column(workspace_job::Column::Id)
        .filter(Expr::cust(DUE))
        .order_by_asc(workspace_job::Column::Id)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}

/// A job, which nobody else changes until the transaction ends.
///
/// # Errors
/// When the query fails.
pub async fn lock_job(tx: &impl ConnectionTrait, id: i32) -> Result<Option<workspace_job::Model>, DbErr> {
    workspace_job::Entity::find_by_id(id).lock(LockType::Update).one(tx).await
}

/// A workspace, which nobody else changes until the transaction ends.
///
/// # Errors
/// When the query fails.
pub async fn lock(tx: &impl ConnectionTrait, id: WorkspaceId) -> Result<Option<workspace::Model>, DbErr> {
    workspace::Entity::find_by_id(id).lock(LockType::Update).one(tx).await
}

/// Locks the job whose step a run executes, before the run itself is changed.
///
/// # Errors
/// When a query fails.
pub async fn lock_job_of_run(tx: &impl ConnectionTrait, run: RunId) -> Result<(), DbErr> {
    if let Some(step) = step_by_run(tx, run).await? {
        lock_job(tx, step.job_id).await?;
    }
    Ok(())
}

/// The steps of a job, in their order.
///
/// # Errors
/// When the query fails.
pub async fn steps(db: &impl ConnectionTrait, job: i32) -> Result<Vec<workspace_step::Model>, DbErr> {
    workspace_step::Entity::find()
        .filter(workspace_step::Column::JobId.eq(job))
        .order_by_asc(workspace_step::Column::Position)
        .limit(PAGE)
        .all(db)
        .await
}

/// The step that a run executes.
///
/// # Errors
/// When the query fails.
pub async fn step_by_run(db: &impl ConnectionTrait, run: RunId) -> Result<Option<workspace_step::Model>, DbErr> {
    workspace_step::Entity::find().filter(workspace_step::Column::RunId.eq(run)).one(db).await
}

/// The step whose process has this credential.
///
/// # Errors
/// When the query fails.
pub async fn step_by_token(db: &impl ConnectionTrait, hash: &str) -> Result<Option<workspace_step::Model>, DbErr> {
    workspace_step::Entity::find().filter(workspace_step::Column::Token.eq(hash)).one(db).await
}

/// Numbers a new job and stores it with its steps and addresses.
///
/// # Errors
/// When a statement fails.
pub async fn create_job(
    tx: &impl ConnectionTrait,
    job: workspace_job::Model,
    steps: Vec<workspace_step::Model>,
    addresses: Vec<workspace_address::Model>,
) -> Result<workspace_job::Model, DbErr> {
    let number = super::take_numbers(tx, entity::counter::WORKSPACE_JOB, 1).await?;
    let id = i32::try_from(number).map_err(|_| DbErr::Custom("there are no more numbers for jobs".into()))?;
    let job = super::row::create(tx, workspace_job::Model { id, ..job }).await?;
    for step in steps {
        super::row::create(tx, workspace_step::Model { job_id: id, ..step }).await?;
    }
    for address in addresses {
        super::row::create(tx, workspace_address::Model { job_id: id, ..address }).await?;
    }
    note_status(tx, &job).await?;
    Ok(job)
}

/// Stores a job that has changed, and what its workspace shows of it.
///
/// # Errors
/// When a statement fails.
pub async fn update_job(tx: &impl ConnectionTrait, job: workspace_job::Model) -> Result<workspace_job::Model, DbErr> {
    let job = super::row::update(tx, job).await?;
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
    Ok(())
}

/// The resources that a job is about.
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

/// Keeps what clients store with a job.
///
/// # Errors
/// When the statement fails.
pub async fn set_context(db: &impl ConnectionTrait, job: i32, context: serde_json::Value) -> Result<(), DbErr> {
    let row = workspace_job::ActiveModel { context: ActiveValue::Set(Some(context)), ..Default::default() };
    workspace_job::Entity::update_many().set(row).filter(workspace_job::Column::Id.eq(job)).exec(db).await?;
    Ok(())
}

/// Gives steps of a job that have one status another one.
///
/// # Errors
/// When the statement fails.
pub async fn turn_steps(
    tx: &impl ConnectionTrait,
    job: i32,
    (from, to): (JobStatus, JobStatus),
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = workspace_step::ActiveModel {
        status: ActiveValue::Set(to),
        updated_at: ActiveValue::Set(now),
        ..Default::default()
    };
    let these =
        Condition::all().add(workspace_step::Column::JobId.eq(job)).add(workspace_step::Column::Status.eq(from));
    workspace_step::Entity::update_many().set(row).filter(these).exec(tx).await?;
    Ok(())
}

/// Changes one step.
///
/// # Errors
/// When the statement fails.
pub async fn change_step(
    tx: &impl ConnectionTrait,
    id: WorkspaceStepId,
    row: workspace_step::ActiveModel,
) -> Result<(), DbErr> {
    workspace_step::Entity::update_many().set(row).filter(workspace_step::Column::Id.eq(id)).exec(tx).await?;
    Ok(())
}

/// Gives one step a status.
///
/// # Errors
/// When the statement fails.
pub async fn set_step(
    tx: &impl ConnectionTrait,
    id: WorkspaceStepId,
    status: JobStatus,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let (status, updated_at) = (ActiveValue::Set(status), ActiveValue::Set(now));
    change_step(tx, id, workspace_step::ActiveModel { status, updated_at, ..Default::default() }).await
}

/// Notes that the step of a run runs now.
///
/// # Errors
/// When a statement fails.
pub async fn began(tx: &impl ConnectionTrait, run: RunId, now: DateTime<Utc>) -> Result<(), DbErr> {
    let Some(step) = step_by_run(tx, run).await?.filter(|step| step.status == JobStatus::Queue) else { return Ok(()) };
    let Some(job) = lock_job(tx, step.job_id).await?.filter(|job| !job.status.is_final()) else { return Ok(()) };
    turn_steps(tx, job.id, (JobStatus::Queue, JobStatus::Running), now).await?;
    update_job(tx, workspace_job::Model { status: JobStatus::Running, updated_at: now, ..job }).await?;
    Ok(())
}

/// The variables of a workspace, behind those of all workspaces.
///
/// # Errors
/// When the query fails.
pub async fn variables(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    workspace: WorkspaceId,
) -> Result<Vec<terraform_variable::Model>, DbErr> {
    let of = Condition::any()
        .add(terraform_variable::Column::WorkspaceId.eq(workspace))
        .add(terraform_variable::Column::WorkspaceId.is_null());
    let mut rows = terraform_variable::Entity::find()
        .filter(terraform_variable::Column::OrganizationId.eq(organization))
        .filter(of)
        .order_by_asc(terraform_variable::Column::Id)
        .limit(10 * PAGE)
        .all(db)
        .await?;
    rows.sort_by_key(|row| row.workspace_id.is_some());
    Ok(rows)
}

/// The template of this id in an organization.
///
/// # Errors
/// When the query fails.
pub async fn template(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    id: entity::id::TemplateId,
) -> Result<Option<template::Model>, DbErr> {
    let row = template::Entity::find_by_id(id).one(db).await?;
    Ok(row.filter(|row| row.organization_id == organization))
}

/// The template of this name in an organization.
///
/// # Errors
/// When the query fails.
pub async fn template_by_name(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    name: &str,
) -> Result<Option<template::Model>, DbErr> {
    let of =
        Condition::all().add(template::Column::OrganizationId.eq(organization)).add(template::Column::Name.eq(name));
    template::Entity::find().filter(of).one(db).await
}

/// Whether an organization has a template or a workspace already.
///
/// # Errors
/// When a query fails.
pub async fn is_furnished(db: &impl ConnectionTrait, organization: OrganizationId) -> Result<bool, DbErr> {
    let templates = template::Entity::find().filter(template::Column::OrganizationId.eq(organization)).one(db).await?;
    let workspaces =
        workspace::Entity::find().filter(workspace::Column::OrganizationId.eq(organization)).one(db).await?;
    Ok(templates.is_some() || workspaces.is_some())
}

/// The newest version of a state.
///
/// # Errors
/// When the query fails.
pub async fn newest_state(db: &impl ConnectionTrait, id: WorkspaceId) -> Result<Option<state_version::Model>, DbErr> {
    state_version::Entity::find()
        .filter(state_version::Column::WorkspaceId.eq(id))
        .order_by_desc(state_version::Column::Id)
        .one(db)
        .await
}

/// A version of a state of a workspace.
///
/// # Errors
/// When the query fails.
pub async fn state(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    id: StateVersionId,
) -> Result<Option<state_version::Model>, DbErr> {
    let row = state_version::Entity::find_by_id(id).one(db).await?;
    Ok(row.filter(|row| row.workspace_id == workspace))
}

/// Takes the lock of a state that nobody has; false when somebody has it.
///
/// # Errors
/// When the statement fails.
pub async fn lock_state(
    tx: &impl ConnectionTrait,
    id: WorkspaceId,
    lock: serde_json::Value,
    step: Option<WorkspaceStepId>,
) -> Result<bool, DbErr> {
    let row = workspace::ActiveModel {
        state_lock: ActiveValue::Set(Some(lock)),
        state_lock_step: ActiveValue::Set(step),
        ..Default::default()
    };
    let free = Condition::all().add(workspace::Column::Id.eq(id)).add(workspace::Column::StateLock.is_null());
    Ok(workspace::Entity::update_many().set(row).filter(free).exec(tx).await?.rows_affected == 1)
}

/// Gives the lock of a state back.
///
/// # Errors
/// When the statement fails.
pub async fn unlock_state(
    tx: &impl ConnectionTrait,
    id: WorkspaceId,
    held_by: Option<WorkspaceStepId>,
) -> Result<(), DbErr> {
    let row = workspace::ActiveModel {
        state_lock: ActiveValue::Set(None),
        state_lock_step: ActiveValue::Set(None),
        ..Default::default()
    };
    let mut these = Condition::all().add(workspace::Column::Id.eq(id));
    if let Some(step) = held_by {
        these = these.add(workspace::Column::StateLockStep.eq(step));
    }
    workspace::Entity::update_many().set(row).filter(these).exec(tx).await?;
    Ok(())
}

/// Schedules whose time has come, which nobody else takes until the transaction ends.
///
/// # Errors
/// When the query fails.
pub async fn due_schedules(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<workspace_schedule::Model>, DbErr> {
    workspace_schedule::Entity::find()
        .filter(workspace_schedule::Column::NextRunAt.lte(now))
        .order_by_asc(workspace_schedule::Column::NextRunAt)
        .limit(limit)
        .lock_with_behavior(LockType::Update, sea_orm::sea_query::LockBehavior::SkipLocked)
        .all(tx)
        .await
}

/// When the next schedule is due.
///
/// # Errors
/// When the query fails.
pub async fn next_due(db: &impl ConnectionTrait) -> Result<Option<DateTime<Utc>>, DbErr> {
    let row = workspace_schedule::Entity::find()
        .filter(workspace_schedule::Column::NextRunAt.is_not_null())
        .order_by_asc(workspace_schedule::Column::NextRunAt)
        .one(db)
        .await?;
    Ok(row.and_then(|row| row.next_run_at))
}

/// Switches the schedules of a workspace off.
///
/// # Errors
/// When the statement fails.
pub async fn disable_schedules(tx: &impl ConnectionTrait, id: WorkspaceId) -> Result<(), DbErr> {
    let row = workspace_schedule::ActiveModel {
        enabled: ActiveValue::Set(false),
        next_run_at: ActiveValue::Set(None),
        ..Default::default()
    };
    workspace_schedule::Entity::update_many()
        .set(row)
        .filter(workspace_schedule::Column::WorkspaceId.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}

/// Asks for the end of the runs that execute steps of a job.
///
/// # Errors
/// When the statement fails.
pub async fn cancel_runs(tx: &impl ConnectionTrait, job: i32, now: DateTime<Utc>) -> Result<(), DbErr> {
    use entity::run;
    let ids: Vec<RunId> = steps(tx, job).await?.into_iter().filter_map(|step| step.run_id).collect();
    run::Entity::update_many()
        .col_expr(run::Column::CancelRequestedAt, Expr::value(now))
        .filter(run::Column::Id.is_in(ids))
        .filter(super::run::open().and(run::Column::CancelRequestedAt.is_null()))
        .exec(tx)
        .await?;
    Ok(())
}

/// Lets what executed the steps of a job go, with its logs.
///
/// # Errors
/// When the statement fails.
pub async fn expire_runs(tx: &impl ConnectionTrait, jobs: Vec<i32>, now: DateTime<Utc>) -> Result<(), DbErr> {
    use entity::run;
    for job in jobs {
        let ids: Vec<RunId> = steps(tx, job).await?.into_iter().filter_map(|step| step.run_id).collect();
        run::Entity::update_many()
            .col_expr(run::Column::ExpiresAt, Expr::value(now))
            .filter(run::Column::Id.is_in(ids))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// How many workspaces an organization has, without those that nobody sees.
///
/// # Errors
/// When the query fails.
pub async fn count(db: &impl ConnectionTrait, id: OrganizationId) -> Result<u64, DbErr> {
    use sea_orm::PaginatorTrait as _;
    let seen = Condition::all().add(workspace::Column::OrganizationId.eq(id)).add(workspace::Column::Deleted.eq(false));
    workspace::Entity::find().filter(seen).count(db).await
}

/// Lets what executed the steps of an organization go, before that goes.
///
/// # Errors
/// When the statement fails.
pub async fn expire_runs_of(tx: &impl ConnectionTrait, id: OrganizationId, now: DateTime<Utc>) -> Result<(), DbErr> {
    use entity::run;
    let mut runs = sea_orm::sea_query::Query::select();
    runs.column(workspace_step::Column::RunId)
        .from(workspace_step::Entity)
        .and_where(workspace_step::Column::OrganizationId.eq(id))
        .and_where(workspace_step::Column::RunId.is_not_null());
    run::Entity::update_many()
        .col_expr(run::Column::ExpiresAt, Expr::value(now))
        .filter(run::Column::Id.in_subquery(runs))
        .exec(tx)
        .await?;
    Ok(())
}

/// The jobs of a workspace, and whether one of them is open.
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

/// The login that repositories of a workspace are read with.
///
/// # Errors
/// When the query fails.
pub async fn vcs(db: &impl ConnectionTrait, id: VcsId) -> Result<Option<vcs::Model>, DbErr> {
    vcs::Entity::find_by_id(id).one(db).await
}

/// The key that repositories of a workspace are read with.
///
/// # Errors
/// When the query fails.
pub async fn ssh_key(db: &impl ConnectionTrait, id: entity::id::SshKeyId) -> Result<Option<ssh_key::Model>, DbErr> {
    ssh_key::Entity::find_by_id(id).one(db).await
}
