//! Git tokens of an organization.

use std::collections::HashMap;

use entity::id::{GitTokenId, OrganizationId};
use entity::{git_token, job};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::page::PAGE;

/// The git tokens of an organization.
///
/// # Errors
/// When the query fails.
pub async fn list(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Vec<git_token::Model>, DbErr> {
    git_token::Entity::find()
        .filter(git_token::Column::OrganizationId.eq(id))
        .order_by_asc(git_token::Column::Id)
        .limit(PAGE)
        .all(db)
        .await
}

/// Counts the jobs that use each git token of an organization.
///
/// # Errors
/// When the query fails.
pub async fn count_jobs(db: &impl ConnectionTrait, id: OrganizationId) -> Result<HashMap<GitTokenId, i64>, DbErr> {
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
