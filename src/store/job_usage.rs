//! The jobs that use a registry, a git token or a group.

use std::collections::HashMap;

use entity::id::{GitTokenId, GroupId, ProjectId, RegistryId};
use entity::{environment, job, job_group, project};
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::page::PAGE;

/// A resource of an organization that jobs can use.
#[derive(Clone, Copy, Debug)]
pub enum SharedResource {
    Registry(RegistryId),
    GitToken(GitTokenId),
    Group(GroupId),
}

/// A job with its environment and project.
pub type LocatedJob = (job::Model, environment::Model, project::Model);

/// The jobs that use a resource.
///
/// # Errors
/// When the query fails.
pub async fn jobs_using(db: &impl ConnectionTrait, what: SharedResource) -> Result<Vec<LocatedJob>, DbErr> {
    let select = job::Entity::find();
    let select = match what {
        SharedResource::Registry(id) => select.filter(job::Column::RegistryId.eq(id)),
        SharedResource::GitToken(id) => select.filter(job::Column::GitTokenId.eq(id)),
        SharedResource::Group(id) => {
            let jobs = Query::select()
                .column(job_group::Column::JobId)
                .from(job_group::Entity)
                .and_where(job_group::Column::GroupId.eq(id))
                .to_owned();
            select.filter(job::Column::Id.in_subquery(jobs))
        }
    };
    let jobs = select.order_by_asc(job::Column::Id).limit(PAGE).all(db).await?;
    locate(db, jobs).await
}

/// Adds its environment and project to each job.
///
/// # Errors
/// When a query fails.
pub async fn locate(db: &impl ConnectionTrait, jobs: Vec<job::Model>) -> Result<Vec<LocatedJob>, DbErr> {
    let ids: std::collections::HashSet<_> = jobs.iter().map(|job| job.environment_id).collect();
    let environments: HashMap<_, _> = environment::Entity::find()
        .filter(environment::Column::Id.is_in(ids))
        .all(db)
        .await?
        .into_iter()
        .map(|row| (row.id, row))
        .collect();
    let ids: std::collections::HashSet<ProjectId> = environments.values().map(|row| row.project_id).collect();
    let projects: HashMap<_, _> = project::Entity::find()
        .filter(project::Column::Id.is_in(ids))
        .all(db)
        .await?
        .into_iter()
        .map(|row| (row.id, row))
        .collect();
    let located = jobs.into_iter().filter_map(|job| {
        let environment = environments.get(&job.environment_id)?.clone();
        let project = projects.get(&environment.project_id)?.clone();
        Some((job, environment, project))
    });
    Ok(located.collect())
}
