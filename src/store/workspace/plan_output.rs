//! The JSON forms of saved plans.

use entity::id::WorkspaceStepId;
use entity::plan_output;
use sea_orm::{ActiveValue, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};

use crate::store::row;

/// Stores the JSON form of the plan of a step, instead of the one that it had.
///
/// # Errors
/// When a statement fails.
pub async fn keep_plan_output(tx: &impl ConnectionTrait, output: plan_output::Model) -> Result<(), DbErr> {
    row::delete::<plan_output::Model>(tx, output.step_id).await?;
    row::create(tx, output).await.map(|_| ())
}

/// Whether the JSON form of the plan of a step can be rendered.
///
/// # Errors
/// When the query fails.
pub async fn has_plan_output(db: &impl ConnectionTrait, id: WorkspaceStepId) -> Result<bool, DbErr> {
    let found: Option<WorkspaceStepId> = plan_output::Entity::find_by_id(id)
        .select_only()
        .column(plan_output::Column::StepId)
        .filter(plan_output::Column::Schemas.is_not_null())
        .into_tuple()
        .one(db)
        .await?;
    Ok(found.is_some())
}

/// Stores the schemas of the resources of a plan.
///
/// # Errors
/// When the statement fails.
pub async fn set_plan_schemas(db: &impl ConnectionTrait, id: WorkspaceStepId, sealed: Vec<u8>) -> Result<(), DbErr> {
    let change = plan_output::ActiveModel { schemas: ActiveValue::Set(Some(sealed)), ..Default::default() };
    let of_step = plan_output::Column::StepId.eq(id);
    plan_output::Entity::update_many().set(change).filter(of_step).exec(db).await.map(|_| ())
}
