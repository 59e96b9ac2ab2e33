//! A running cluster.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::machine::Machine;
use super::network::{self, HOST};
use super::{control_plane, images, node, programs};
use crate::command::{Result, find, read};
use crate::helm;
use crate::packages;
use crate::postgres::{self, Postgres};

/// Programs that a cluster needs, and the Debian packages that contain them.
const PACKAGES: [(&str, &str); 6] = [
    ("etcd", "etcd-server"),
    ("containerd", "containerd"),
    ("runc", "runc"),
    ("busybox", "busybox-static"),
    ("openssl", "openssl"),
    ("ip", "iproute2"),
];

/// A running cluster; stopped when dropped.
pub(crate) struct Cluster {
    machine: Machine,
    /// A PostgreSQL that pods can reach.
    database: Postgres,
    /// The program that installs charts.
    helm: PathBuf,
}

impl Cluster {
    /// Builds what is missing, and starts the cluster.
    pub(crate) fn start() -> Result<Self> {
        if read(Command::new("id").arg("-u"))? != "0" {
            return Err("only root can run pods".into());
        }
        install()?;
        let (programs, helm) = (programs::provide()?, helm::provide()?);
        // Not below target, because the path of a socket has to be short.
        let folder = std::env::temp_dir().join(format!("windlass-kubernetes-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        network::create()?;
        let database = postgres::start(HOST, &folder)?;
        let mut cluster = Self { machine: Machine::new(folder)?, database, helm };
        let machine = &mut cluster.machine;
        control_plane::start(machine, &programs)?;
        node::start_containerd(machine)?;
        images::import_all(machine)?;
        node::start_kubelet(machine, &programs)?;
        Ok(cluster)
    }

    /// Environment variables that tell the tests where to find the cluster.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("WINDLASS_TEST_KUBERNETES", self.machine.path("admin.kubeconfig")),
            ("WINDLASS_TEST_KUBERNETES_HELM", self.helm.display().to_string()),
            ("WINDLASS_TEST_KUBERNETES_IMAGE", images::BUSYBOX.to_owned()),
            ("WINDLASS_TEST_KUBERNETES_HOST", HOST.to_owned()),
            ("WINDLASS_TEST_KUBERNETES_TOFU", images::TOFU.to_owned()),
            ("WINDLASS_TEST_KUBERNETES_SERVER", images::SERVER.to_owned()),
            ("WINDLASS_TEST_KUBERNETES_DATABASE", self.database.url.clone()),
        ]
    }
}

/// Installs missing packages, and names the first program that is still missing.
fn install() -> Result<()> {
    let mut more = Vec::new();
    if !Path::new(node::CNI).join("bridge").exists() {
        more.push("containernetworking-plugins");
    }
    if postgres::programs().is_none() {
        more.push("postgresql");
    }
    packages::install(&PACKAGES, &more);
    for (program, package) in PACKAGES {
        find(program).ok_or_else(|| format!("{program} is not installed (Debian package {package})"))?;
    }
    Ok(())
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The kubelet first, so that it does not start pods again; then the pods; then everything else.
        drop(self.machine.processes.pop());
        let tasks = self.machine.ctr(&["tasks", "ls", "-q"]).unwrap_or_default();
        for task in tasks.lines() {
            let _ended = self.machine.ctr(&["tasks", "rm", "-f", task]);
        }
        while self.machine.processes.pop().is_some() {}
        unmount(&self.machine.folder);
        network::remove();
        let _removed = fs::remove_dir_all(&self.machine.folder);
    }
}

/// Unmounts what containers have left mounted below a folder.
fn unmount(folder: &Path) {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let own = folder.display().to_string();
    let mut points: Vec<&str> = mounts.lines().filter_map(|line| line.split(' ').nth(1)).collect();
    points.retain(|point| point.starts_with(&own));
    for point in points.into_iter().rev() {
        let _gone = Command::new("umount").args(["-l", point]).status();
    }
}
