//! The loop that connects to the Kubernetes clusters and drops those that are gone, and looks for agents.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use entity::cluster;
use entity::id::ClusterId;

use super::agents_seen;
use super::usable::{Usable, usable};
use crate::app::App;
use crate::error::Result;
use crate::runner::kubernetes::IN_CLUSTER;
use crate::runner::kubernetes::connections::ClusterTarget;
use crate::secret;
use crate::store;

/// The clusters as they were last seen, to log changes once, and the steps of agents that were reported lately.
#[derive(Default)]
pub(in crate::engine) struct Known {
    clusters: HashMap<ClusterId, Usable>,
    reported: HashMap<String, DateTime<Utc>>,
}

/// Connects to all registered clusters, and drops those that were deleted.
///
/// # Errors
/// Database errors.
pub(in crate::engine) async fn run_once(app: &App, known: &mut Known) -> Result<()> {
    agents_seen::run_once(app, &mut known.reported).await?;
    let rows = store::cluster_objects::clusters(&app.db).await?;
    if rows.is_empty() && app.runners.clusters.is_empty() {
        return Ok(());
    }
    let wanted = rows.iter().map(|row| ClusterTarget { id: row.id, kubeconfig: kubeconfig(app, row) }).collect();
    let patience = Duration::from_secs(app.config.start_timeout_seconds.into());
    app.runners.clusters.set(wanted, patience, &app.clock, &app.wake).await;
    for row in &rows {
        let usable = usable(app, row);
        if known.clusters.get(&row.id) != Some(&usable) {
            log_change(row, &usable);
            known.clusters.insert(row.id, usable);
        }
    }
    known.clusters.retain(|id, _| rows.iter().any(|row| row.id == *id));
    Ok(())
}

fn log_change(row: &cluster::Model, usable: &Usable) {
    let name = row.name.as_str();
    match usable {
        Usable::Yes => tracing::info!(cluster = %row.id, name, "cluster up"),
        Usable::Unreachable(reason) => tracing::warn!(cluster = %row.id, name, reason, "cluster down: unreachable"),
        Usable::Refused(reason) => {
            tracing::warn!(cluster = %row.id, name, reason, "cluster down: credentials rejected")
        }
        Usable::Unregistered => tracing::info!(cluster = %row.id, name, "cluster has no kubeconfig yet"),
        Usable::Connecting => {}
    }
}

/// The kubeconfig of a cluster, opened.
fn kubeconfig(app: &App, row: &cluster::Model) -> std::result::Result<String, String> {
    let sealed = row.kubeconfig.as_ref().ok_or("the cluster has no kubeconfig yet")?;
    let opened = app.keys.open_text(&secret::place("cluster", row.id.0), sealed);
    let text = opened.map_err(|_| "the kubeconfig of the cluster cannot be opened with the keys of this server")?;
    let text = text.expose().clone();
    if text.trim() == IN_CLUSTER && !app.config.in_cluster {
        return Err("this server was not started with --in-cluster".into());
    }
    Ok(text)
}
