//! Tags of workspaces.

use entity::id::{OrganizationId, TagId, WorkspaceId};
use entity::{tag, workspace_tag};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, JoinType, QueryFilter,
    QueryOrder, QuerySelect,
};

use crate::store::page::PAGE;

/// The names of the tags of these workspaces, by name.
///
/// # Errors
/// When the query fails.
pub async fn tag_names(db: &impl ConnectionTrait, ids: Vec<WorkspaceId>) -> Result<Vec<(WorkspaceId, String)>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let tags = workspace_tag::Entity::belongs_to(tag::Entity).from(workspace_tag::Column::TagId).to(tag::Column::Id);
    workspace_tag::Entity::find()
        .join(JoinType::InnerJoin, tags.into())
        .select_only()
        .column(workspace_tag::Column::WorkspaceId)
        .column(tag::Column::Name)
        .filter(workspace_tag::Column::WorkspaceId.is_in(ids))
        .order_by_asc(tag::Column::Name)
        .limit(100 * PAGE)
        .into_tuple()
        .all(db)
        .await
}

/// The tag of this name in an organization.
///
/// # Errors
/// When the query fails.
pub async fn tag_by_name(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    name: &str,
) -> Result<Option<TagId>, DbErr> {
    let of = Condition::all().add(tag::Column::OrganizationId.eq(organization)).add(tag::Column::Name.eq(name));
    tag::Entity::find().select_only().column(tag::Column::Id).filter(of).into_tuple().one(db).await
}

/// Stores a tag, unless another request has stored one of this name at the same time. Returns the id of the one that is stored.
///
/// # Errors
/// When a statement fails.
pub async fn keep_tag(tx: &impl ConnectionTrait, row: tag::Model) -> Result<TagId, DbErr> {
    let (id, organization, name) = (row.id, row.organization_id, row.name.clone());
    let taken = OnConflict::columns([tag::Column::OrganizationId, tag::Column::Name]).do_nothing().to_owned();
    let insert = tag::Entity::insert(tag::ActiveModel::from(row).reset_all()).on_conflict(taken);
    match insert.exec_without_returning(tx).await {
        Ok(_) | Err(DbErr::RecordNotInserted) => {}
        Err(error) => return Err(error),
    }
    Ok(tag_by_name(tx, organization, &name).await?.unwrap_or(id))
}

/// Takes a tag off a workspace.
///
/// # Errors
/// When the statement fails.
pub async fn remove_tag(tx: &impl ConnectionTrait, workspace: WorkspaceId, tag: TagId) -> Result<bool, DbErr> {
    let these = Condition::all()
        .add(workspace_tag::Column::WorkspaceId.eq(workspace))
        .add(workspace_tag::Column::TagId.eq(tag));
    workspace_tag::Entity::delete_many().filter(these).exec(tx).await.map(|done| done.rows_affected > 0)
}
