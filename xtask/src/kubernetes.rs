//! `cargo xtask test --kubernetes`: the tests that need a Kubernetes cluster, on a cluster that is started for them.
//!
//! The API server, controllers, scheduler and kubelet are built from their Go modules, once, in target/tools; etcd, containerd
//! and runc come from Debian. Pods really run; everything else listens on loopback.

mod cluster;
mod control_plane;
mod images;
mod machine;
mod network;
mod node;
mod programs;

use crate::command::{self, Missing, Result};
use crate::timing::Timing;

pub(crate) use cluster::Cluster;

/// Starts a cluster and runs the tests that need one.
pub(crate) fn test(missing: Missing) -> Result<()> {
    let mut timing = Timing::of("cargo xtask test --kubernetes");
    let cluster = match timing.part("the cluster", Cluster::start) {
        Ok(cluster) => cluster,
        Err(reason) if missing == Missing::Skip => {
            eprintln!("== SKIPPED: no Kubernetes cluster: {reason}");
            return Ok(());
        }
        Err(reason) => return Err(format!("no Kubernetes cluster: {reason}")),
    };
    eprintln!("== on Kubernetes {}", programs::VERSION);
    let mut cargo = command::cargo();
    cargo.args(["test", "--test", "it", "kubernetes::", "--", "--ignored", "--test-threads", "8"]);
    for (name, value) in cluster.variables() {
        cargo.env(name, value);
    }
    timing.part("tests on Kubernetes", || command::run(&mut cargo))?;
    eprintln!("== all tests on Kubernetes passed");
    Ok(())
}
