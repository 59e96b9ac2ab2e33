//! What an organization keeps for its jobs: groups of annotations and labels, git tokens, custom roles, webhooks,
//! invitations; and what uses each.

use std::collections::HashMap;

use entity::id::{CustomRoleId, GitTokenId, GroupId, JobId, OrganizationId, ProjectId, RegistryId};
use entity::metadata_group::GroupKind;
use entity::{
    custom_role, deployment_restriction, environment, git_token, invitation, job, job_group, metadata_group, project,
    webhook,
};
use sea_orm::sea_query::Query;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::PAGE;

/// The groups of one kind.
///
/// # Errors
/// When the query fails.
pub async fn list_groups(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    kind: GroupKind,
) -> Result<Vec<metadata_group::Model>, DbErr> {
    metadata_group::Entity::find()
        .filter(metadata_group::Column::OrganizationId.eq(organization))
        .filter(metadata_group::Column::Kind.eq(kind))
        .order_by_asc(metadata_group::Column::Id)
        .limit(PAGE)
        .all(db)
        .await
}

/// Those of `ids` that are there.
///
/// # Errors
/// When the query fails.
pub async fn groups_by_ids(db: &impl ConnectionTrait, ids: Vec<GroupId>) -> Result<Vec<metadata_group::Model>, DbErr> {
    metadata_group::Entity::find().filter(metadata_group::Column::Id.is_in(ids)).limit(PAGE).all(db).await
}

/// Notes which groups a job has.
///
/// # Errors
/// A broken foreign key when a group is gone.
pub async fn set_job_groups(db: &impl ConnectionTrait, job: JobId, groups: &[GroupId]) -> Result<(), DbErr> {
    job_group::Entity::delete_many().filter(job_group::Column::JobId.eq(job)).exec(db).await?;
    let rows: Vec<_> = groups
        .iter()
        .map(|group| job_group::Model { job_id: job, group_id: *group }.into_active_model().reset_all())
        .collect();
    if !rows.is_empty() {
        job_group::Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    Ok(())
}

/// How many jobs have each group of an organization; unused ones are not in the map.
///
/// # Errors
/// When the query fails.
pub async fn count_group_jobs(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
) -> Result<HashMap<GroupId, i64>, DbErr> {
    let groups = Query::select()
        .column(metadata_group::Column::Id)
        .from(metadata_group::Entity)
        .and_where(metadata_group::Column::OrganizationId.eq(organization))
        .to_owned();
    let rows: Vec<(GroupId, i64)> = job_group::Entity::find()
        .select_only()
        .column(job_group::Column::GroupId)
        .column_as(job_group::Column::JobId.count(), "jobs")
        .filter(job_group::Column::GroupId.in_subquery(groups))
        .group_by(job_group::Column::GroupId)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

/// The git tokens of an organization.
///
/// # Errors
/// When the query fails.
pub async fn list_git_tokens(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Vec<git_token::Model>, DbErr> {
    git_token::Entity::find()
        .filter(git_token::Column::OrganizationId.eq(id))
        .order_by_asc(git_token::Column::Id)
        .limit(PAGE)
        .all(db)
        .await
}

/// How many jobs use each git token of an organization.
///
/// # Errors
/// When the query fails.
pub async fn count_git_token_jobs(
    db: &impl ConnectionTrait,
    id: OrganizationId,
) -> Result<HashMap<GitTokenId, i64>, DbErr> {
    let rows: Vec<(GitTokenId, i64)> = job::Entity::find()
        .select_only()
        .column(job::Column::GitTokenId)
        .column_as(job::Column::Id.count(), "jobs")
        .filter(job::Column::OrganizationId.eq(id))
        .filter(job::Column::GitTokenId.is_not_null())
        .group_by(job::Column::GitTokenId)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

/// The custom roles of an organization.
///
/// # Errors
/// When the query fails.
pub async fn list_custom_roles(
    db: &impl ConnectionTrait,
    id: OrganizationId,
) -> Result<Vec<custom_role::Model>, DbErr> {
    custom_role::Entity::find()
        .filter(custom_role::Column::OrganizationId.eq(id))
        .order_by_asc(custom_role::Column::Id)
        .limit(PAGE)
        .all(db)
        .await
}

/// Those of `ids` that are there.
///
/// # Errors
/// When the query fails.
pub async fn custom_roles_by_ids(
    db: &impl ConnectionTrait,
    ids: Vec<CustomRoleId>,
) -> Result<Vec<custom_role::Model>, DbErr> {
    custom_role::Entity::find().filter(custom_role::Column::Id.is_in(ids)).all(db).await
}

/// The webhooks of an organization.
///
/// # Errors
/// When the query fails.
pub async fn list_webhooks(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Vec<webhook::Model>, DbErr> {
    webhook::Entity::find()
        .filter(webhook::Column::OrganizationId.eq(id))
        .order_by_asc(webhook::Column::Id)
        .limit(PAGE)
        .all(db)
        .await
}

/// The invitations of an organization.
///
/// # Errors
/// When the query fails.
pub async fn list_invitations(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Vec<invitation::Model>, DbErr> {
    invitation::Entity::find()
        .filter(invitation::Column::OrganizationId.eq(id))
        .order_by_asc(invitation::Column::Id)
        .limit(PAGE)
        .all(db)
        .await
}

/// The deployment restrictions of a job.
///
/// # Errors
/// When the query fails.
pub async fn list_restrictions(
    db: &impl ConnectionTrait,
    id: JobId,
) -> Result<Vec<deployment_restriction::Model>, DbErr> {
    deployment_restriction::Entity::find()
        .filter(deployment_restriction::Column::JobId.eq(id))
        .order_by_asc(deployment_restriction::Column::Id)
        .limit(PAGE)
        .all(db)
        .await
}

/// What jobs are looked for by.
#[derive(Clone, Copy, Debug)]
pub enum Using {
    Registry(RegistryId),
    GitToken(GitTokenId),
    Group(GroupId),
}

/// A job with the environment and the project that it is in.
pub type Located = (job::Model, environment::Model, project::Model);

/// The jobs that use something.
///
/// # Errors
/// When the query fails.
pub async fn jobs_using(db: &impl ConnectionTrait, what: Using) -> Result<Vec<Located>, DbErr> {
    let select = job::Entity::find();
    let select = match what {
        Using::Registry(id) => select.filter(job::Column::RegistryId.eq(id)),
        Using::GitToken(id) => select.filter(job::Column::GitTokenId.eq(id)),
        Using::Group(id) => {
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

/// Adds to each job the environment and the project that it is in.
///
/// # Errors
/// When a query fails.
pub async fn locate(db: &impl ConnectionTrait, jobs: Vec<job::Model>) -> Result<Vec<Located>, DbErr> {
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
