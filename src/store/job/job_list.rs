//! Rows of jobs, by id and by location. Lists contain no checks, which run elsewhere and are never deployed.

use entity::id::{ClusterId, EnvironmentId, JobId, OrganizationId, ProjectId};
use entity::job;
use entity::job_spec::JobType;
use sea_orm::sea_query::SimpleExpr;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::cursor::{Cursor, behind};
use crate::store::page::PAGE;

/// The condition that a job is none that runs elsewhere.
fn no_check() -> SimpleExpr {
    job::Column::JobType.ne(JobType::Check)
}

/// One job.
///
/// # Errors
/// When the query fails.
pub async fn by_id(db: &impl ConnectionTrait, id: JobId) -> Result<Option<job::Model>, DbErr> {
    job::Entity::find_by_id(id).one(db).await
}

/// The jobs with these ids.
///
/// # Errors
/// When the query fails.
pub async fn list_by_ids(db: &impl ConnectionTrait, ids: Vec<JobId>) -> Result<Vec<job::Model>, DbErr> {
    job::Entity::find().filter(job::Column::Id.is_in(ids)).all(db).await
}

/// A page of the jobs of an environment after `after`, sorted by creation.
///
/// # Errors
/// When the query fails.
pub async fn list_by_environment(
    db: &impl ConnectionTrait,
    environment: EnvironmentId,
    after: Option<Cursor>,
    limit: u64,
) -> Result<Vec<job::Model>, DbErr> {
    let mut select = job::Entity::find().filter(job::Column::EnvironmentId.eq(environment)).filter(no_check());
    if let Some(after) = after {
        select = select.filter(behind(after));
    }
    select.order_by_asc(job::Column::CreatedAt).order_by_asc(job::Column::Id).limit(limit).all(db).await
}

/// A page of the jobs of an organization after `after`, optionally of one project, environment or cluster.
///
/// # Errors
/// When the query fails.
pub async fn list_by_organization(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    (project, environment, cluster): (Option<ProjectId>, Option<EnvironmentId>, Option<ClusterId>),
    after: Option<Cursor>,
) -> Result<Vec<job::Model>, DbErr> {
    use entity::environment;
    use sea_orm::sea_query::Query;
    let mut select = job::Entity::find().filter(job::Column::OrganizationId.eq(organization)).filter(no_check());
    if let Some(id) = environment {
        select = select.filter(job::Column::EnvironmentId.eq(id));
    }
    if project.is_some() || cluster.is_some() {
        let mut environments = Query::select();
        environments.column(environment::Column::Id).from(environment::Entity);
        if let Some(id) = project {
            environments.and_where(environment::Column::ProjectId.eq(id));
        }
        if let Some(id) = cluster {
            environments.and_where(environment::Column::ClusterId.eq(id));
        }
        select = select.filter(job::Column::EnvironmentId.in_subquery(environments.to_owned()));
    }
    if let Some(after) = after {
        select = select.filter(behind(after));
    }
    select.order_by_asc(job::Column::CreatedAt).order_by_asc(job::Column::Id).limit(PAGE).all(db).await
}

/// The jobs of several environments, oldest first.
///
/// # Errors
/// When the query fails.
pub async fn list_by_environments(
    db: &impl ConnectionTrait,
    environments: Vec<EnvironmentId>,
) -> Result<Vec<job::Model>, DbErr> {
    job::Entity::find()
        .filter(job::Column::EnvironmentId.is_in(environments))
        .filter(no_check())
        .order_by_asc(job::Column::CreatedAt)
        .order_by_asc(job::Column::Id)
        .limit(100 * PAGE)
        .all(db)
        .await
}

/// Whether any job of an environment is deployed.
///
/// # Errors
/// When the query fails.
pub async fn any_deployed(db: &impl ConnectionTrait, id: EnvironmentId) -> Result<bool, DbErr> {
    let deployed = Condition::any().add(job::Column::Deployed.is_not_null()).add(job::Column::Applied.is_not_null());
    let found = job::Entity::find()
        .select_only()
        .column(job::Column::Id)
        .filter(job::Column::EnvironmentId.eq(id))
        .filter(no_check())
        .filter(deployed)
        .into_tuple::<JobId>()
        .one(db)
        .await?;
    Ok(found.is_some())
}

/// Counts the jobs of each environment of an organization; environments without jobs are not in the map.
///
/// # Errors
/// When the query fails.
pub async fn count_by_environment(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
) -> Result<std::collections::HashMap<EnvironmentId, i64>, DbErr> {
    let rows: Vec<(EnvironmentId, i64)> = job::Entity::find()
        .select_only()
        .column(job::Column::EnvironmentId)
        .column_as(job::Column::Id.count(), "jobs")
        .filter(job::Column::OrganizationId.eq(organization))
        .filter(no_check())
        .group_by(job::Column::EnvironmentId)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}
