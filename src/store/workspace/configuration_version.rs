//! Uploaded configurations of workspaces, and their pieces.

use chrono::{DateTime, Utc};
use entity::configuration_piece;
use entity::configuration_version::{self, ConfigurationStatus};
use entity::id::{ConfigurationVersionId, WorkspaceId};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// The newest configuration of a workspace whose files are there and may be applied.
///
/// # Errors
/// When the query fails.
pub async fn newest_configuration(
    db: &impl ConnectionTrait,
    id: WorkspaceId,
) -> Result<Option<configuration_version::Model>, DbErr> {
    configuration_version::Entity::find()
        .filter(configuration_version::Column::WorkspaceId.eq(id))
        .filter(configuration_version::Column::Status.eq(ConfigurationStatus::Uploaded))
        .filter(configuration_version::Column::Speculative.eq(false))
        .order_by_desc(configuration_version::Column::CreatedAt)
        .one(db)
        .await
}

/// Records that the files of a configuration are there. Returns false if it does not wait for them any more.
///
/// # Errors
/// When the statement fails.
pub async fn set_uploaded(
    tx: &impl ConnectionTrait,
    id: ConfigurationVersionId,
    (bytes, pieces): (i64, i32),
) -> Result<bool, DbErr> {
    let row = configuration_version::ActiveModel {
        status: ActiveValue::Set(ConfigurationStatus::Uploaded),
        error: ActiveValue::Set(None),
        bytes: ActiveValue::Set(bytes),
        pieces: ActiveValue::Set(pieces),
        ..Default::default()
    };
    turn(tx, id, row).await
}

/// Records why an upload was refused. Returns false if the files are there.
///
/// # Errors
/// When the statement fails.
pub async fn set_refused(tx: &impl ConnectionTrait, id: ConfigurationVersionId, reason: &str) -> Result<bool, DbErr> {
    let row = configuration_version::ActiveModel {
        status: ActiveValue::Set(ConfigurationStatus::Errored),
        error: ActiveValue::Set(Some(reason.to_owned())),
        ..Default::default()
    };
    turn(tx, id, row).await
}

async fn turn(
    tx: &impl ConnectionTrait,
    id: ConfigurationVersionId,
    row: configuration_version::ActiveModel,
) -> Result<bool, DbErr> {
    let changed = configuration_version::Entity::update_many()
        .set(row)
        .filter(configuration_version::Column::Id.eq(id))
        .filter(configuration_version::Column::Status.ne(ConfigurationStatus::Uploaded))
        .exec(tx)
        .await?;
    Ok(changed.rows_affected == 1)
}

/// Deletes the pieces of an upload that did not end.
///
/// # Errors
/// When the statement fails.
pub async fn delete_configuration_pieces(tx: &impl ConnectionTrait, id: ConfigurationVersionId) -> Result<(), DbErr> {
    let these = configuration_piece::Column::ConfigurationVersionId.eq(id);
    configuration_piece::Entity::delete_many().filter(these).exec(tx).await.map(|_| ())
}

/// Deletes configurations that were created before `before` and that no open job needs, with their files. Returns their number.
///
/// # Errors
/// When a statement fails.
pub async fn delete_some_configurations(
    tx: &impl ConnectionTrait,
    before: DateTime<Utc>,
    limit: u64,
) -> Result<u64, DbErr> {
    const UNUSED: &str = "NOT EXISTS (SELECT 1 FROM workspace_job j \
         WHERE j.configuration_version_id = configuration_version.id \
         AND j.status IN ('pending', 'queue', 'running', 'waitingApproval', 'approved'))";
    let ids: Vec<ConfigurationVersionId> = configuration_version::Entity::find()
        .select_only()
        .column(configuration_version::Column::Id)
        .filter(configuration_version::Column::CreatedAt.lt(before))
        .filter(Expr::cust(UNUSED))
        .order_by_asc(configuration_version::Column::CreatedAt)
        .limit(limit)
        .into_tuple()
        .all(tx)
        .await?;
    if ids.is_empty() {
        return Ok(0);
    }
    let these = configuration_version::Column::Id.is_in(ids);
    Ok(configuration_version::Entity::delete_many().filter(these).exec(tx).await?.rows_affected)
}
