//! Runs by id, by job and by time.

use chrono::{DateTime, Utc};
use entity::id::{EnvironmentId, JobId, RunId};
use entity::run;
use entity::run::{Event, RunState};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use uuid::Uuid;

use crate::store::binds::Binds;

/// How many runs one query of many jobs returns at most.
const MOST: u64 = 100_000;

/// One run.
///
/// # Errors
/// When the query fails.
pub async fn by_id(db: &impl ConnectionTrait, id: RunId) -> Result<Option<run::Model>, DbErr> {
    run::Entity::find_by_id(id).one(db).await
}

/// The runs with these ids.
///
/// # Errors
/// When the query fails.
pub async fn list_by_ids(db: &impl ConnectionTrait, ids: Vec<RunId>) -> Result<Vec<run::Model>, DbErr> {
    run::Entity::find().filter(run::Column::Id.is_in(ids)).all(db).await
}

/// The run with an idempotency key.
///
/// # Errors
/// When the query fails.
pub async fn by_idempotency_key(db: &impl ConnectionTrait, job: JobId, key: &str) -> Result<Option<run::Model>, DbErr> {
    let wanted = Condition::all().add(run::Column::JobId.eq(job)).add(run::Column::IdempotencyKey.eq(key));
    run::Entity::find().filter(wanted).one(db).await
}

fn scheduled_between(job: JobId, (from, until): (DateTime<Utc>, DateTime<Utc>)) -> Select<run::Entity> {
    run::Entity::find()
        .filter(run::Column::JobId.eq(job))
        .filter(run::Column::ScheduledFor.gte(from))
        .filter(run::Column::ScheduledFor.lt(until))
}

/// The runs of the schedule of a job in a time span, oldest first.
///
/// # Errors
/// When the query fails.
pub async fn list_scheduled_between(
    db: &impl ConnectionTrait,
    job: JobId,
    span: (DateTime<Utc>, DateTime<Utc>),
    limit: u64,
) -> Result<Vec<run::Model>, DbErr> {
    scheduled_between(job, span).order_by_asc(run::Column::ScheduledFor).limit(limit).all(db).await
}

/// The newest of them, newest first.
///
/// # Errors
/// When the query fails.
pub async fn list_newest_scheduled_between(
    db: &impl ConnectionTrait,
    job: JobId,
    span: (DateTime<Utc>, DateTime<Utc>),
    limit: u64,
) -> Result<Vec<run::Model>, DbErr> {
    scheduled_between(job, span).order_by_desc(run::Column::ScheduledFor).limit(limit).all(db).await
}

/// The runs of a job that were created in a time span, oldest first.
///
/// # Errors
/// When the query fails.
pub async fn list_created_between(
    db: &impl ConnectionTrait,
    job: JobId,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    limit: u64,
) -> Result<Vec<run::Model>, DbErr> {
    run::Entity::find()
        .filter(run::Column::JobId.eq(job))
        .filter(run::Column::CreatedAt.gte(from))
        .filter(run::Column::CreatedAt.lt(until))
        .order_by_asc(run::Column::Number)
        .limit(limit)
        .all(db)
        .await
}

/// Which of these times of a job have a run.
///
/// # Errors
/// When the query fails.
pub async fn list_scheduled_times(
    db: &impl ConnectionTrait,
    job: JobId,
    times: Vec<DateTime<Utc>>,
) -> Result<Vec<DateTime<Utc>>, DbErr> {
    let select = run::Entity::find().select_only().column(run::Column::ScheduledFor);
    select.filter(run::Column::JobId.eq(job)).filter(run::Column::ScheduledFor.is_in(times)).into_tuple().all(db).await
}

/// Whether any run of a job belongs to a backfill.
///
/// # Errors
/// When the query fails.
pub async fn has_backfill(db: &impl ConnectionTrait, job: JobId, backfill: Uuid) -> Result<bool, DbErr> {
    let wanted = Condition::all().add(run::Column::JobId.eq(job)).add(run::Column::BackfillId.eq(backfill));
    Ok(run::Entity::find().filter(wanted).one(db).await?.is_some())
}

/// The newest run of a job for an event.
///
/// # Errors
/// When the query fails.
pub async fn newest_of_event(db: &impl ConnectionTrait, job: JobId, event: Event) -> Result<Option<run::Model>, DbErr> {
    let wanted = Condition::all().add(run::Column::JobId.eq(job)).add(run::Column::Event.eq(event));
    run::Entity::find().filter(wanted).order_by_desc(run::Column::Number).one(db).await
}

/// The newest scheduled time of a job that has a run.
///
/// # Errors
/// When the query fails.
pub async fn newest_scheduled_time(db: &impl ConnectionTrait, job: JobId) -> Result<Option<DateTime<Utc>>, DbErr> {
    let select = run::Entity::find().select_only().column(run::Column::ScheduledFor);
    select
        .filter(run::Column::JobId.eq(job))
        .filter(run::Column::ScheduledFor.is_not_null())
        .order_by_desc(run::Column::ScheduledFor)
        .limit(1)
        .into_tuple()
        .one(db)
        .await
}

/// The runs of a job, newest first, with numbers below `below`.
///
/// # Errors
/// When the query fails.
pub async fn list_by_job(
    db: &impl ConnectionTrait,
    job: JobId,
    below: Option<i64>,
    limit: u64,
) -> Result<Vec<run::Model>, DbErr> {
    let mut select = run::Entity::find().filter(run::Column::JobId.eq(job));
    if let Some(below) = below {
        select = select.filter(run::Column::Number.lt(below));
    }
    select.order_by_desc(run::Column::Number).limit(limit).all(db).await
}

/// Conditions on the runs of a job; a field that is `None` matches all.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunFilter {
    /// Only those with a smaller number.
    pub below: Option<i64>,
    pub state: Option<RunState>,
    pub trigger: Option<run::Trigger>,
}

/// The runs of a job that fulfil some conditions, newest first.
///
/// # Errors
/// When the query fails.
pub async fn list_filtered(
    db: &impl ConnectionTrait,
    job: JobId,
    filter: RunFilter,
    limit: u64,
) -> Result<Vec<run::Model>, DbErr> {
    let RunFilter { below, state, trigger } = filter;
    let conditions = Condition::all()
        .add(run::Column::JobId.eq(job))
        .add_option(below.map(|below| run::Column::Number.lt(below)))
        .add_option(state.map(|state| run::Column::State.eq(state)))
        .add_option(trigger.map(|trigger| run::Column::Trigger.eq(trigger)));
    run::Entity::find().filter(conditions).order_by_desc(run::Column::Number).limit(limit).all(db).await
}

/// The first run of a job with a number above `above`.
///
/// # Errors
/// When the query fails.
pub async fn next_of_job(db: &impl ConnectionTrait, job: JobId, above: i64) -> Result<Option<run::Model>, DbErr> {
    let wanted = Condition::all().add(run::Column::JobId.eq(job)).add(run::Column::Number.gt(above));
    run::Entity::find().filter(wanted).order_by_asc(run::Column::Number).one(db).await
}

/// The newest runs of each job of these environments, newest first.
///
/// # Errors
/// When the query fails.
pub async fn list_newest_of_environments(
    db: &impl ConnectionTrait,
    environments: &[EnvironmentId],
    each: u32,
) -> Result<Vec<run::Model>, DbErr> {
    if environments.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Binds::new(
        db.get_database_backend(),
        "SELECT run.* FROM job JOIN run ON run.job_id = job.id AND run.number >= COALESCE((SELECT o.number FROM run o \
         WHERE o.job_id = job.id ORDER BY o.number DESC LIMIT 1 OFFSET ",
    );
    sql.value(i64::from(each.saturating_sub(1)), "bigint").sql("), 0) WHERE job.environment_id IN (");
    for (place, id) in environments.iter().enumerate() {
        sql.sql(if place == 0 { "" } else { ", " }).value(*id, "uuid");
    }
    sql.sql(") ORDER BY run.number DESC LIMIT ").value(i64::try_from(MOST).unwrap_or(i64::MAX), "bigint");
    run::Entity::find().from_raw_sql(sql.statement()).all(db).await
}

/// The newest runs of a job that failed after `since`.
///
/// # Errors
/// When the query fails.
pub async fn list_failed(
    db: &impl ConnectionTrait,
    job: JobId,
    since: Option<DateTime<Utc>>,
    limit: u64,
) -> Result<Vec<run::Model>, DbErr> {
    let mut select =
        run::Entity::find().filter(run::Column::JobId.eq(job)).filter(run::Column::State.eq(RunState::Failed));
    if let Some(since) = since {
        select = select.filter(run::Column::FinishedAt.gt(since));
    }
    select.order_by_desc(run::Column::Number).limit(limit).all(db).await
}
