//! Reads and writes one row of any table, without side effects.

use sea_orm::sea_query::{LockType, SimpleExpr};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, ModelTrait, PrimaryKeyTrait,
    QueryFilter, QuerySelect,
};
use uuid::Uuid;

type Active<M> = <<M as ModelTrait>::Entity as EntityTrait>::ActiveModel;
/// The primary key of a table.
pub type Key<M> = <<<M as ModelTrait>::Entity as EntityTrait>::PrimaryKey as PrimaryKeyTrait>::ValueType;

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

/// One row, locked until the transaction ends. What a change does not name is taken from it: a row that was read before the transaction
/// may be another one by now.
///
/// # Errors
/// When the query fails.
pub async fn lock<M>(tx: &impl ConnectionTrait, id: impl Into<Key<M>>) -> Result<Option<M>, DbErr>
where
    M: ModelTrait + sea_orm::FromQueryResult,
    M::Entity: EntityTrait<Model = M>,
{
    M::Entity::find_by_id(id).lock(LockType::Update).one(tx).await
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

/// Replaces a row, which was read in the same transaction.
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

/// Changes a row, which stays locked until the transaction ends. What `edit` does not name stays as it is stored then, and not as it was
/// when the caller read it. `refused` says what it means if the row cannot be stored. Returns the row before and after the change;
/// none if it no longer exists.
///
/// # Errors
/// Those of `edit` and `refused`, and when a statement fails.
pub async fn change<M, E>(
    tx: &impl ConnectionTrait,
    id: impl Into<Key<M>>,
    edit: impl FnOnce(M) -> Result<M, E>,
    refused: impl FnOnce(DbErr) -> E,
) -> Result<Option<(M, M)>, E>
where
    M: ModelTrait + sea_orm::FromQueryResult + IntoActiveModel<Active<M>>,
    M::Entity: EntityTrait<Model = M>,
    Active<M>: ActiveModelTrait<Entity = M::Entity> + sea_orm::ActiveModelBehavior + Send,
    E: From<DbErr>,
{
    let Some(before) = lock::<M>(tx, id).await? else { return Ok(None) };
    let after = edit(before.clone())?;
    let after = update(tx, after).await.map_err(refused)?;
    Ok(Some((before, after)))
}

/// Changes the row `old` as [`change`] does; without one, stores a new row, which is what `edit` makes of `empty`. Returns the row; none
/// if `old` no longer exists.
///
/// # Errors
/// The same.
pub async fn save<M, E>(
    tx: &impl ConnectionTrait,
    (old, empty): (Option<impl Into<Key<M>>>, M),
    edit: impl FnOnce(M) -> Result<M, E>,
    refused: impl FnOnce(DbErr) -> E,
) -> Result<Option<M>, E>
where
    M: ModelTrait + sea_orm::FromQueryResult + IntoActiveModel<Active<M>>,
    M::Entity: EntityTrait<Model = M>,
    Active<M>: ActiveModelTrait<Entity = M::Entity> + sea_orm::ActiveModelBehavior + Send,
    E: From<DbErr>,
{
    match old {
        Some(id) => Ok(change(tx, id, edit, refused).await?.map(|(_, after)| after)),
        None => create(tx, edit(empty)?).await.map(Some).map_err(refused),
    }
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

/// Deletes at most `limit` rows, by the column with their ids. Returns how many.
///
/// # Errors
/// When a statement fails.
pub async fn delete_some<E: EntityTrait>(
    tx: &impl ConnectionTrait,
    id: E::Column,
    which: SimpleExpr,
    limit: u64,
) -> Result<u64, DbErr> {
    let ids: Vec<Uuid> = E::find().select_only().column(id).filter(which).limit(limit).into_tuple().all(tx).await?;
    if ids.is_empty() {
        return Ok(0);
    }
    Ok(E::delete_many().filter(id.is_in(ids)).exec(tx).await?.rows_affected)
}
