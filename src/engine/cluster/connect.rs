//! The loop that connects to the Kubernetes clusters and drops those that are gone.

use std::time::Duration;

use entity::cluster;

use crate::app::App;
use crate::error::Result;
use crate::runner::kubernetes::IN_CLUSTER;
use crate::runner::kubernetes::connections::ClusterTarget;
use crate::secret;
use crate::store;

/// Connects to the clusters that there are, and lets go of those that are gone.
///
/// # Errors
/// The database's.
pub(in crate::engine) async fn connect(app: &App) -> Result<()> {
    let rows = store::cluster_objects::clusters(&app.db).await?;
    if rows.is_empty() && app.runners.clusters.is_empty() {
        return Ok(());
    }
    let wanted = rows.iter().map(|row| ClusterTarget { id: row.id, kubeconfig: kubeconfig(app, row) }).collect();
    let patience = Duration::from_secs(app.config.start_timeout_seconds.into());
    app.runners.clusters.set(wanted, patience, &app.clock, &app.wake).await;
    Ok(())
}

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
