//! The cluster `local`: this machine, with its CPUs and memory.

use chrono::{DateTime, Utc};
use entity::cluster::{self, ClusterKind};
use entity::id::{ClusterId, OrganizationId};

/// The name of the cluster for this machine.
pub(super) const LOCAL: &str = "local";

/// A new row for the cluster `local`, with the capacity of this machine.
#[must_use]
pub fn local_cluster(organization_id: OrganizationId, now: DateTime<Utc>) -> cluster::Model {
    cluster::Model {
        id: ClusterId::create(),
        organization_id,
        created_at: now,
        updated_at: now,
        name: LOCAL.into(),
        description: Some("the machine that the server runs on".into()),
        region: LOCAL.into(),
        kind: ClusterKind::Local,
        is_default: true,
        maximum_cpu_milli: cores().saturating_mul(1000),
        maximum_memory_mib: memory_mib(),
        kubeconfig: None,
        production: false,
        settings: None,
    }
}

fn cores() -> i32 {
    std::thread::available_parallelism().ok().and_then(|cores| i32::try_from(cores.get()).ok()).unwrap_or(1)
}

/// The memory of the machine in MiB; the maximum value if it cannot be determined.
fn memory_mib() -> i32 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<i64>().ok());
    kib.and_then(|kib| i32::try_from(kib / 1024).ok()).unwrap_or(i32::MAX)
}
