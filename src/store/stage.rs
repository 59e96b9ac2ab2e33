//! Deployment stages and the jobs in them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::id::{EnvironmentId, JobId, StageId};
use entity::{job, stage, stage_job};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};

use super::binds::Binds;

/// The maximum number of stages in an environment.
pub const MOST: u64 = 100;

/// The stages of an environment, in their order.
///
/// # Errors
/// When the query fails.
pub async fn list(db: &impl ConnectionTrait, environment: EnvironmentId) -> Result<Vec<stage::Model>, DbErr> {
    stage::Entity::find()
        .filter(stage::Column::EnvironmentId.eq(environment))
        .order_by_asc(stage::Column::Position)
        .order_by_asc(stage::Column::Id)
        .limit(MOST)
        .all(db)
        .await
}

/// The default stages of a new environment, in their order, not stored yet.
#[must_use]
pub fn defaults(environment: EnvironmentId, now: DateTime<Utc>) -> Vec<stage::Model> {
    let row = |(position, name): (i32, &str)| stage::Model {
        id: StageId::create(),
        environment_id: environment,
        created_at: now,
        updated_at: now,
        name: name.to_owned(),
        name_key: entity::name_key(name),
        description: String::new(),
        position,
    };
    (0_i32..).zip(stage::DEFAULTS).map(row).collect()
}

/// Stores the default stages of a new environment.
///
/// # Errors
/// When the statement fails.
pub async fn create_defaults(
    db: &impl ConnectionTrait,
    environment: EnvironmentId,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let rows = defaults(environment, now).into_iter().map(|row| row.into_active_model().reset_all());
    stage::Entity::insert_many(rows).exec_without_returning(db).await?;
    Ok(())
}

/// The stage of one job.
///
/// # Errors
/// When the query fails.
pub async fn place(db: &impl ConnectionTrait, job: JobId) -> Result<Option<stage_job::Model>, DbErr> {
    stage_job::Entity::find_by_id(job).one(db).await
}

/// The stages of all jobs of an environment.
///
/// # Errors
/// When the query fails.
pub async fn places(
    db: &impl ConnectionTrait,
    environment: EnvironmentId,
) -> Result<HashMap<JobId, stage_job::Model>, DbErr> {
    let jobs = Query::select()
        .column(job::Column::Id)
        .from(job::Entity)
        .and_where(job::Column::EnvironmentId.eq(environment))
        .to_owned();
    let rows = stage_job::Entity::find().filter(stage_job::Column::JobId.in_subquery(jobs)).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.job_id, row)).collect())
}

/// Counts the jobs in a stage.
///
/// # Errors
/// When the query fails.
pub async fn count_jobs(db: &impl ConnectionTrait, stage: StageId) -> Result<u64, DbErr> {
    stage_job::Entity::find().filter(stage_job::Column::StageId.eq(stage)).count(db).await
}

/// Puts a new job into the default stage of jobs, or into the last stage if that one was renamed or deleted.
///
/// # Errors
/// When a statement fails.
pub async fn attach_new(
    db: &impl ConnectionTrait,
    environment: EnvironmentId,
    job: JobId,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let mut sql = Binds::new(
        db.get_database_backend(),
        "INSERT INTO stage_job (job_id, stage_id, created_at, updated_at, is_skipped) SELECT ",
    );
    sql.value(job, "uuid").sql(", id, ").value(now, "timestamptz").sql(", ").value(now, "timestamptz");
    sql.sql(", FALSE FROM stage WHERE environment_id = ").value(environment, "uuid");
    sql.sql(" ORDER BY CASE WHEN name = ").value(stage::JOBS, "text");
    sql.sql(" THEN 0 ELSE 1 END, position DESC, id DESC LIMIT 1");
    db.execute_raw(sql.statement()).await.map(|_| ())
}

/// Moves a job into a stage.
///
/// # Errors
/// When the statement fails.
pub async fn attach(db: &impl ConnectionTrait, row: stage_job::Model) -> Result<(), DbErr> {
    use sea_orm::sea_query::OnConflict;
    let moved = OnConflict::column(stage_job::Column::JobId)
        .update_columns([stage_job::Column::StageId, stage_job::Column::UpdatedAt, stage_job::Column::IsSkipped])
        .to_owned();
    let row = row.into_active_model().reset_all();
    stage_job::Entity::insert(row).on_conflict(moved).exec_without_returning(db).await?;
    Ok(())
}

/// Sets the positions of stages to this order.
///
/// # Errors
/// When a statement fails.
pub async fn reorder(db: &impl ConnectionTrait, order: &[StageId], now: DateTime<Utc>) -> Result<(), DbErr> {
    for (position, id) in (0_i32..).zip(order) {
        stage::Entity::update_many()
            .col_expr(stage::Column::Position, Expr::value(position))
            .col_expr(stage::Column::UpdatedAt, Expr::value(now))
            .filter(stage::Column::Id.eq(*id))
            .filter(stage::Column::Position.ne(position))
            .exec(db)
            .await?;
    }
    Ok(())
}
