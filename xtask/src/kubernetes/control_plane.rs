//! The control plane: etcd, API server, controller manager and scheduler.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::machine::{Machine, TOKEN};
use super::network::HOST;
use crate::command::{Result, find, read};
use crate::process::wait_for;

/// Starts the control plane, and writes the kubeconfig of the administrator.
pub(super) fn start(machine: &mut Machine, programs: &Path) -> Result<()> {
    let etcd = start_etcd(machine)?;
    // The key that signs the tokens of service accounts, and its public half.
    let (key, public) = (machine.path("account.key"), machine.path("account.pub"));
    let curve = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
    read(Command::new("openssl").arg("genpkey").args(curve).args(["-out", &key]))?;
    read(Command::new("openssl").args(["pkey", "-in", &key, "-pubout", "-out", &public]))?;
    start_api_server(machine, programs, &etcd, &key, &public)?;
    let (kubeconfig, certificate) = (machine.path("admin.kubeconfig"), machine.path("pki/apiserver.crt"));
    let common =
        ["--kubeconfig", &kubeconfig, "--leader-elect=false", "--bind-address", "127.0.0.1", "--secure-port", "0"];
    let accounts = ["--service-account-private-key-file", &key, "--root-ca-file", &certificate];
    machine.spawn(programs.join("kube-controller-manager"), &[&common[..], &accounts].concat())?;
    machine.spawn(programs.join("kube-scheduler"), &common)
}

/// Starts etcd and returns its URL.
fn start_etcd(machine: &mut Machine) -> Result<String> {
    let etcd = format!("http://127.0.0.1:{}", machine.ports.etcd);
    let peers = format!("http://127.0.0.1:{}", machine.ports.peers);
    let data = machine.path("etcd");
    let own = ["--data-dir", &data, "--unsafe-no-fsync", "--listen-client-urls", &etcd];
    let own = [&own[..], &["--advertise-client-urls", &etcd, "--listen-peer-urls", &peers]].concat();
    machine.spawn(find("etcd").ok_or("etcd is not installed")?, &own)?;
    Ok(etcd)
}

fn start_api_server(machine: &mut Machine, programs: &Path, etcd: &str, key: &str, public: &str) -> Result<()> {
    // The only user is an administrator: this is a cluster of one machine, for tests.
    let tokens = machine.write("tokens.csv", format!("{TOKEN},test,test,\"system:masters\"\n"))?;
    let (pki, port) = (machine.path("pki"), machine.ports.api.to_string());
    let words = [
        ["--etcd-servers", etcd],
        ["--cert-dir", &pki],
        ["--bind-address", HOST],
        ["--secure-port", &port],
        ["--advertise-address", HOST],
        ["--token-auth-file", &tokens],
        ["--authorization-mode", "RBAC"],
        ["--service-account-key-file", public],
        ["--service-account-signing-key-file", key],
        ["--service-account-issuer", "https://kubernetes.default.svc"],
        ["--service-cluster-ip-range", "10.96.0.0/24"],
        ["--endpoint-reconciler-type", "none"],
    ];
    machine.spawn(programs.join("kube-apiserver"), words.as_flattened())?;
    let certificate = machine.path("pki/apiserver.crt");
    wait_for("the certificate of the API server", || fs::read(&certificate).is_ok_and(|text| !text.is_empty()))?;
    let authority = read(Command::new("base64").arg("-w0").arg(&certificate))?;
    let api = machine.api();
    machine.write(
        "admin.kubeconfig",
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: x\n\
             clusters: [{{name: c, cluster: {{server: '{api}', certificate-authority-data: {authority}}}}}]\n\
             users: [{{name: u, user: {{token: {TOKEN}}}}}]\ncontexts: [{{name: x, context: {{cluster: c, user: u}}}}]\n"
        ),
    )?;
    wait_for("the API server", || machine.ask("/readyz").is_ok_and(|text| text == "ok"))
}
