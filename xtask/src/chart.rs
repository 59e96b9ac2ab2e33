//! `cargo xtask chart`: the Helm chart is rendered with each file of deploy/helm/ci, and refuses what contradicts itself.
//!
//! `cargo xtask test --kubernetes` installs it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Result, read, root};
use crate::helm;

/// The objects of a release of each file of values, and texts that must be among them.
const CASES: [(&str, &[&str], &[&str]); 4] = [
    (
        "sqlite",
        &["ServiceAccount", "PersistentVolumeClaim", "ClusterRole", "ClusterRoleBinding", "Service", "Deployment"],
        &["type: Recreate", "claimName: example-windlass-data", "helm.sh/resource-policy: keep", "replicas: 1"],
    ),
    (
        "postgresql",
        &[
            "PodDisruptionBudget",
            "ServiceAccount",
            "ClusterRole",
            "ClusterRoleBinding",
            "Service",
            "Deployment",
            "Ingress",
            "ServiceMonitor",
        ],
        &["replicas: 3", "value: \"2000000\"", "value: \"https://windlass.example.com\"", "key: database-url"],
    ),
    (
        "bundled",
        &[
            "PodDisruptionBudget",
            "ServiceAccount",
            "ClusterRole",
            "ClusterRoleBinding",
            "Service",
            "Service",
            "Deployment",
            "StatefulSet",
        ],
        &["name: example-windlass-postgres", "key: postgres-password"],
    ),
    ("account", &["ServiceAccount", "ClusterRole", "ClusterRoleBinding"], &["name: example-windlass"]),
];

/// Values that are refused, after those for SQLite, and what the error says.
const REFUSED: [(&[&str], &str); 10] = [
    (&["image.repository="], "image.repository: set it"),
    (&["replicas=2"], "replicas: SQLite allows one server"),
    (&["database.kind=postgresql"], "existingSecret: PostgreSQL needs"),
    (&["postgresql.bundled=true"], "postgresql.bundled: set database.kind"),
    (&["ingress.enabled=true"], "ingress.host: set it"),
    (&["serviceAccount.create=false"], "serviceAccount.name: set it"),
    (&["settings.WINDLASS_LISTEN=x"], "settings.WINDLASS_LISTEN: the chart sets it"),
    (&["settings.WINDLASS_TLS_CERTIFICATE=x"], "let the ingress terminate TLS"),
    (&["replica=1"], "additional properties 'replica' not allowed"),
    (&["database.kind=mysql"], "value must be one of 'sqlite', 'postgresql'"),
];

/// Where the chart is.
pub(crate) fn folder() -> PathBuf {
    root().join("deploy/helm")
}

pub(crate) fn run_all() -> Result<()> {
    let helm = helm::provide()?;
    for (name, kinds, texts) in CASES {
        let values = folder().join("ci").join(name).with_extension("yaml");
        read(Command::new(&helm).args(["lint", "--strict", "--values"]).arg(&values).arg(folder()))?;
        let rendered = rendered(&helm, &values, &[])?;
        let found: Vec<&str> = rendered.lines().filter_map(|line| line.strip_prefix("kind: ")).collect();
        if found != kinds {
            return Err(format!("{name}: the chart renders {found:?}, and not {kinds:?}"));
        }
        let missing: Vec<_> = texts.iter().filter(|text| !rendered.contains(**text)).collect();
        if !missing.is_empty() {
            return Err(format!("{name}: the chart does not render {missing:?}:\n{rendered}"));
        }
    }
    let version = env!("CARGO_PKG_VERSION");
    let values = folder().join("ci/sqlite.yaml");
    let image = format!("image: \"registry.example.com/windlass:{version}\"");
    if !rendered(&helm, &values, &[])?.contains(&image) {
        return Err(format!("the image of the chart is not that of version {version}"));
    }
    for (sets, reason) in REFUSED {
        match rendered(&helm, &values, sets) {
            Ok(_) => return Err(format!("the chart accepts {sets:?}")),
            Err(text) if text.contains(reason) => {}
            Err(text) => return Err(format!("the chart refuses {sets:?} without {reason:?}: {text}")),
        }
    }
    eprintln!("== the chart is rendered with {} files of values, and refused with {}", CASES.len(), REFUSED.len());
    Ok(())
}

fn rendered(helm: &Path, values: &Path, sets: &[&str]) -> Result<String> {
    let mut template = Command::new(helm);
    template.args(["template", "example"]).arg(folder()).args(["--namespace", "jobs", "--values"]).arg(values);
    for set in sets {
        template.args(["--set", set]);
    }
    read(&mut template)
}

#[cfg(test)]
mod tests {
    use super::folder;

    #[test]
    fn the_chart_has_the_version_of_the_program() {
        let text = std::fs::read_to_string(folder().join("Chart.yaml")).unwrap();
        for key in ["version", "appVersion"] {
            let line = format!("{key}: {}", env!("CARGO_PKG_VERSION"));
            assert!(text.lines().any(|found| found == line), "deploy/helm/Chart.yaml has no line {line:?}");
        }
    }
}
