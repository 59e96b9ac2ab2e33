//! Access to the receivers, rules and silences of alerts, which belong to the settings of an organization.

use entity::id::{AlertReceiverId, AlertRuleId, AlertSilenceId};
use entity::{alert_receiver, alert_rule, alert_silence};
use sea_orm::DatabaseConnection;

use super::caller::Caller;
use super::role::Location;
use super::role_action::Action;
use crate::error::{Error, Result};
use crate::store;

/// A receiver.
///
/// # Errors
/// `NotFound`, also for another organization's row; `Forbidden`; or a database error.
pub async fn alert_receiver(
    db: &DatabaseConnection,
    caller: &Caller,
    action: Action,
    id: AlertReceiverId,
) -> Result<alert_receiver::Model> {
    const THING: &str = "alert receiver";
    let row = store::row::by_id::<alert_receiver::Model>(db, id).await?.ok_or(Error::NotFound(THING))?;
    caller.require(row.organization_id, action, &Location::default(), THING)?;
    Ok(row)
}

/// A rule.
///
/// # Errors
/// `NotFound`, also for another organization's row; `Forbidden`; or a database error.
pub async fn alert_rule(
    db: &DatabaseConnection,
    caller: &Caller,
    action: Action,
    id: AlertRuleId,
) -> Result<alert_rule::Model> {
    const THING: &str = "alert rule";
    let row = store::row::by_id::<alert_rule::Model>(db, id).await?.ok_or(Error::NotFound(THING))?;
    caller.require(row.organization_id, action, &Location::default(), THING)?;
    Ok(row)
}

/// A silence.
///
/// # Errors
/// `NotFound`, also for another organization's row; `Forbidden`; or a database error.
pub async fn alert_silence(
    db: &DatabaseConnection,
    caller: &Caller,
    action: Action,
    id: AlertSilenceId,
) -> Result<alert_silence::Model> {
    const THING: &str = "alert silence";
    let row = store::row::by_id::<alert_silence::Model>(db, id).await?.ok_or(Error::NotFound(THING))?;
    caller.require(row.organization_id, action, &Location::default(), THING)?;
    Ok(row)
}
