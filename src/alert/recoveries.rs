//! Ends alerts whose condition no longer holds, and tells pending ones that have held for long enough.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use entity::alert;
use entity::alert::AlertState;
use entity::alert_rule::{Condition, Model as Rule};
use entity::id::AlertId;
use sea_orm::DatabaseTransaction;

use super::tell::{Outgoing, tell};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// How many alerts one pass looks at, so that many alerts cost no more than a few.
const PAGE: u64 = 200;

/// Ends those of the next alerts after `cursor` that are over, and returns the new cursor.
///
/// # Errors
/// Database errors.
pub(super) async fn end_recovered(app: &App, cursor: AlertId, now: DateTime<Utc>) -> Result<AlertId> {
    let page = store::alert::page_of_alerts(&app.db, cursor, PAGE).await?;
    let next = match page.last() {
        Some(last) if page.len() as u64 == PAGE => last.id,
        _ => AlertId(uuid::Uuid::nil()),
    };
    let ids: Vec<AlertId> = page.iter().map(|row| row.id).collect();
    if store::alert::list_recovered(&app.db, &ids).await?.is_empty() {
        return Ok(next);
    }
    store::write(&app.db, async |tx| {
        let rules = locked(tx, &page).await?;
        // A newer failure may have changed them in the meantime.
        let over: HashSet<AlertId> = store::alert::list_recovered(tx, &ids).await?.into_iter().collect();
        let rows = store::alert::list_alerts_by_ids(tx, over.into_iter().collect()).await?;
        let mut outgoing = Outgoing::default();
        for (row, rule, name) in named(tx, &rules, &rows).await? {
            if row.told_at.is_some() || rule.condition == Condition::RunRecovered {
                outgoing.add_resolved(rule.id, row, &name, now);
            }
        }
        tell(tx, &rules, outgoing, now).await?;
        store::alert::delete_alerts(tx, rows.iter().map(|row| row.id).collect()).await.map_err(Error::from)
    })
    .await?;
    Ok(next)
}

/// Tells pending alerts that have held for long enough. Returns whether there may be more.
///
/// # Errors
/// Database errors.
pub(super) async fn tell_due(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let due = store::alert::due_alerts(&app.db, now, PAGE).await?;
    if due.is_empty() {
        return Ok(false);
    }
    store::write(&app.db, async |tx| {
        let rules = locked(tx, &due).await?;
        let ids: Vec<AlertId> = due.iter().map(|row| row.id).collect();
        let mut rows = store::alert::list_alerts_by_ids(tx, ids.clone()).await?;
        rows.retain(|row| row.due_at.is_some_and(|due| due <= now));
        let over: HashSet<AlertId> = store::alert::list_recovered(tx, &ids).await?.into_iter().collect();
        let mut outgoing = Outgoing::default();
        for (row, rule, name) in named(tx, &rules, &rows).await? {
            let told = alert::Model {
                state: AlertState::Triggered,
                due_at: None,
                told_at: Some(now),
                decision: "told, because it has held for long enough".into(),
                ..row.clone()
            };
            if over.contains(&row.id) {
                continue;
            }
            outgoing.add(rule.id, &told, &name);
            store::alert::save_alert(tx, told, false).await?;
        }
        store::alert::delete_alerts(tx, over.into_iter().collect()).await?;
        tell(tx, &rules, outgoing, now).await
    })
    .await?;
    Ok(due.len() as u64 == PAGE)
}

/// The rules of alerts, locked.
async fn locked(tx: &DatabaseTransaction, alerts: &[alert::Model]) -> Result<Vec<Rule>> {
    let mut ids: Vec<_> = alerts.iter().map(|row| row.rule_id).collect();
    ids.sort_unstable();
    ids.dedup();
    store::alert::lock_rules(tx, ids).await.map_err(Error::from)
}

/// Alerts with their rules and the names of their subjects.
async fn named<'a>(
    tx: &DatabaseTransaction,
    rules: &'a [Rule],
    rows: &'a [alert::Model],
) -> Result<Vec<(&'a alert::Model, &'a Rule, String)>> {
    let jobs = store::alert::job_names(tx, rows.iter().filter_map(|row| row.job_id).collect()).await?;
    let places = store::alert::places(tx, rows.iter().map(|row| row.environment_id).collect()).await?;
    let with = |row: &'a alert::Model| {
        let rule = rules.iter().find(|rule| rule.id == row.rule_id)?;
        let name = match row.job_id {
            Some(job) => jobs.get(&job).cloned(),
            None => places.get(&row.environment_id).map(|place| place.name.clone()),
        };
        Some((row, rule, name?))
    };
    Ok(rows.iter().filter_map(with).collect())
}
