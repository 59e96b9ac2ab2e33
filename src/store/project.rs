//! Projects.

use std::collections::HashMap;

use entity::id::{OrganizationId, ProjectId, WorkspaceId};
use entity::{environment, project, workspace};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait as _,
};

use super::page::PAGE;
use super::resource::has_shape;

/// One project.
///
/// # Errors
/// When the query fails.
pub async fn by_id(db: &impl ConnectionTrait, id: ProjectId) -> Result<Option<project::Model>, DbErr> {
    project::Entity::find_by_id(id).one(db).await
}

/// The projects of an organization.
///
/// # Errors
/// When the query fails.
pub async fn list_by_organization(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Vec<project::Model>, DbErr> {
    project::Entity::find()
        .filter(project::Column::OrganizationId.eq(id))
        .order_by_asc(project::Column::Id)
        .limit(PAGE)
        .all(db)
        .await
}

/// Counts the environments of each project of an organization; projects without environments are not in the map.
///
/// # Errors
/// When the query fails.
pub async fn count_environments(
    db: &impl ConnectionTrait,
    id: OrganizationId,
) -> Result<HashMap<ProjectId, i64>, DbErr> {
    let rows: Vec<(ProjectId, i64)> = environment::Entity::find()
        .select_only()
        .column(environment::Column::ProjectId)
        .column_as(environment::Column::Id.count(), "environments")
        .filter(environment::Column::OrganizationId.eq(id))
        .group_by(environment::Column::ProjectId)
        .limit(PAGE)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Counts the environments of a project.
///
/// # Errors
/// When the query fails.
pub async fn count_environments_of(db: &impl ConnectionTrait, id: ProjectId) -> Result<u64, DbErr> {
    environment::Entity::find().filter(environment::Column::ProjectId.eq(id)).count(db).await
}

/// Stores a new project.
///
/// # Errors
/// A unique violation when the name is taken.
pub async fn create(db: &impl ConnectionTrait, row: project::Model) -> Result<project::Model, DbErr> {
    project::ActiveModel::from(row).reset_all().insert(db).await
}

/// Deletes a project.
///
/// # Errors
/// A foreign key violation when it still has environments.
pub async fn delete(db: &impl ConnectionTrait, id: ProjectId) -> Result<(), DbErr> {
    project::Entity::delete_by_id(id).exec(db).await?;
    Ok(())
}

/// Which projects of an organization are searched for.
#[derive(Clone, Debug)]
pub struct ProjectSearch {
    pub organization: OrganizationId,
    /// Those of these workspaces; None for all that there are.
    pub of_workspaces: Option<Vec<WorkspaceId>>,
    /// Those of these names; all of them if there are none.
    pub names: Vec<String>,
    /// A part of the name.
    pub part: Option<String>,
}

/// The projects that match, by name, and how many there are in all.
///
/// # Errors
/// When a query fails.
pub async fn search(
    db: &impl ConnectionTrait,
    wanted: &ProjectSearch,
    (offset, limit): (u64, u64),
) -> Result<(Vec<project::Model>, u64), DbErr> {
    let ProjectSearch { organization, of_workspaces, names, part } = wanted;
    let mut found = project::Entity::find().filter(project::Column::OrganizationId.eq(*organization));
    if let Some(ids) = of_workspaces {
        let seen = workspace::Entity::find()
            .select_only()
            .column(workspace::Column::ProjectId)
            .filter(workspace::Column::OrganizationId.eq(*organization))
            .filter(workspace::Column::Deleted.eq(false))
            .filter(workspace::Column::Id.is_in(ids.iter().copied()));
        found = found.filter(project::Column::Id.in_subquery(seen.into_query()));
    }
    if !names.is_empty() {
        let keys = names.iter().map(|name| entity::name_key(name));
        found = found.filter(project::Column::NameKey.is_in(keys));
    }
    if let Some(part) = part {
        let shape = (part.as_str(), (true, true));
        found = found.filter(has_shape(db.get_database_backend(), "project", "name", shape));
    }
    let count = found.clone().count(db).await?;
    let rows = found.order_by_asc(project::Column::NameKey).offset(offset).limit(limit).all(db).await?;
    Ok((rows, count))
}
