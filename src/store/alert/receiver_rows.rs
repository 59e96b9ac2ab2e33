//! Receivers of alerts.

use std::collections::BTreeSet;

use entity::alert_receiver::{Column, Entity, Model};
use entity::alert_rule;
use entity::alert_rule::Receivers;
use entity::id::{AlertReceiverId, OrganizationId};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::rule_rows::list_rules_locked;
use crate::store::page::PAGE;

/// The receivers of an organization.
///
/// # Errors
/// When the query fails.
pub async fn list_receivers(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::OrganizationId.eq(id)).order_by_asc(Column::Id).limit(PAGE).all(db).await
}

/// The receivers with these ids.
///
/// # Errors
/// When the query fails.
pub async fn list_receivers_by_ids(db: &impl ConnectionTrait, ids: Vec<AlertReceiverId>) -> Result<Vec<Model>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Entity::find().filter(Column::Id.is_in(ids)).order_by_asc(Column::Id).limit(PAGE).all(db).await
}

/// The mail servers of all receivers, each once.
///
/// # Errors
/// When the query fails.
pub async fn smarthosts(db: &impl ConnectionTrait) -> Result<BTreeSet<String>, DbErr> {
    let rows = Entity::find().filter(Column::Mail.is_not_null()).order_by_asc(Column::Id).limit(PAGE).all(db).await?;
    Ok(rows.into_iter().filter_map(|row| row.mail).map(|mail| mail.smarthost).collect())
}

/// Removes a receiver from the rules of its organization, before it is deleted.
///
/// # Errors
/// When a statement fails.
pub async fn forget_receiver(
    tx: &impl ConnectionTrait,
    organization: OrganizationId,
    id: AlertReceiverId,
) -> Result<(), DbErr> {
    // Somebody may change the receivers of a rule at the same time.
    for rule in list_rules_locked(tx, organization).await? {
        if rule.receivers.0.contains(&id) {
            let left = rule.receivers.0.iter().copied().filter(|other| *other != id).collect();
            let row =
                alert_rule::ActiveModel { id: Set(rule.id), receivers: Set(Receivers(left)), ..Default::default() };
            row.update(tx).await?;
        }
    }
    Ok(())
}

/// Records why the newest message was not accepted, or that it was.
///
/// # Errors
/// When the statement fails.
pub async fn note_error(tx: &impl ConnectionTrait, id: AlertReceiverId, error: Option<String>) -> Result<(), DbErr> {
    Entity::update_many().col_expr(Column::LastError, Expr::value(error)).filter(Column::Id.eq(id)).exec(tx).await?;
    Ok(())
}
