//! Deployments and the parts of jobs in them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::deployment::Progress;
use entity::id::{DeploymentId, EnvironmentId, JobId, RunId};
use entity::job_spec::JobSpec;
use entity::{deployment, deployment_job};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Select,
};

/// A job's part with the deployment it belongs to.
pub type Part = (deployment_job::Model, deployment::Model);

/// Stores a new deployment under the next number of its environment, which the caller has locked.
///
/// # Errors
/// When a statement fails.
pub async fn create(
    tx: &impl ConnectionTrait,
    row: deployment::Model,
    parts: Vec<deployment_job::Model>,
) -> Result<deployment::Model, DbErr> {
    let newest: Option<i32> = deployment::Entity::find()
        .select_only()
        .column(deployment::Column::Number)
        .filter(deployment::Column::EnvironmentId.eq(row.environment_id))
        .order_by_desc(deployment::Column::Number)
        .limit(1)
        .into_tuple()
        .one(tx)
        .await?;
    let row = deployment::Model { number: newest.unwrap_or(0) + 1, ..row };
    let row = deployment::ActiveModel::from(row).reset_all().insert(tx).await?;
    add_parts(tx, parts).await?;
    Ok(row)
}

/// The newest deployment of an environment.
///
/// # Errors
/// When the query fails.
pub async fn newest_by_environment(
    db: &impl ConnectionTrait,
    id: EnvironmentId,
) -> Result<Option<deployment::Model>, DbErr> {
    deployment::Entity::find()
        .filter(deployment::Column::EnvironmentId.eq(id))
        .order_by_desc(deployment::Column::Number)
        .one(db)
        .await
}

/// The oldest queued deployment of each environment that has none running.
///
/// # Errors
/// When the query fails.
pub async fn due(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<deployment::Model>, DbErr> {
    next_of_environments().order_by_asc(deployment::Column::Id).limit(limit).all(db).await
}

/// Whether a deployment is still the next one of its environment, which the caller has locked.
///
/// # Errors
/// When the query fails.
pub async fn is_due(db: &impl ConnectionTrait, id: DeploymentId) -> Result<bool, DbErr> {
    Ok(next_of_environments().filter(deployment::Column::Id.eq(id)).one(db).await?.is_some())
}

fn next_of_environments() -> Select<deployment::Entity> {
    const NOTHING_BEFORE: &str = "NOT EXISTS (SELECT 1 FROM deployment o \
         WHERE o.environment_id = deployment.environment_id AND (o.progress = 'RUNNING' \
         OR (o.progress = 'QUEUED' AND o.number < deployment.number)))";
    deployment::Entity::find()
        .filter(deployment::Column::Progress.eq(Progress::Queued))
        .filter(Expr::cust(NOTHING_BEFORE))
}

/// Running deployments that can go on: the run of a part has ended (and, where the job is taken away, its other runs),
/// or no part is under way.
///
/// # Errors
/// When the query fails.
pub async fn list_ready(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<deployment::Model>, DbErr> {
    const ENDED: &str = "EXISTS (SELECT 1 FROM deployment_job p \
         WHERE p.deployment_id = deployment.id AND p.progress = 'RUNNING' AND NOT EXISTS (SELECT 1 FROM run r \
         WHERE r.job_id = p.job_id AND r.state IN ('QUEUED', 'RUNNING') AND (r.id = p.run_id OR r.id = p.build_run_id \
         OR (deployment.action <> 'DEPLOY' AND p.forced_event IS NULL))))";
    const IDLE: &str = "NOT EXISTS (SELECT 1 FROM deployment_job p \
         WHERE p.deployment_id = deployment.id AND p.progress = 'RUNNING')";
    deployment::Entity::find()
        .filter(deployment::Column::Progress.eq(Progress::Running))
        .filter(Condition::any().add(Expr::cust(ENDED)).add(Expr::cust(IDLE)))
        .order_by_asc(deployment::Column::UpdatedAt)
        .limit(limit)
        .all(db)
        .await
}

/// The parts of a deployment.
///
/// # Errors
/// When the query fails.
pub async fn list_parts(db: &impl ConnectionTrait, id: DeploymentId) -> Result<Vec<deployment_job::Model>, DbErr> {
    deployment_job::Entity::find()
        .filter(deployment_job::Column::DeploymentId.eq(id))
        .order_by_asc(deployment_job::Column::JobId)
        .all(db)
        .await
}

/// The newest part of a job.
///
/// # Errors
/// When the query fails.
pub async fn newest_part_by_job(db: &impl ConnectionTrait, id: JobId) -> Result<Option<Part>, DbErr> {
    let found = deployment_job::Entity::find()
        .find_also_related(deployment::Entity)
        .filter(deployment_job::Column::JobId.eq(id))
        .order_by_desc(deployment_job::Column::DeploymentId)
        .limit(1)
        .all(db)
        .await?;
    Ok(found.into_iter().find_map(|(part, of)| Some((part, of?))))
}

/// The newest part of every job of an environment.
///
/// # Errors
/// When the query fails.
pub async fn newest_parts_by_environment(
    db: &impl ConnectionTrait,
    id: EnvironmentId,
) -> Result<HashMap<JobId, Part>, DbErr> {
    let newest: Vec<(JobId, DeploymentId)> = newest_ids(db, id).await?;
    let wanted: HashMap<JobId, DeploymentId> = newest.into_iter().collect();
    let deployments: std::collections::HashSet<DeploymentId> = wanted.values().copied().collect();
    let rows = deployment_job::Entity::find()
        .find_also_related(deployment::Entity)
        .filter(deployment_job::Column::DeploymentId.is_in(deployments))
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(|(part, of)| Some((part, of?)))
        .filter(|(part, _)| wanted.get(&part.job_id) == Some(&part.deployment_id))
        .map(|(part, of)| (part.job_id, (part, of)))
        .collect())
}

/// Ids sort by creation, but PostgreSQL has no `max` of a UUID: the newest is the one that no newer one follows.
async fn newest_ids(db: &impl ConnectionTrait, id: EnvironmentId) -> Result<Vec<(JobId, DeploymentId)>, DbErr> {
    let sql = "SELECT p.job_id, p.deployment_id FROM deployment_job p \
         JOIN job j ON j.id = p.job_id WHERE j.environment_id = $1 AND NOT EXISTS \
         (SELECT 1 FROM deployment_job q WHERE q.job_id = p.job_id AND q.deployment_id > p.deployment_id)";
    let statement = sea_orm::Statement::from_sql_and_values(db.get_database_backend(), sql, vec![id.into()]);
    let rows = db.query_all_raw(statement).await?;
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
}

/// How many deployments that have not ended a job takes part in.
///
/// # Errors
/// When the query fails.
pub async fn count_open_by_job(db: &impl ConnectionTrait, id: JobId) -> Result<u64, DbErr> {
    deployment_job::Entity::find()
        .filter(deployment_job::Column::JobId.eq(id))
        .filter(deployment_job::Column::Progress.is_in([Progress::Queued, Progress::Running]))
        .count(db)
        .await
}

/// How many deployments of an environment have not ended.
///
/// # Errors
/// When the query fails.
pub async fn count_open_by_environment(db: &impl ConnectionTrait, id: EnvironmentId) -> Result<u64, DbErr> {
    deployment::Entity::find()
        .filter(deployment::Column::EnvironmentId.eq(id))
        .filter(deployment::Column::Progress.is_in([Progress::Queued, Progress::Running]))
        .count(db)
        .await
}

/// How many deployments are queued, and how many are running.
///
/// # Errors
/// When the query fails.
pub async fn count_by_progress(db: &impl ConnectionTrait) -> Result<(u64, u64), DbErr> {
    let of = |progress: Progress| deployment::Entity::find().filter(deployment::Column::Progress.eq(progress));
    Ok((of(Progress::Queued).count(db).await?, of(Progress::Running).count(db).await?))
}

/// Moves a deployment on; false when somebody else did.
///
/// # Errors
/// When the statement fails.
pub async fn advance(
    db: &impl ConnectionTrait,
    id: DeploymentId,
    from: Progress,
    to: Progress,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let mut update = deployment::Entity::update_many()
        .col_expr(deployment::Column::Progress, Expr::value(to))
        .col_expr(deployment::Column::UpdatedAt, Expr::value(now));
    if from == Progress::Queued && to == Progress::Running {
        update = update.col_expr(deployment::Column::StartedAt, Expr::value(now));
    }
    if to.is_final() {
        update = update.col_expr(deployment::Column::FinishedAt, Expr::value(now));
    }
    let changed =
        update.filter(deployment::Column::Id.eq(id)).filter(deployment::Column::Progress.eq(from)).exec(db).await?;
    Ok(changed.rows_affected == 1)
}

/// Moves the part of a job on; false when somebody else did.
///
/// # Errors
/// When the statement fails.
pub async fn advance_part(
    db: &impl ConnectionTrait,
    part: &deployment_job::Model,
    to: Progress,
    run: Option<RunId>,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let mut update = deployment_job::Entity::update_many()
        .col_expr(deployment_job::Column::Progress, Expr::value(to))
        .col_expr(deployment_job::Column::RunId, Expr::value(run));
    if part.progress == Progress::Queued && to != Progress::Cancelled {
        update = update.col_expr(deployment_job::Column::StartedAt, Expr::value(now));
    }
    if to.is_final() {
        update = update.col_expr(deployment_job::Column::FinishedAt, Expr::value(now));
    }
    let changed = update
        .filter(deployment_job::Column::DeploymentId.eq(part.deployment_id))
        .filter(deployment_job::Column::JobId.eq(part.job_id))
        .filter(deployment_job::Column::Progress.eq(part.progress))
        .exec(db)
        .await?;
    Ok(changed.rows_affected == 1)
}

/// Notes the run that builds the image of a part.
///
/// # Errors
/// When the statement fails.
pub async fn set_build(db: &impl ConnectionTrait, part: &deployment_job::Model, run: RunId) -> Result<(), DbErr> {
    deployment_job::Entity::update_many()
        .col_expr(deployment_job::Column::BuildRunId, Expr::value(run))
        .filter(deployment_job::Column::DeploymentId.eq(part.deployment_id))
        .filter(deployment_job::Column::JobId.eq(part.job_id))
        .exec(db)
        .await?;
    Ok(())
}

/// Adds parts to a deployment that has not begun.
///
/// # Errors
/// When a statement fails.
pub async fn add_parts(db: &impl ConnectionTrait, parts: Vec<deployment_job::Model>) -> Result<(), DbErr> {
    for chunk in parts.chunks(500) {
        let rows = chunk.iter().map(|part| part.clone().into_active_model().reset_all());
        deployment_job::Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Changes the commit that a part was asked for.
///
/// # Errors
/// When the statement fails.
pub async fn set_commit(
    db: &impl ConnectionTrait,
    part: &deployment_job::Model,
    commit: Option<String>,
) -> Result<(), DbErr> {
    deployment_job::Entity::update_many()
        .col_expr(deployment_job::Column::CommitId, Expr::value(commit))
        .filter(deployment_job::Column::DeploymentId.eq(part.deployment_id))
        .filter(deployment_job::Column::JobId.eq(part.job_id))
        .exec(db)
        .await?;
    Ok(())
}

/// Notes what a part deploys, when it begins.
///
/// # Errors
/// When the statement fails.
pub async fn set_spec(db: &impl ConnectionTrait, part: &deployment_job::Model, spec: &JobSpec) -> Result<(), DbErr> {
    use sea_orm::ActiveValue::Set;
    let row = deployment_job::ActiveModel { spec: Set(Some(spec.clone())), ..Default::default() };
    deployment_job::Entity::update_many()
        .set(row)
        .filter(deployment_job::Column::DeploymentId.eq(part.deployment_id))
        .filter(deployment_job::Column::JobId.eq(part.job_id))
        .exec(db)
        .await?;
    Ok(())
}

/// Asks a running deployment to begin nothing more; false when it was asked already, or is not running.
///
/// # Errors
/// When the statement fails.
pub async fn request_cancel(db: &impl ConnectionTrait, id: DeploymentId, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let changed = deployment::Entity::update_many()
        .col_expr(deployment::Column::CancelRequestedAt, Expr::value(now))
        .col_expr(deployment::Column::UpdatedAt, Expr::value(now))
        .filter(deployment::Column::Id.eq(id))
        .filter(deployment::Column::Progress.eq(Progress::Running))
        .filter(deployment::Column::CancelRequestedAt.is_null())
        .exec(db)
        .await?;
    Ok(changed.rows_affected == 1)
}

/// The deployments of an environment that have not ended, the oldest first.
///
/// # Errors
/// When the query fails.
pub async fn list_open(db: &impl ConnectionTrait, id: EnvironmentId) -> Result<Vec<deployment::Model>, DbErr> {
    deployment::Entity::find()
        .filter(deployment::Column::EnvironmentId.eq(id))
        .filter(deployment::Column::Progress.is_in([Progress::Queued, Progress::Running]))
        .order_by_asc(deployment::Column::Number)
        .limit(super::PAGE)
        .all(db)
        .await
}

/// The newest deployments of an environment, those before `before` where that is given.
///
/// # Errors
/// When the query fails.
pub async fn list_newest(
    db: &impl ConnectionTrait,
    id: EnvironmentId,
    before: Option<DeploymentId>,
    limit: u64,
) -> Result<Vec<deployment::Model>, DbErr> {
    let mut select = deployment::Entity::find().filter(deployment::Column::EnvironmentId.eq(id));
    if let Some(before) = before {
        select = select.filter(deployment::Column::Id.lt(before));
    }
    select.order_by_desc(deployment::Column::Number).limit(limit).all(db).await
}

/// The newest parts of a job that have left the queue or were cancelled in it.
///
/// # Errors
/// When the query fails.
pub async fn list_newest_parts(db: &impl ConnectionTrait, id: JobId, limit: u64) -> Result<Vec<Part>, DbErr> {
    let found = deployment_job::Entity::find()
        .find_also_related(deployment::Entity)
        .filter(deployment_job::Column::JobId.eq(id))
        .order_by_desc(deployment_job::Column::DeploymentId)
        .limit(limit)
        .all(db)
        .await?;
    Ok(found.into_iter().filter_map(|(part, of)| Some((part, of?))).collect())
}

/// The parts of several deployments.
///
/// # Errors
/// When the query fails.
pub async fn list_parts_of(
    db: &impl ConnectionTrait,
    ids: Vec<DeploymentId>,
) -> Result<Vec<deployment_job::Model>, DbErr> {
    deployment_job::Entity::find()
        .filter(deployment_job::Column::DeploymentId.is_in(ids))
        .order_by_asc(deployment_job::Column::StagePosition)
        .order_by_asc(deployment_job::Column::JobId)
        .all(db)
        .await
}

/// The queued parts of a job, the oldest first.
///
/// # Errors
/// When the query fails.
pub async fn list_queued_parts(db: &impl ConnectionTrait, id: JobId) -> Result<Vec<Part>, DbErr> {
    let found = deployment_job::Entity::find()
        .find_also_related(deployment::Entity)
        .filter(deployment_job::Column::JobId.eq(id))
        .filter(deployment::Column::Progress.eq(Progress::Queued))
        .order_by_asc(deployment_job::Column::DeploymentId)
        .limit(super::PAGE)
        .all(db)
        .await?;
    Ok(found.into_iter().filter_map(|(part, of)| Some((part, of?))).collect())
}
