//! Pure: the built-in variables of an environment.

use entity::environment::Mode;
use entity::id::{EnvironmentId, JobId};

use super::short_id::short_id;

/// The environment that variables are derived from.
#[derive(Clone, Debug)]
pub struct EnvironmentContext<'a> {
    pub id: EnvironmentId,
    pub name: &'a str,
    pub mode: Mode,
    pub cluster_name: &'a str,
    pub region: &'a str,
}

pub(super) fn environment_pairs(of: &EnvironmentContext<'_>) -> [(&'static str, String, &'static str); 7] {
    [
        ("QOVERY_CLOUD_PROVIDER", "ON_PREMISE".into(), "Cloud provider of the cluster"),
        ("QOVERY_CLOUD_PROVIDER_REGION", of.region.into(), "Region of the cluster"),
        ("QOVERY_ENVIRONMENT_ID", of.id.to_string(), "ID of the environment"),
        ("QOVERY_ENVIRONMENT_NAME", of.name.into(), "Name of the environment"),
        ("QOVERY_ENVIRONMENT_TYPE", mode_name(of.mode).into(), "Mode of the environment"),
        ("QOVERY_KUBERNETES_CLUSTER_NAME", of.cluster_name.into(), "Name of the cluster"),
        ("QOVERY_KUBERNETES_NAMESPACE_NAME", namespace(of.id, of.name), "Namespace of the environment"),
    ]
}

fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Development => "DEVELOPMENT",
        Mode::Preview => "PREVIEW",
        Mode::Production => "PRODUCTION",
        Mode::Staging => "STAGING",
    }
}

pub(super) fn tag_key(job: JobId) -> String {
    format!("QOVERY_JOB_Z{}_TAG", short_id(job.0).to_uppercase())
}

/// A valid name of a Kubernetes namespace: letters, digits and hyphens.
fn namespace(id: EnvironmentId, name: &str) -> String {
    let plain: String = name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let long = format!("z{}-{}", short_id(id.0), plain.trim_matches('-'));
    long.chars().take(63).collect::<String>().trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use entity::id::EnvironmentId;
    use uuid::Uuid;

    use super::namespace;

    #[test]
    fn namespaces_are_valid_names() {
        let id = EnvironmentId(Uuid::from_u128(0x1234_5678_0000_0000_0000_0000_0000_0000));
        assert_eq!(namespace(id, "My Env!"), "z12345678-my-env");
        assert_eq!(namespace(id, "日本"), "z12345678");
        assert_eq!(namespace(id, &"a".repeat(100)).len(), 63);
    }
}
