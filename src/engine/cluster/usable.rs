//! Whether a cluster can be used, as this server sees it.

use entity::cluster::{ClusterKind, Model};

use crate::app::App;
use crate::runner::agent::Presence;
use crate::runner::kubernetes::{Health, IN_CLUSTER, parse_kubeconfig};

/// Whether a cluster can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Usable {
    /// Runs can be started.
    Yes,
    /// There is no kubeconfig yet, or no agent has ever connected.
    Unregistered,
    /// The first connection is being made.
    Connecting,
    /// The cluster does not answer, with the reason.
    Unreachable(String),
    /// The cluster rejected the credentials, with the reason.
    Refused(String),
}

/// The current state of a cluster.
#[must_use]
pub fn usable(app: &App, row: &Model) -> Usable {
    match row.kind {
        ClusterKind::Local => match &app.runners.local {
            Ok(_) => Usable::Yes,
            Err(reason) => Usable::Unreachable(reason.clone()),
        },
        ClusterKind::Agent => match app.runners.agents.presence(row.id) {
            Presence::Unknown => Usable::Connecting,
            Presence::Never => Usable::Unregistered,
            Presence::Here(_) => Usable::Yes,
            Presence::Gone(reason) => Usable::Unreachable(reason),
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

/// Checks a kubeconfig before it is stored.
///
/// # Errors
/// The problem, as a text that follows the name of the field.
pub fn check_kubeconfig(app: &App, text: &str) -> Result<(), String> {
    if text.trim() != IN_CLUSTER {
        return parse_kubeconfig(text).map(|_| ());
    }
    if app.config.in_cluster {
        return Ok(());
    }
    Err("is in-cluster, which the server allows only if started with --in-cluster".into())
}
