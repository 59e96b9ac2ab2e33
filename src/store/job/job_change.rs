//! Stores new jobs, and what is deployed of jobs; deletes them.

use chrono::{DateTime, Utc};
use entity::id::{EnvironmentId, GroupId, JobId};
use entity::job;
use entity::job_spec::{JobSpec, JobType};
use entity::run_spec::BuiltImage;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait as _, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use crate::store::{alert, group, job_schedule, run, stage};

/// Stores a new job and puts it into a stage. Call this in a transaction.
///
/// # Errors
/// A unique violation when the name is taken.
pub async fn create(db: &impl ConnectionTrait, row: job::Model) -> Result<(), DbErr> {
    let (id, environment, now) = (row.id, row.environment_id, row.created_at);
    let groups: Vec<GroupId> = row.spec.annotations_groups.iter().chain(&row.spec.labels_groups).copied().collect();
    job::Entity::insert(job::ActiveModel::from(row).reset_all()).exec_without_returning(db).await?;
    group::add_to_job(db, id, &groups).await?;
    stage::attach_new(db, environment, id, now).await
}

/// Stores a new check, which is in no stage, because it is never deployed. Call this in a transaction.
///
/// # Errors
/// A unique violation when the name is taken.
pub async fn create_check(db: &impl ConnectionTrait, row: job::Model) -> Result<(), DbErr> {
    job::Entity::insert(job::ActiveModel::from(row).reset_all()).exec_without_returning(db).await.map(|_| ())
}

/// Sets the deployed configuration of a job and its next time.
///
/// # Errors
/// When the statement fails.
pub async fn set_deployed(
    db: &impl ConnectionTrait,
    id: JobId,
    deployed: Option<JobSpec>,
    next_run_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    use sea_orm::ActiveValue::Set;
    // First, because a pass that takes a due time locks the schedule before it reads the deployed configuration.
    job_schedule::set(db, id, next_run_at).await?;
    let row = job::ActiveModel {
        deployed_at: Set(deployed.as_ref().map(|_| now)),
        deployed: Set(deployed),
        ..Default::default()
    };
    let is_deployed = matches!(row.deployed, Set(Some(_)));
    job::Entity::update_many().set(row).filter(job::Column::Id.eq(id)).exec(db).await?;
    if is_deployed { alert::begin_success(db, id, now).await } else { alert::end_success(db, id).await }
}

/// Removes the deployed configurations and the next times of all jobs of an environment, except for checks, which are never deployed.
///
/// # Errors
/// When a statement fails.
pub async fn set_nothing_deployed(db: &impl ConnectionTrait, id: EnvironmentId) -> Result<(), DbErr> {
    use sea_orm::ActiveValue::Set;
    // First, like in `set_deployed`.
    job_schedule::clear_of_environment(db, id).await?;
    let row = job::ActiveModel { deployed: Set(None), deployed_at: Set(None), ..Default::default() };
    let jobs = job::Entity::update_many().set(row).filter(job::Column::EnvironmentId.eq(id));
    jobs.filter(job::Column::JobType.ne(JobType::Check)).exec(db).await?;
    alert::end_successes_of(db, id).await
}

/// Sets the image that was built for a job.
///
/// # Errors
/// When the statement fails.
pub async fn set_built(db: &impl ConnectionTrait, id: JobId, built: Option<BuiltImage>) -> Result<(), DbErr> {
    use sea_orm::ActiveValue::Set;
    let row = job::ActiveModel { built: Set(built), ..Default::default() };
    job::Entity::update_many().set(row).filter(job::Column::Id.eq(id)).exec(db).await?;
    Ok(())
}

/// Makes the running state of these jobs ignore runs that failed before `now`.
///
/// # Errors
/// When the statement fails.
pub async fn clear_failures(db: &impl ConnectionTrait, ids: Vec<JobId>, now: DateTime<Utc>) -> Result<(), DbErr> {
    job::Entity::update_many()
        .col_expr(job::Column::FailuresClearedAt, Expr::value(now))
        .filter(job::Column::Id.is_in(ids))
        .exec(db)
        .await?;
    Ok(())
}

/// Deletes a job with its runs and their logs. Call this in a transaction.
///
/// # Errors
/// When the statement fails.
pub async fn delete(db: &impl ConnectionTrait, id: JobId) -> Result<(), DbErr> {
    run::retention::keep_unconfirmed(db, Condition::all().add(entity::run::Column::JobId.eq(id))).await?;
    job::Entity::delete_by_id(id).exec(db).await?;
    Ok(())
}
