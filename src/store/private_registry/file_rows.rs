//! Files of the private registry, and their pieces. A file belongs to a version of a module or to a platform of a provider; one without
//! an owner is deleted.

use chrono::{DateTime, Utc};
use entity::id::{ModuleVersionId, OrganizationId, ProviderPlatformId, RegistryFileId};
use entity::{registry_file, registry_piece};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

fn owned() -> Condition {
    Condition::any()
        .add(registry_file::Column::ModuleVersionId.is_not_null())
        .add(registry_file::Column::ProviderPlatformId.is_not_null())
}

fn loose() -> Condition {
    Condition::all()
        .add(registry_file::Column::ModuleVersionId.is_null())
        .add(registry_file::Column::ProviderPlatformId.is_null())
}

/// The size of all files of an organization, except those that are about to be deleted.
///
/// # Errors
/// When the query fails.
pub async fn bytes_of_organization(db: &impl ConnectionTrait, id: OrganizationId) -> Result<i64, DbErr> {
    let sum: Option<i64> = registry_file::Entity::find()
        .select_only()
        .expr(Expr::cust("CAST(COALESCE(SUM(bytes), 0) AS BIGINT)"))
        .filter(registry_file::Column::OrganizationId.eq(id))
        .filter(owned())
        .limit(1)
        .into_tuple()
        .one(db)
        .await?;
    Ok(sum.unwrap_or_default())
}

/// Up to `most` archives of modules of an organization, the oldest first, with their sizes.
///
/// # Errors
/// When the query fails.
pub async fn archives_by_age(
    db: &impl ConnectionTrait,
    id: OrganizationId,
    most: u64,
) -> Result<Vec<(RegistryFileId, i64)>, DbErr> {
    registry_file::Entity::find()
        .select_only()
        .columns([registry_file::Column::Id, registry_file::Column::Bytes])
        .filter(registry_file::Column::OrganizationId.eq(id))
        .filter(registry_file::Column::ModuleVersionId.is_not_null())
        .order_by_asc(registry_file::Column::CreatedAt)
        .limit(most)
        .into_tuple()
        .all(db)
        .await
}

/// The archive of a version of a module.
///
/// # Errors
/// When the query fails.
pub async fn file_of_version(
    db: &impl ConnectionTrait,
    id: ModuleVersionId,
) -> Result<Option<registry_file::Model>, DbErr> {
    registry_file::Entity::find().filter(registry_file::Column::ModuleVersionId.eq(id)).one(db).await
}

/// The archive of a platform of a provider.
///
/// # Errors
/// When the query fails.
pub async fn file_of_platform(
    db: &impl ConnectionTrait,
    id: ProviderPlatformId,
) -> Result<Option<registry_file::Model>, DbErr> {
    registry_file::Entity::find().filter(registry_file::Column::ProviderPlatformId.eq(id)).one(db).await
}

/// Gives a file whose pieces are all there to its owner.
///
/// # Errors
/// A unique violation if the owner has a file already.
pub async fn attach(
    tx: &impl ConnectionTrait,
    id: RegistryFileId,
    (bytes, pieces): (i64, i32),
    owner: (Option<ModuleVersionId>, Option<ProviderPlatformId>),
) -> Result<bool, DbErr> {
    let row = registry_file::ActiveModel {
        module_version_id: ActiveValue::Set(owner.0),
        provider_platform_id: ActiveValue::Set(owner.1),
        bytes: ActiveValue::Set(bytes),
        pieces: ActiveValue::Set(pieces),
        complete: ActiveValue::Set(true),
        ..Default::default()
    };
    let these = registry_file::Entity::update_many().set(row).filter(registry_file::Column::Id.eq(id));
    Ok(these.exec(tx).await?.rows_affected == 1)
}

/// Takes files from their owners, so that they are deleted.
///
/// # Errors
/// When the statement fails.
pub async fn release_files(tx: &impl ConnectionTrait, these: Condition) -> Result<(), DbErr> {
    let row = registry_file::ActiveModel {
        module_version_id: ActiveValue::Set(None),
        provider_platform_id: ActiveValue::Set(None),
        ..Default::default()
    };
    registry_file::Entity::update_many().set(row).filter(these).exec(tx).await.map(|_| ())
}

/// Up to `most` files without an owner: those that lost it, and uploads that began before `before` and did not end.
async fn loose_files(
    db: &impl ConnectionTrait,
    before: DateTime<Utc>,
    most: u64,
) -> Result<Vec<RegistryFileId>, DbErr> {
    let given_up =
        Condition::any().add(registry_file::Column::Complete.eq(true)).add(registry_file::Column::CreatedAt.lt(before));
    registry_file::Entity::find()
        .select_only()
        .column(registry_file::Column::Id)
        .filter(loose())
        .filter(given_up)
        .order_by_asc(registry_file::Column::CreatedAt)
        .limit(most)
        .into_tuple()
        .all(db)
        .await
}

/// Deletes up to `most` pieces of a file. Returns how many.
///
/// # Errors
/// When a statement fails.
pub async fn delete_some_registry_pieces(
    tx: &impl ConnectionTrait,
    id: RegistryFileId,
    most: u64,
) -> Result<u64, DbErr> {
    let numbers: Vec<i32> = registry_piece::Entity::find()
        .select_only()
        .column(registry_piece::Column::Number)
        .filter(registry_piece::Column::FileId.eq(id))
        .order_by_asc(registry_piece::Column::Number)
        .limit(most)
        .into_tuple()
        .all(tx)
        .await?;
    if numbers.is_empty() {
        return Ok(0);
    }
    let these =
        Condition::all().add(registry_piece::Column::FileId.eq(id)).add(registry_piece::Column::Number.is_in(numbers));
    Ok(registry_piece::Entity::delete_many().filter(these).exec(tx).await?.rows_affected)
}

/// Deletes up to `pieces` pieces of files without an owner, and the files that have none left. Returns how many pieces.
///
/// # Errors
/// When a statement fails.
pub async fn delete_some_files(tx: &impl ConnectionTrait, before: DateTime<Utc>, pieces: u64) -> Result<u64, DbErr> {
    let mut left = pieces;
    for id in loose_files(tx, before, 20).await? {
        let gone = delete_some_registry_pieces(tx, id, left).await?;
        left -= gone.min(left);
        if left == 0 {
            break;
        }
        registry_file::Entity::delete_by_id(id).filter(loose()).exec(tx).await?;
    }
    Ok(pieces - left)
}
