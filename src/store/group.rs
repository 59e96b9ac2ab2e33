//! Groups of annotations and labels, and the jobs that use them.

use std::collections::HashMap;

use entity::id::{GroupId, JobId, OrganizationId};
use entity::metadata_group::GroupKind;
use entity::{job_group, metadata_group};
use sea_orm::sea_query::Query;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::page::PAGE;

/// The groups of one kind.
///
/// # Errors
/// When the query fails.
pub async fn list(
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

/// The groups with these ids.
///
/// # Errors
/// When the query fails.
pub async fn by_ids(db: &impl ConnectionTrait, ids: Vec<GroupId>) -> Result<Vec<metadata_group::Model>, DbErr> {
    metadata_group::Entity::find().filter(metadata_group::Column::Id.is_in(ids)).limit(PAGE).all(db).await
}

/// Sets the groups of a job.
///
/// # Errors
/// A foreign key violation when a group no longer exists.
pub async fn set_of_job(db: &impl ConnectionTrait, job: JobId, groups: &[GroupId]) -> Result<(), DbErr> {
    job_group::Entity::delete_many().filter(job_group::Column::JobId.eq(job)).exec(db).await?;
    add_to_job(db, job, groups).await
}

/// Adds groups to a job that has none of them.
///
/// # Errors
/// A foreign key violation when a group no longer exists.
pub async fn add_to_job(db: &impl ConnectionTrait, job: JobId, groups: &[GroupId]) -> Result<(), DbErr> {
    let rows: Vec<_> = groups
        .iter()
        .map(|group| job_group::Model { job_id: job, group_id: *group }.into_active_model().reset_all())
        .collect();
    if !rows.is_empty() {
        job_group::Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Counts the jobs that use each group of an organization; unused ones are not in the map.
///
/// # Errors
/// When the query fails.
pub async fn count_jobs(
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
