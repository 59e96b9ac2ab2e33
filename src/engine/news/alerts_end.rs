//! Tells that alerts are over because what they are about is deleted, or their rule no longer says so: nothing else would, and whoever was
//! told waits for it.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::alert::Model as Alert;
use entity::alert_rule::Model as Rule;
use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use super::alert_messages::{Outgoing, tell};
use crate::error::Result;
use crate::store;
use crate::store::alert::AlertsOf;

/// Call this before something is deleted, in the same transaction. A rule that is deleted with it takes its messages along.
pub async fn subject_deleted(tx: &DatabaseTransaction, of: AlertsOf, now: DateTime<Utc>) -> Result<()> {
    let alerts = store::alert::list_told_alerts(tx, of).await?;
    if alerts.is_empty() {
        return Ok(());
    }
    let rules: HashSet<_> = alerts.iter().map(|row| row.rule_id).collect();
    let rules = store::alert::list_rules_by_ids(tx, rules.into_iter().collect()).await?;
    alerts_end(tx, &rules, &alerts, now).await
}

/// Tells those who were told about alerts of rules that they are over.
pub async fn alerts_end(tx: &DatabaseTransaction, rules: &[Rule], alerts: &[Alert], now: DateTime<Utc>) -> Result<()> {
    let names = names(tx, alerts).await?;
    let mut outgoing = Outgoing::default();
    for row in alerts.iter().filter(|row| row.told_at.is_some()) {
        if let Some(name) = names.get(&row.subject_id) {
            outgoing.add_resolved(row.rule_id, row, name, now);
        }
    }
    tell(tx, rules, outgoing, now).await
}

/// The names of what alerts are about.
async fn names(tx: &DatabaseTransaction, alerts: &[Alert]) -> Result<HashMap<Uuid, String>> {
    let jobs = distinct(alerts.iter().filter_map(|row| row.job_id));
    let of_environment = |row: &&Alert| row.job_id.is_none();
    let environments = distinct(alerts.iter().filter(of_environment).filter_map(|row| row.environment_id));
    let workspaces = distinct(alerts.iter().filter_map(|row| row.workspace_id));
    let clusters = distinct(alerts.iter().filter_map(|row| row.cluster_id));
    let mut names: HashMap<Uuid, String> = HashMap::new();
    names.extend(store::alert::job_names(tx, jobs).await?.into_iter().map(|(id, name)| (id.0, name)));
    let places = store::alert::places(tx, environments).await?;
    names.extend(places.into_iter().map(|(id, place)| (id.0, place.name)));
    let places = store::alert::workspace_places(tx, workspaces).await?;
    names.extend(places.into_iter().map(|(id, place)| (id.0, place.name)));
    let places = store::alert::cluster_places(tx, clusters).await?;
    names.extend(places.into_iter().map(|(id, place)| (id.0, place.name)));
    Ok(names)
}

fn distinct<T: std::hash::Hash + Eq>(ids: impl Iterator<Item = T>) -> Vec<T> {
    ids.collect::<HashSet<T>>().into_iter().collect()
}
