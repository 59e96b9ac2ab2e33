//! The node: containerd and the kubelet.

use std::fs;
use std::path::Path;

use super::images::PAUSE;
use super::machine::Machine;
use super::network::{BRIDGE, SUBNET};
use crate::command::{Result, find};
use crate::process::wait_for;

/// The folder of the network plugins.
pub(super) const CNI: &str = "/usr/lib/cni";

/// Starts containerd, with the network of the pods.
pub(super) fn start_containerd(machine: &mut Machine) -> Result<()> {
    let network = format!(
        r#"{{"cniVersion": "1.0.0", "name": "windlass", "plugins": [{{"type": "bridge", "bridge": "{BRIDGE}",
          "isGateway": true, "ipam": {{"type": "host-local", "dataDir": "{}", "ranges": [[{{"subnet": "{SUBNET}"}}]],
          "routes": [{{"dst": "0.0.0.0/0"}}]}}}}]}}"#,
        machine.path("addresses")
    );
    fs::create_dir_all(machine.path("network")).map_err(|e| e.to_string())?;
    machine.write("network/10-bridge.conflist", network)?;
    let config = format!(
        "version = 2\nroot = \"{}\"\nstate = \"{}\"\n[grpc]\n  address = \"{}\"\n\
         [plugins.\"io.containerd.grpc.v1.cri\"]\n  sandbox_image = \"{PAUSE}\"\n\
         \x20 restrict_oom_score_adj = true\n\
         [plugins.\"io.containerd.grpc.v1.cri\".cni]\n  bin_dir = \"{CNI}\"\n  conf_dir = \"{}\"\n",
        machine.path("containerd"),
        machine.path("containerd-state"),
        machine.containerd().display(),
        machine.path("network")
    );
    let config = machine.write("containerd.toml", config)?;
    machine.spawn(find("containerd").ok_or("containerd is not installed")?, &["-c", &config])?;
    wait_for("containerd", || machine.ctr(&["version"]).is_ok())
}

/// Starts the kubelet, and waits until it is ready for pods.
pub(super) fn start_kubelet(machine: &mut Machine, programs: &Path) -> Result<()> {
    let config = format!(
        "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n\
         authentication: {{anonymous: {{enabled: true}}, webhook: {{enabled: false}}}}\nauthorization: {{mode: AlwaysAllow}}\n\
         address: 127.0.0.1\nport: {}\nreadOnlyPort: 0\nhealthzPort: 0\ncgroupDriver: cgroupfs\nfailCgroupV1: false\n\
         failSwapOn: false\ncontainerRuntimeEndpoint: unix://{}\nenforceNodeAllocatable: []\nlocalStorageCapacityIsolation: false\n\
         evictionHard: {{nodefs.available: '1%', imagefs.available: '1%', memory.available: 50Mi}}\n\
         imageGCHighThresholdPercent: 100\nimageGCLowThresholdPercent: 99\npodLogsDir: {}\nvolumePluginDir: {}\n",
        machine.ports.kubelet,
        machine.containerd().display(),
        machine.path("pod-logs"),
        machine.path("volume-plugins")
    );
    let config = machine.write("kubelet.yaml", config)?;
    let words = [
        "--config",
        &config,
        "--kubeconfig",
        &machine.path("admin.kubeconfig"),
        "--hostname-override",
        "127.0.0.1",
        "--root-dir",
        &machine.path("kubelet"),
        "--cert-dir",
        &machine.path("kubelet-pki"),
    ];
    machine.spawn(programs.join("kubelet"), &words)?;
    wait_for("the node", || {
        let node = machine.ask("/api/v1/nodes/127.0.0.1").unwrap_or_default();
        node.contains("kubelet is posting ready status")
    })?;
    wait_for("the service account of the namespaces", || {
        machine.ask("/api/v1/namespaces/default/serviceaccounts/default").is_ok()
    })
}
