//! Keeps a message from telling what was silenced after it was stored: in quiet hours, in its minute, or while its receiver was down.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use entity::alert::{self, AlertState};
use entity::alert_delivery::{Items, MessageKind, Model};
use entity::alert_rule::{Condition, Model as Rule};
use entity::alert_silence::Model as Silence;
use entity::id::AlertId;
use sea_orm::DatabaseTransaction;

use super::subject::{Subject, locate};
use crate::app::App;
use crate::engine::alert::{silence_words, silenced};
use crate::error::Result;
use crate::store;

/// Takes out of a claimed message what is silenced now, and lets it be told when the silence ends. None if nothing is left.
pub(super) async fn without_silenced(app: &App, rule: &Rule, row: Model) -> Result<Option<Model>> {
    // An end is told in a silence, but not a recovery that nobody waits for.
    let may_wait = row.kind == MessageKind::Firing || rule.condition == Condition::RunRecovered;
    let now = app.clock.now();
    if !may_wait || store::alert::list_current_silences(&app.db, vec![rule.organization_id], now).await?.is_empty() {
        return Ok(Some(row));
    }
    store::write(&app.db, async |tx| take_out(tx, rule, &row, now).await).await
}

async fn take_out(tx: &DatabaseTransaction, rule: &Rule, row: &Model, now: DateTime<Utc>) -> Result<Option<Model>> {
    // The state of its alerts must not change meanwhile.
    store::alert::lock_rules(tx, vec![rule.id]).await?;
    let silences = store::alert::list_current_silences(tx, vec![rule.organization_id], now).await?;
    let places = locate(tx, row.items.0.iter().filter_map(Subject::of_item)).await?;
    let (mut held, mut left) = (Vec::new(), Vec::new());
    for item in &row.items.0 {
        let at = places.get(&item.about());
        let silence = at.and_then(|at| silenced(&silences, rule, &at.position, now));
        // What was accepted is not sent again, and was told before the silence.
        match silence.filter(|_| !item.told) {
            Some(silence) => held.push((item.alert, silence)),
            None => left.push(item.clone()),
        }
    }
    if held.is_empty() {
        return Ok(Some(row.clone()));
    }
    suppress(tx, rule, row, &held).await?;
    let items = Items(left);
    store::alert::change_claimed_message(tx, row.id, items.clone()).await?;
    let is_empty = items.0.is_empty();
    Ok((!is_empty).then(|| Model { items, ..row.clone() }))
}

/// Lets alerts wait for the end of their silences. Those that are over by now have nothing more to tell.
async fn suppress(tx: &DatabaseTransaction, rule: &Rule, row: &Model, held: &[(AlertId, &Silence)]) -> Result<()> {
    let tried = tried(tx, rule, row).await?;
    for alert in store::alert::list_alerts_by_ids(tx, held.iter().map(|(id, _)| *id).collect()).await? {
        let Some((_, silence)) = held.iter().find(|(id, _)| *id == alert.id) else { continue };
        let is_told = match alert.state {
            AlertState::Notified => true,
            // A receiver that did not confirm it may have it all the same, and then waits for its end.
            AlertState::Triggered => tried.contains(&alert.id),
            // Another receiver was to be told, too.
            AlertState::Pending | AlertState::Suppressed => continue,
        };
        let suppressed = alert::Model {
            state: AlertState::Suppressed,
            due_at: Some(silence.ends_at),
            told_at: alert.told_at.filter(|_| is_told),
            decision: silence_words(silence),
            ..alert
        };
        store::alert::save_alert(tx, suppressed, false).await?;
    }
    Ok(())
}

/// The alerts of the rule that receivers were tried to be told, without success.
async fn tried(tx: &DatabaseTransaction, rule: &Rule, row: &Model) -> Result<HashSet<AlertId>> {
    let mut tried = HashSet::new();
    for receiver in &rule.receivers.0 {
        for other in store::alert::waiting_messages(tx, (*receiver, rule.id)).await? {
            // One that was claimed with this one has no error yet.
            let was_tried = if other.id == row.id { row.attempts > 0 } else { other.error.is_some() };
            if was_tried {
                tried.extend(other.items.0.iter().map(|item| item.alert));
            }
        }
    }
    Ok(tried)
}
