//! Stores messages: one for all alerts of a rule that fire at about the same time, to each of its receivers. A receiver that opens an
//! incident for each of them may need several.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entity::alert_delivery::{Item, Items, MessageKind, Model};
use entity::alert_rule::{Condition, Model as Rule};
use entity::id::{AlertDeliveryId, AlertRuleId};
use entity::webhook_delivery::DeliveryState;
use entity::{alert, alert_receiver};
use sea_orm::DatabaseTransaction;

use crate::engine::alert::{Capacity, Placed, place, quiet_until, send_at};
use crate::error::Result;
use crate::store;

/// The alerts to tell, by rule.
#[derive(Default)]
pub struct Outgoing {
    firing: BTreeMap<AlertRuleId, Vec<Item>>,
    resolved: BTreeMap<AlertRuleId, Vec<Item>>,
}

impl Outgoing {
    /// Adds an alert that holds.
    pub fn add(&mut self, rule: AlertRuleId, row: &alert::Model, name: &str) {
        self.firing.entry(rule).or_default().push(item(row, name, row.seen_at));
    }

    /// Adds an alert that is over.
    pub fn add_resolved(&mut self, rule: AlertRuleId, row: &alert::Model, name: &str, now: DateTime<Utc>) {
        self.resolved.entry(rule).or_default().push(item(row, name, now));
    }
}

fn item(row: &alert::Model, name: &str, at: DateTime<Utc>) -> Item {
    Item {
        alert: row.id,
        subject: Some(row.subject_id),
        name: name.to_owned(),
        environment_id: row.environment_id,
        job_id: row.job_id,
        run_id: row.run_id,
        workspace_id: row.workspace_id,
        workspace_job_id: row.workspace_job_id,
        cluster_id: row.cluster_id,
        since: row.since,
        at,
        times: row.times,
        reason: row.reason.clone(),
        told: false,
    }
}

/// Stores the messages.
///
/// # Errors
/// Database errors.
pub async fn tell(tx: &DatabaseTransaction, rules: &[Rule], outgoing: Outgoing, now: DateTime<Utc>) -> Result<()> {
    let Outgoing { firing, resolved } = outgoing;
    let firing = firing.into_iter().map(|(rule, items)| (rule, MessageKind::Firing, items));
    let resolved = resolved.into_iter().map(|(rule, items)| (rule, MessageKind::Resolved, items));
    for (id, kind, items) in firing.chain(resolved) {
        let Some(rule) = rules.iter().find(|rule| rule.id == id) else { continue };
        let receivers = store::alert::list_receivers_by_ids(tx, rule.receivers.0.clone()).await?;
        for receiver in receivers {
            // A recovery is what such a rule is about.
            let wants =
                kind == MessageKind::Firing || receiver.send_resolved || rule.condition == Condition::RunRecovered;
            if wants {
                store_messages(tx, rule, &receiver, (kind, items.clone()), now).await?;
            }
        }
    }
    Ok(())
}

async fn store_messages(
    tx: &DatabaseTransaction,
    rule: &Rule,
    receiver: &alert_receiver::Model,
    (kind, items): (MessageKind, Vec<Item>),
    now: DateTime<Utc>,
) -> Result<()> {
    let waiting = store::alert::waiting_messages(tx, (receiver.id, rule.id)).await?;
    let Placed { changed, new, continues, not_before } = place(&waiting, (kind, items), Capacity::of(receiver.kind));
    for row in changed {
        store::alert::change_message(tx, row.id, (row.items, row.more), now).await?;
    }
    if new.is_empty() {
        return Ok(());
    }
    let send_at = match continues {
        Some(at) => at,
        None => send_at(store::alert::last_message(tx, (receiver.id, rule.id, kind)).await?, now),
    };
    let send_at = not_before.map_or(send_at, |ahead| send_at.max(ahead));
    let quiet_until = receiver.quiet_hours.as_ref().and_then(|hours| quiet_until(hours, rule.severity, send_at));
    for (items, more) in new {
        let row = Model {
            id: AlertDeliveryId::create(),
            receiver_id: receiver.id,
            rule_id: rule.id,
            kind,
            created_at: now,
            updated_at: now,
            items: Items(items),
            more,
            state: DeliveryState::Pending,
            attempts: 0,
            next_attempt_at: quiet_until.unwrap_or(send_at),
            quiet_until,
            error: None,
        };
        store::alert::create_message(tx, row).await?;
    }
    Ok(())
}
