//! Ends alerts whose condition no longer holds, and tells those that are due: pending ones that have held for long enough, and what nobody
//! could be told before.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use entity::alert;
use entity::alert::AlertState;
use entity::alert_rule::{Condition, Model as Rule};
use entity::alert_silence::Model as Silence;
use entity::id::AlertId;
use sea_orm::DatabaseTransaction;

use super::cluster_reach::reached_again;
use super::subject::{Located, Subject, locate};
use crate::app::App;
use crate::engine::alert::{NOBODY, silence_words, silenced};
use crate::engine::news::{Outgoing, tell};
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
    let reached = reached_again(app, &page, now).await?;
    if reached.is_empty() && store::alert::list_recovered(&app.db, &ids).await?.is_empty() {
        return Ok(next);
    }
    store::write(&app.db, async |tx| {
        let rules = locked(tx, &page).await?;
        // A newer failure may have changed them in the meantime.
        let mut over: HashSet<AlertId> = store::alert::list_recovered(tx, &ids).await?.into_iter().collect();
        over.extend(reached.iter().copied());
        let rows = store::alert::list_alerts_by_ids(tx, over.into_iter().collect()).await?;
        let mut outgoing = Outgoing::default();
        let organizations = rules.iter().map(|rule| rule.organization_id).collect();
        let silences = store::alert::list_current_silences(tx, organizations, now).await?;
        for (row, rule, at) in located(tx, &rules, &rows).await? {
            // What was told is resolved even in a silence, but a recovery that nobody waits for is not told in one.
            let is_new = rule.condition == Condition::RunRecovered;
            if row.told_at.is_some() || (is_new && silenced(&silences, rule, &at.position, now).is_none()) {
                outgoing.add_resolved(rule.id, row, &at.name, now);
            }
        }
        tell(tx, &rules, outgoing, now).await?;
        store::alert::delete_alerts(tx, rows.iter().map(|row| row.id).collect()).await.map_err(Error::from)
    })
    .await?;
    Ok(next)
}

/// Tells alerts that are due. Returns whether there may be more.
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
        let organizations = rules.iter().map(|rule| rule.organization_id).collect();
        let silences = store::alert::list_current_silences(tx, organizations, now).await?;
        // Those that were told before their silence are resolved by the pass that looks at all alerts.
        let is_unheard = |row: &&alert::Model| over.contains(&row.id) && row.told_at.is_none();
        let unheard = rows.iter().filter(is_unheard).map(|row| row.id).collect();
        rows.retain(|row| !over.contains(&row.id));
        for (row, rule, at) in located(tx, &rules, &rows).await? {
            let next = after_wait(row, rule, silenced(&silences, rule, &at.position, now), now);
            if next.state != AlertState::Suppressed && !rule.receivers.0.is_empty() {
                outgoing.add(rule.id, &next, &at.name);
            }
            store::alert::save_alert(tx, next, false).await?;
        }
        store::alert::delete_alerts(tx, unheard).await?;
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

/// What becomes of an alert that is due: it is told, unless a silence has begun in the meantime or was extended, or nobody would hear.
fn after_wait(row: &alert::Model, rule: &Rule, silence: Option<&Silence>, now: DateTime<Utc>) -> alert::Model {
    if let Some(silence) = silence {
        return alert::Model {
            state: AlertState::Suppressed,
            due_at: Some(silence.ends_at),
            decision: silence_words(silence),
            ..row.clone()
        };
    }
    let (told_at, decision) = match row.state {
        _ if rule.receivers.0.is_empty() => (row.told_at, NOBODY),
        AlertState::Suppressed => (Some(now), "told, because its silence is over"),
        AlertState::Pending => (Some(now), "told, because it has held for long enough"),
        AlertState::Triggered | AlertState::Notified => (Some(now), "told, because the rule has a receiver now"),
    };
    // What was told before its silence stays told.
    let was_told = row.state == AlertState::Suppressed && row.told_at.is_some() && !rule.receivers.0.is_empty();
    let state = if was_told { AlertState::Notified } else { AlertState::Triggered };
    alert::Model { state, due_at: None, told_at, decision: decision.into(), ..row.clone() }
}

/// Alerts with their rules and where their subjects are.
async fn located<'a>(
    tx: &DatabaseTransaction,
    rules: &'a [Rule],
    rows: &'a [alert::Model],
) -> Result<Vec<(&'a alert::Model, &'a Rule, Located)>> {
    let found = locate(tx, rows.iter().filter_map(Subject::of)).await?;
    let with = |row: &'a alert::Model| {
        let rule = rules.iter().find(|rule| rule.id == row.rule_id)?;
        Some((row, rule, found.get(&row.subject_id)?.clone()))
    };
    Ok(rows.iter().filter_map(with).collect())
}
