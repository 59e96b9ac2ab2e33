//! Whether anything has changed about the alerts of an organization, or about the messages that tell them.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use chrono::{DateTime, Utc};
use entity::alert::AlertState;
use entity::id::{AlertDeliveryId, AlertId, OrganizationId};
use entity::webhook_delivery::DeliveryState;
use entity::{alert, alert_delivery, alert_rule};
use sea_orm::sea_query::Query;
use sea_orm::{
    ActiveEnum as _, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

/// The most alerts, and the newest messages, that are looked at.
const ALERTS: u64 = 200;
const MESSAGES: u64 = 30;

/// A number that changes when an alert of an organization does, or one of its newest messages.
///
/// # Errors
/// When a query fails.
pub async fn pulse_of_alerts(db: &impl ConnectionTrait, id: OrganizationId) -> Result<i64, DbErr> {
    let mut rules = Query::select();
    rules.column(alert_rule::Column::Id).from(alert_rule::Entity);
    rules.and_where(alert_rule::Column::OrganizationId.eq(id));
    let alerts: Vec<(AlertId, AlertState, i32, Option<DateTime<Utc>>)> = alert::Entity::find()
        .select_only()
        .columns([alert::Column::Id, alert::Column::State, alert::Column::Times, alert::Column::ToldAt])
        .filter(alert::Column::RuleId.in_subquery(rules.clone()))
        .order_by_desc(alert::Column::Id)
        .limit(ALERTS)
        .into_tuple()
        .all(db)
        .await?;
    let messages: Vec<(AlertDeliveryId, DeliveryState, i32)> = alert_delivery::Entity::find()
        .select_only()
        .columns([alert_delivery::Column::Id, alert_delivery::Column::State, alert_delivery::Column::Attempts])
        .filter(alert_delivery::Column::RuleId.in_subquery(rules))
        .order_by_desc(alert_delivery::Column::Id)
        .limit(MESSAGES)
        .into_tuple()
        .all(db)
        .await?;
    let mut hasher = DefaultHasher::new();
    for (id, state, times, told_at) in alerts {
        (id, state.to_value(), times, told_at).hash(&mut hasher);
    }
    for (id, state, attempts) in messages {
        (id, state.to_value(), attempts).hash(&mut hasher);
    }
    Ok(i64::from_ne_bytes(hasher.finish().to_ne_bytes()))
}
