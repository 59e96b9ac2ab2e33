//! Reads and writes one row of any table, without side effects.

use sea_orm::{ActiveModelTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, ModelTrait, PrimaryKeyTrait};

type Active<M> = <<M as ModelTrait>::Entity as EntityTrait>::ActiveModel;
type Key<M> = <<<M as ModelTrait>::Entity as EntityTrait>::PrimaryKey as PrimaryKeyTrait>::ValueType;

/// One row.
///
/// # Errors
/// When the query fails.
pub async fn by_id<M>(db: &impl ConnectionTrait, id: impl Into<Key<M>>) -> Result<Option<M>, DbErr>
where
    M: ModelTrait + sea_orm::FromQueryResult,
    M::Entity: EntityTrait<Model = M>,
{
    M::Entity::find_by_id(id).one(db).await
}

/// Stores a new row.
///
/// # Errors
/// A constraint violation.
pub async fn create<M>(db: &impl ConnectionTrait, row: M) -> Result<M, DbErr>
where
    M: ModelTrait + IntoActiveModel<Active<M>>,
    M::Entity: EntityTrait<Model = M>,
    Active<M>: ActiveModelTrait<Entity = M::Entity> + sea_orm::ActiveModelBehavior + Send,
{
    row.into_active_model().reset_all().insert(db).await
}

/// Replaces a row.
///
/// # Errors
/// A constraint violation; `RecordNotUpdated` when the row no longer exists.
pub async fn update<M>(db: &impl ConnectionTrait, row: M) -> Result<M, DbErr>
where
    M: ModelTrait + IntoActiveModel<Active<M>>,
    M::Entity: EntityTrait<Model = M>,
    Active<M>: ActiveModelTrait<Entity = M::Entity> + sea_orm::ActiveModelBehavior + Send,
{
    row.into_active_model().reset_all().update(db).await
}

/// Deletes a row. Returns false if it no longer exists.
///
/// # Errors
/// A foreign key violation when another row refers to it.
pub async fn delete<M>(db: &impl ConnectionTrait, id: impl Into<Key<M>> + Send) -> Result<bool, DbErr>
where
    M: ModelTrait,
    M::Entity: EntityTrait<Model = M>,
{
    Ok(M::Entity::delete_by_id(id).exec(db).await?.rows_affected > 0)
}
