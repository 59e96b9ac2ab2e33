//! The Helm chart of this repository, rendered and installed.

use std::path::{Path, PathBuf};
use std::process::Command;

/// How long Helm waits until all pods of a release are ready.
const PATIENCE: &str = "120s";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/helm")
}

/// Runs Helm, on the cluster, and returns what it prints, or its errors.
fn helm(words: &[&str]) -> Result<String, String> {
    let program = std::env::var("WINDLASS_TEST_KUBERNETES_HELM").expect("WINDLASS_TEST_KUBERNETES_HELM names no Helm");
    let kubeconfig = std::env::var("WINDLASS_TEST_KUBERNETES").expect("WINDLASS_TEST_KUBERNETES names no kubeconfig");
    let output = Command::new(program).args(words).env("KUBECONFIG", kubeconfig).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// A namespace as text.
pub(super) fn namespace(name: &str) -> String {
    format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n")
}

/// The objects of a release named `windlass` as text.
pub(super) fn rendered(namespace: &str, values: &[&str]) -> String {
    let chart = folder().display().to_string();
    let mut words = vec!["template", "windlass", &chart, "--namespace", namespace];
    words.extend(values.iter().flat_map(|value| ["--set", value]));
    helm(&words).unwrap()
}

/// The objects of a release of a file of values as text.
pub(super) fn rendered_with(file: &str, values: &[&str]) -> String {
    let (chart, file) = (folder().display().to_string(), folder().join("ci").join(file).display().to_string());
    let mut words = vec!["template", "example", &chart, "--namespace", "default", "--values", &file];
    words.extend(values.iter().flat_map(|value| ["--set", value]));
    helm(&words).unwrap()
}

/// A release named `windlass`, in a namespace of its own.
pub(super) struct Release {
    namespace: String,
    values: String,
}

impl Release {
    /// Installs the chart, and waits until its pods are ready.
    pub(super) fn install(namespace: &str, values: &serde_json::Value) -> Self {
        let release = Self { namespace: namespace.into(), values: values.to_string() };
        release.change("install", &[]).unwrap_or_else(|reason| panic!("{namespace}: {reason}"));
        release
    }

    /// Changes values of the release, and waits until its new pods are ready.
    pub(super) fn upgrade(&self, values: &[&str]) {
        self.change("upgrade", values).unwrap_or_else(|reason| panic!("{}: {reason}", self.namespace));
    }

    pub(super) fn uninstall(self) {
        helm(&["uninstall", "windlass", "--namespace", &self.namespace, "--wait"]).unwrap();
    }

    fn change(&self, action: &str, values: &[&str]) -> Result<String, String> {
        let file = tempfile::NamedTempFile::with_suffix(".json").unwrap();
        std::fs::write(file.path(), &self.values).unwrap();
        let (chart, file) = (folder().display().to_string(), file.path().display().to_string());
        let mut words = vec![action, "windlass", &chart, "--namespace", &self.namespace, "--values", &file];
        words.extend(values.iter().flat_map(|value| ["--set", value]));
        words.extend(["--wait", "--timeout", PATIENCE]);
        helm(&words)
    }
}
