//! Variables of workspaces.

use entity::id::{OrganizationId, WorkspaceId};
use entity::terraform_variable;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder};

/// The variables of all workspaces, followed by those of one workspace, which take precedence.
///
/// # Errors
/// When the query fails.
pub async fn variables(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    workspace: WorkspaceId,
) -> Result<Vec<terraform_variable::Model>, DbErr> {
    let of = Condition::any()
        .add(terraform_variable::Column::WorkspaceId.eq(workspace))
        .add(terraform_variable::Column::WorkspaceId.is_null());
    let mut rows = terraform_variable::Entity::find()
        .filter(terraform_variable::Column::OrganizationId.eq(organization))
        .filter(of)
        .order_by_asc(terraform_variable::Column::Id)
        .all(db)
        .await?;
    rows.sort_by_key(|row| row.workspace_id.is_some());
    Ok(rows)
}

/// The variables of all workspaces of an organization, by key.
///
/// # Errors
/// When the query fails.
pub async fn list_global_variables(
    db: &impl ConnectionTrait,
    id: OrganizationId,
) -> Result<Vec<terraform_variable::Model>, DbErr> {
    terraform_variable::Entity::find()
        .filter(terraform_variable::Column::OrganizationId.eq(id))
        .filter(terraform_variable::Column::WorkspaceId.is_null())
        .order_by_asc(terraform_variable::Column::Key)
        .all(db)
        .await
}
