//! The next times of deployed schedules.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::id::{EnvironmentId, JobId};
use entity::job;
use entity::job_schedule::{ActiveModel, Column, Entity};
use entity::job_spec::{JobSpec, JobType};
use entity::run_spec::BuiltImage;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait as _, LockBehavior, LockType, OnConflict, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select, Statement,
};
use uuid::Uuid;

use super::binds::Binds;

/// The maximum number of rows per statement.
const ROWS: usize = 1000;

/// A job whose next time is due.
#[derive(Clone, Debug)]
pub struct DueJob {
    pub id: JobId,
    /// The stored next time.
    pub planned: DateTime<Utc>,
    pub deployed: Option<JobSpec>,
    pub built: Option<BuiltImage>,
}

/// Which schedules to look at.
#[derive(Clone, Debug)]
pub enum DueOf {
    Job(JobId),
    /// All but these.
    AllBut(Vec<Uuid>),
}

/// Jobs whose next time is due, the most overdue first. Other servers do not get the same jobs until the transaction ends.
///
/// Jobs that are due at the same time are sorted by id, so that rows and index pages are touched in order.
///
/// # Errors
/// When a query fails.
pub async fn due(tx: &impl ConnectionTrait, of: DueOf, now: DateTime<Utc>, limit: u64) -> Result<Vec<DueJob>, DbErr> {
    let times: Vec<(JobId, DateTime<Utc>)> = select_due(of, now)
        .select_only()
        .columns([Column::JobId, Column::NextRunAt])
        .order_by_asc(Column::NextRunAt)
        .order_by_asc(Column::JobId)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_tuple()
        .all(tx)
        .await?;
    // Read after the rows are locked, so that a deployment cannot change them in the meantime.
    let mut jobs = deployed(tx, &times).await?;
    let due = |(id, planned)| jobs.remove(&id).map(|(deployed, built)| DueJob { id, planned, deployed, built });
    Ok(times.into_iter().filter_map(due).collect())
}

/// The jobs that `due` returns, for when it fails because of one of them.
///
/// # Errors
/// When the query fails.
pub async fn due_jobs(
    db: &impl ConnectionTrait,
    of: DueOf,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<JobId>, DbErr> {
    let select = select_due(of, now).select_only().column(Column::JobId);
    select.order_by_asc(Column::NextRunAt).order_by_asc(Column::JobId).limit(limit).into_tuple().all(db).await
}

fn select_due(of: DueOf, now: DateTime<Utc>) -> Select<Entity> {
    let select = Entity::find().filter(Column::NextRunAt.lte(now));
    match of {
        DueOf::Job(id) => select.filter(Column::JobId.eq(id)),
        DueOf::AllBut(paused) if paused.is_empty() => select,
        DueOf::AllBut(paused) => select.filter(Column::JobId.is_not_in(paused)),
    }
}

/// A page of the deployed jobs that are due at each start, in the order of their ids. A job whose configuration mentions that elsewhere is
/// among them, too.
///
/// # Errors
/// When the query fails.
pub async fn list_at_start(
    tx: &impl ConnectionTrait,
    after: Option<JobId>,
    limit: u64,
) -> Result<Vec<(JobId, JobSpec)>, DbErr> {
    use job::Column::{Deployed as DeployedColumn, Id, JobType as TypeColumn};
    let mut select = job::Entity::find()
        .select_only()
        .columns([Id, DeployedColumn])
        .filter(TypeColumn.eq(JobType::Cron))
        .filter(DeployedColumn.is_not_null())
        .filter(Expr::col((job::Entity, DeployedColumn)).cast_as("text").like("%@reboot%"));
    if let Some(after) = after {
        select = select.filter(Id.gt(after));
    }
    select.order_by_asc(Id).limit(limit).into_tuple().all(tx).await
}

/// The ids of the jobs that `planned_after` returns, for when it fails because of one of them.
///
/// # Errors
/// When the query fails.
pub async fn list_planned_after(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    after: Option<JobId>,
    limit: u64,
) -> Result<Vec<JobId>, DbErr> {
    let select = select_planned(now, after).select_only().column(Column::JobId);
    select.order_by_asc(Column::JobId).limit(limit).into_tuple().all(db).await
}

fn select_planned(now: DateTime<Utc>, after: Option<JobId>) -> Select<Entity> {
    let select = Entity::find().filter(Column::NextRunAt.gt(now));
    match after {
        Some(after) => select.filter(Column::JobId.gt(after)),
        None => select,
    }
}

/// Jobs whose next time is after `now`, with larger ids than `after`, in the order of their ids. Other servers do not change their
/// next times until the transaction ends.
///
/// # Errors
/// When a query fails.
pub async fn planned_after(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    after: Option<JobId>,
    limit: u64,
) -> Result<Vec<DueJob>, DbErr> {
    let times: Vec<(JobId, DateTime<Utc>)> = select_planned(now, after)
        .select_only()
        .columns([Column::JobId, Column::NextRunAt])
        .order_by_asc(Column::JobId)
        .limit(limit)
        .lock(LockType::Update)
        .into_tuple()
        .all(tx)
        .await?;
    let mut jobs = deployed(tx, &times).await?;
    let job = |(id, planned)| jobs.remove(&id).map(|(deployed, built)| DueJob { id, planned, deployed, built });
    Ok(times.into_iter().filter_map(job).collect())
}

type Deployed = (Option<JobSpec>, Option<BuiltImage>);

async fn deployed(
    tx: &impl ConnectionTrait,
    times: &[(JobId, DateTime<Utc>)],
) -> Result<HashMap<JobId, Deployed>, DbErr> {
    use job::Column::{Built as BuiltColumn, Deployed as DeployedColumn, Id};
    let mut jobs = HashMap::with_capacity(times.len());
    for chunk in times.chunks(ROWS) {
        let rows: Vec<(JobId, Option<JobSpec>, Option<BuiltImage>)> = job::Entity::find()
            .select_only()
            .columns([Id, DeployedColumn, BuiltColumn])
            .filter(Id.is_in(chunk.iter().map(|(id, _)| *id)))
            .into_tuple()
            .all(tx)
            .await?;
        jobs.extend(rows.into_iter().map(|(id, deployed, built)| (id, (deployed, built))));
    }
    Ok(jobs)
}

/// An advance of a schedule: the job, the expected next time, and the new next time.
pub type ScheduleAdvance = (JobId, DateTime<Utc>, Option<DateTime<Utc>>);

/// Advances schedules. Returns the jobs whose next time was still the expected one.
///
/// # Errors
/// When a statement fails.
pub async fn advance(tx: &impl ConnectionTrait, steps: &[ScheduleAdvance]) -> Result<Vec<JobId>, DbErr> {
    let mut moved = Vec::with_capacity(steps.len());
    let mut onward = Vec::with_capacity(steps.len());
    for &(job, from, to) in steps {
        match to {
            Some(to) => onward.push((job, from, to)),
            None => {
                let ended = Entity::delete_by_id(job).filter(Column::NextRunAt.eq(from)).exec(tx).await?;
                moved.extend((ended.rows_affected > 0).then_some(job));
            }
        }
    }
    for chunk in onward.chunks(ROWS) {
        for row in tx.query_all_raw(advance_statement(tx, chunk)).await? {
            moved.push(row.try_get_by_index(0)?);
        }
    }
    Ok(moved)
}

fn advance_statement(tx: &impl ConnectionTrait, steps: &[(JobId, DateTime<Utc>, DateTime<Utc>)]) -> Statement {
    let mut sql = Binds::new(tx.get_database_backend(), "WITH step (id, planned, next) AS (VALUES ");
    for (number, (job, from, to)) in steps.iter().enumerate() {
        sql.sql(if number == 0 { "(" } else { ", (" });
        sql.value(*job, "uuid").sql(", ").value(*from, "timestamptz").sql(", ").value(*to, "timestamptz").sql(")");
    }
    sql.sql(
        ") UPDATE job_schedule SET next_run_at = step.next FROM step \
         WHERE job_schedule.job_id = step.id AND job_schedule.next_run_at = step.planned RETURNING job_schedule.job_id",
    );
    sql.statement()
}

/// The next time of any schedule, except for those in `paused`.
///
/// # Errors
/// When the query fails.
pub async fn next_due(db: &impl ConnectionTrait, paused: Vec<Uuid>) -> Result<Option<DateTime<Utc>>, DbErr> {
    let select = Entity::find().select_only().column(Column::NextRunAt).order_by_asc(Column::NextRunAt);
    select.filter(Column::JobId.is_not_in(paused)).limit(1).into_tuple().one(db).await
}

/// The next time of the schedule of a job; `None` if no schedule is deployed.
///
/// # Errors
/// When the query fails.
pub async fn of_job(db: &impl ConnectionTrait, job: JobId) -> Result<Option<DateTime<Utc>>, DbErr> {
    Entity::find_by_id(job).select_only().column(Column::NextRunAt).into_tuple().one(db).await
}

/// Sets or clears the next time of the schedule of a job.
///
/// # Errors
/// When the statement fails.
pub async fn set(db: &impl ConnectionTrait, job: JobId, next: Option<DateTime<Utc>>) -> Result<(), DbErr> {
    let Some(next) = next else {
        return Entity::delete_by_id(job).exec(db).await.map(|_| ());
    };
    let row = ActiveModel { job_id: Set(job), next_run_at: Set(next) };
    let replace = OnConflict::column(Column::JobId).update_column(Column::NextRunAt).to_owned();
    Entity::insert(row).on_conflict(replace).exec_without_returning(db).await.map(|_| ())
}

/// Clears the next times of all schedules of an environment.
///
/// # Errors
/// When the statement fails.
pub async fn clear_of_environment(db: &impl ConnectionTrait, id: EnvironmentId) -> Result<(), DbErr> {
    let mut jobs = Query::select();
    jobs.column(job::Column::Id).from(job::Entity).and_where(job::Column::EnvironmentId.eq(id));
    Entity::delete_many().filter(Column::JobId.in_subquery(jobs)).exec(db).await.map(|_| ())
}

/// The next times of these jobs; those without a deployed schedule are not in the map.
///
/// # Errors
/// When the query fails.
pub async fn of_jobs(db: &impl ConnectionTrait, jobs: Vec<JobId>) -> Result<HashMap<JobId, DateTime<Utc>>, DbErr> {
    let rows: Vec<(JobId, DateTime<Utc>)> = Entity::find()
        .select_only()
        .columns([Column::JobId, Column::NextRunAt])
        .filter(Column::JobId.is_in(jobs))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}
