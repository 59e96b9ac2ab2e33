//! Looks for clusters that this server cannot reach.
//!
//! Each server sees clusters for itself. One that sees an outage confirms it again and again, and another one that sees none ends the
//! alert only when nobody has confirmed it for a while, so that two servers do not take turns.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::alert;
use entity::alert_rule::Model as Rule;
use entity::id::{AlertId, ClusterId};

use super::found::{Found, found, patience};
use super::subject::Subject;
use crate::app::App;
use crate::engine::cluster::usable::{Usable, usable};
use crate::error::{Error, Result};
use crate::store;

/// How often an outage is confirmed, and after how long without it is over.
const CONFIRMED: TimeDelta = TimeDelta::seconds(20);
const OVER: TimeDelta = TimeDelta::seconds(60);

/// Since when this server cannot reach clusters.
#[derive(Default)]
pub(super) struct Unreached(HashMap<ClusterId, DateTime<Utc>>);

/// Clusters that cannot be reached.
pub(super) async fn unreachable<'a>(
    app: &App,
    rules: &[&'a Rule],
    unreached: &mut Unreached,
    now: DateTime<Utc>,
) -> Result<Vec<Found<'a>>> {
    let mut organizations: Vec<_> = rules.iter().map(|rule| rule.organization_id).collect();
    organizations.sort_unstable();
    organizations.dedup();
    let mut all = Vec::new();
    let mut still = HashMap::new();
    for organization in organizations {
        for cluster in store::cluster::list_by_organization(&app.db, organization).await? {
            let why = match usable(app, &cluster) {
                Usable::Unreachable(reason) => reason,
                Usable::Refused(reason) => format!("the cluster refused the credentials: {reason}"),
                Usable::Yes | Usable::Unregistered | Usable::Connecting => continue,
            };
            let since = unreached.0.get(&cluster.id).copied().filter(|since| *since <= now).unwrap_or(now);
            still.insert(cluster.id, since);
            let is_due = |rule: &&&Rule| rule.organization_id == organization && since + patience(rule) <= now;
            for rule in rules.iter().filter(is_due) {
                let reason =
                    format!("the cluster has been unreachable since {}: {why}", since.format("%Y-%m-%d %H:%M:%S UTC"));
                all.push(found(rule, Subject::Cluster(cluster.id), (now, now), reason));
            }
        }
    }
    unreached.0 = still;
    Ok(all)
}

/// Those of some alerts whose cluster can be reached again. The others are confirmed.
pub(super) async fn reached_again(app: &App, alerts: &[alert::Model], now: DateTime<Utc>) -> Result<Vec<AlertId>> {
    let (mut over, mut confirmed) = (Vec::new(), Vec::new());
    for row in alerts {
        let Some(id) = row.cluster_id else { continue };
        let Some(cluster) = store::cluster::by_id(&app.db, id).await? else { continue };
        match usable(app, &cluster) {
            Usable::Yes | Usable::Unregistered if row.seen_at + OVER <= now || now < row.seen_at => over.push(row.id),
            Usable::Yes | Usable::Unregistered | Usable::Connecting => {}
            Usable::Unreachable(_) | Usable::Refused(_) => {
                if row.seen_at + CONFIRMED <= now {
                    confirmed.push(row.id);
                }
            }
        }
    }
    if !confirmed.is_empty() {
        store::write(&app.db, async |tx| {
            store::alert::touch_alerts(tx, confirmed.clone(), now).await.map_err(Error::from)
        })
        .await?;
    }
    Ok(over)
}
