//! Lists of the parts of deployments.

use std::collections::HashMap;

use entity::deployment::Progress;
use entity::id::{DeploymentId, EnvironmentId, JobId};
use entity::{deployment, deployment_job};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::store::binds::Binds;
use crate::store::page::PAGE;

/// The part of a job, with its deployment.
pub type Part = (deployment_job::Model, deployment::Model);

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

/// Whether another deployment than this one was ever started for a job.
///
/// # Errors
/// When the query fails.
pub async fn was_started(db: &impl ConnectionTrait, id: JobId, but: DeploymentId) -> Result<bool, DbErr> {
    let found = deployment_job::Entity::find()
        .filter(deployment_job::Column::JobId.eq(id))
        .filter(deployment_job::Column::DeploymentId.ne(but))
        .filter(deployment_job::Column::ForcedEvent.is_null())
        .filter(deployment_job::Column::StartedAt.is_not_null())
        .one(db)
        .await?;
    Ok(found.is_some())
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
    if deployments.is_empty() {
        return Ok(HashMap::new());
    }
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

/// The parts of these jobs in these deployments.
///
/// # Errors
/// When the query fails.
pub async fn list_parts_by_keys(
    db: &impl ConnectionTrait,
    keys: &HashMap<JobId, DeploymentId>,
) -> Result<HashMap<JobId, Part>, DbErr> {
    let deployments: std::collections::HashSet<DeploymentId> = keys.values().copied().collect();
    if deployments.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = deployment_job::Entity::find()
        .find_also_related(deployment::Entity)
        .filter(deployment_job::Column::JobId.is_in(keys.keys().copied()))
        .filter(deployment_job::Column::DeploymentId.is_in(deployments))
        .all(db)
        .await?;
    let parts = rows.into_iter().filter_map(|(part, of)| Some((part, of?)));
    let wanted = |(part, _): &Part| keys.get(&part.job_id) == Some(&part.deployment_id);
    Ok(parts.filter(wanted).map(|(part, of)| (part.job_id, (part, of))).collect())
}

/// The newest parts of these jobs that no event was forced in.
///
/// # Errors
/// When a query fails.
pub async fn newest_unforced_parts(db: &impl ConnectionTrait, jobs: &[JobId]) -> Result<HashMap<JobId, Part>, DbErr> {
    if jobs.is_empty() {
        return Ok(HashMap::new());
    }
    let mut sql = Binds::new(
        db.get_database_backend(),
        "SELECT p.job_id, p.deployment_id FROM job j JOIN deployment_job p ON p.job_id = j.id AND p.deployment_id = \
         (SELECT q.deployment_id FROM deployment_job q WHERE q.job_id = j.id AND q.forced_event IS NULL \
         ORDER BY q.deployment_id DESC LIMIT 1) WHERE j.id ",
    );
    for (number, id) in jobs.iter().enumerate() {
        sql.sql(if number == 0 { "IN (" } else { ", " }).value(id.0, "uuid");
    }
    sql.sql(")");
    let rows = db.query_all_raw(sql.statement()).await?;
    let keys: Result<HashMap<JobId, DeploymentId>, DbErr> =
        rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect();
    list_parts_by_keys(db, &keys?).await
}

/// Ids sort by creation. One row of an index is read for each job, however many older parts it has.
async fn newest_ids(db: &impl ConnectionTrait, id: EnvironmentId) -> Result<Vec<(JobId, DeploymentId)>, DbErr> {
    let sql = "SELECT p.job_id, p.deployment_id FROM job j JOIN deployment_job p ON p.job_id = j.id AND p.deployment_id = \
         (SELECT q.deployment_id FROM deployment_job q WHERE q.job_id = j.id ORDER BY q.deployment_id DESC LIMIT 1) \
         WHERE j.environment_id = $1";
    let statement = sea_orm::Statement::from_sql_and_values(db.get_database_backend(), sql, vec![id.into()]);
    let rows = db.query_all_raw(statement).await?;
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
}

/// The newest parts of a job.
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

/// The queued parts of a job, oldest first.
///
/// # Errors
/// When the query fails.
pub async fn list_queued_parts(db: &impl ConnectionTrait, id: JobId) -> Result<Vec<Part>, DbErr> {
    let found = deployment_job::Entity::find()
        .find_also_related(deployment::Entity)
        .filter(deployment_job::Column::JobId.eq(id))
        .filter(deployment::Column::Progress.eq(Progress::Queued))
        .order_by_asc(deployment_job::Column::DeploymentId)
        .limit(PAGE)
        .all(db)
        .await?;
    Ok(found.into_iter().filter_map(|(part, of)| Some((part, of?))).collect())
}

/// Counts the open deployments that a job takes part in.
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
