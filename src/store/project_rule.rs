//! Deployment rules of projects.

use entity::id::{ProjectId, ProjectRuleId};
use entity::project_rule;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// The maximum number of rules in a project.
pub const MOST: u64 = 100;

/// The rules of a project, in their order.
///
/// # Errors
/// When the query fails.
pub async fn list_by_project(db: &impl ConnectionTrait, id: ProjectId) -> Result<Vec<project_rule::Model>, DbErr> {
    project_rule::Entity::find()
        .filter(project_rule::Column::ProjectId.eq(id))
        .order_by_asc(project_rule::Column::Position)
        .order_by_asc(project_rule::Column::Id)
        .limit(MOST)
        .all(db)
        .await
}

/// Sets the position of a rule in its project.
///
/// # Errors
/// When the statement fails.
pub async fn set_position(db: &impl ConnectionTrait, id: ProjectRuleId, position: i32) -> Result<(), DbErr> {
    project_rule::Entity::update_many()
        .col_expr(project_rule::Column::Position, Expr::value(position))
        .filter(project_rule::Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(())
}
