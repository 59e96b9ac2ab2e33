//! Silences.

use chrono::{DateTime, Utc};
use entity::alert::{self, AlertState};
use entity::alert_rule;
use entity::alert_silence::{Column, Entity, Model};
use entity::id::OrganizationId;
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait as _, QueryFilter, QueryOrder, QuerySelect,
};

/// The most silences that a query returns.
const SILENCES: u64 = 1000;

/// The silences of an organization, oldest first.
///
/// # Errors
/// When the query fails.
pub async fn list_silences(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::OrganizationId.eq(id)).order_by_asc(Column::Id).limit(SILENCES).all(db).await
}

/// The number of silences of an organization.
///
/// # Errors
/// When the query fails.
pub async fn count_silences(db: &impl ConnectionTrait, id: OrganizationId) -> Result<u64, DbErr> {
    Entity::find().filter(Column::OrganizationId.eq(id)).count(db).await
}

/// The silences of organizations at a time.
///
/// # Errors
/// When the query fails.
pub async fn list_current_silences(
    db: &impl ConnectionTrait,
    mut organizations: Vec<OrganizationId>,
    now: DateTime<Utc>,
) -> Result<Vec<Model>, DbErr> {
    organizations.sort_unstable();
    organizations.dedup();
    if organizations.is_empty() {
        return Ok(Vec::new());
    }
    Entity::find()
        .filter(Column::OrganizationId.is_in(organizations))
        .filter(Column::EndsAt.gt(now))
        .filter(Column::BeginsAt.lte(now))
        .order_by_asc(Column::Id)
        .limit(SILENCES)
        .all(db)
        .await
}

/// Deletes the silences of an organization that ended before a time.
///
/// # Errors
/// When the statement fails.
pub async fn delete_old_silences(
    tx: &impl ConnectionTrait,
    organization: OrganizationId,
    before: DateTime<Utc>,
) -> Result<(), DbErr> {
    let old = Entity::delete_many().filter(Column::OrganizationId.eq(organization)).filter(Column::EndsAt.lt(before));
    old.exec(tx).await?;
    Ok(())
}

/// Lets the suppressed alerts of an organization be looked at again, because a silence has changed.
///
/// # Errors
/// When the statement fails.
pub async fn wake_suppressed(
    tx: &impl ConnectionTrait,
    organization: OrganizationId,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let rules = Query::select()
        .column(alert_rule::Column::Id)
        .from(alert_rule::Entity)
        .and_where(alert_rule::Column::OrganizationId.eq(organization))
        .to_owned();
    alert::Entity::update_many()
        .col_expr(alert::Column::DueAt, Expr::value(now))
        .filter(alert::Column::State.eq(AlertState::Suppressed))
        .filter(alert::Column::RuleId.in_subquery(rules))
        .exec(tx)
        .await?;
    Ok(())
}
