//! Whether the clusters of Kubernetes can be used, as this server sees them.

use entity::cluster::{ClusterKind, Model};

use crate::app::App;
use crate::runner::kubernetes::{Health, IN_CLUSTER, parse_kubeconfig};

/// Whether a cluster can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Usable {
    /// Runs can be started.
    Yes,
    /// It has no kubeconfig yet.
    Unregistered,
    /// It is being connected.
    Connecting,
    /// It does not answer, and why.
    Unreachable(String),
    /// It does not let this server in, and why.
    Refused(String),
}

/// Whether a cluster can be used now.
#[must_use]
pub fn usable(app: &App, row: &Model) -> Usable {
    match row.kind {
        ClusterKind::Local => match &app.runners.local {
            Ok(_) => Usable::Yes,
            Err(reason) => Usable::Unreachable(reason.clone()),
        },
        ClusterKind::Kubernetes if row.kubeconfig.is_none() => Usable::Unregistered,
        ClusterKind::Kubernetes => match app.runners.clusters.health(row.id) {
            Health::Ready(_) => Usable::Yes,
            Health::Connecting => Usable::Connecting,
            Health::Unreachable(reason) => Usable::Unreachable(reason),
            Health::Refused(reason) => Usable::Refused(reason),
        },
    }
}

/// Checks what is to be the kubeconfig of a cluster.
///
/// # Errors
/// What is wrong with it, for whoever gave it.
pub fn check_kubeconfig(app: &App, text: &str) -> Result<(), String> {
    if text.trim() != IN_CLUSTER {
        return parse_kubeconfig(text).map(|_| ());
    }
    if app.config.in_cluster {
        return Ok(());
    }
    Err("is in-cluster, which this server allows only when it is started with --in-cluster".into())
}
