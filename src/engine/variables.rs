//! Pure: the variables that a run gets without anybody setting them.

use chrono::{DateTime, SecondsFormat, Utc};
use entity::environment::Mode;
use entity::id::{DeploymentId, EnvironmentId, JobId, ProjectId, RunId};
use entity::run::Event;
use uuid::Uuid;

/// What the built-in variables are made from.
#[derive(Clone, Debug)]
pub struct Surroundings<'a> {
    pub project_id: ProjectId,
    pub environment_id: EnvironmentId,
    pub environment_name: &'a str,
    pub mode: Mode,
    pub cluster_name: &'a str,
    pub region: &'a str,
    pub job_id: JobId,
    pub run_id: RunId,
    pub attempt: i32,
    pub deployment_id: Option<DeploymentId>,
    pub event: Event,
    pub image_tag: Option<&'a str>,
    pub scheduled_for: Option<DateTime<Utc>>,
}

/// The first eight digits of an id, which is how names refer to it.
#[must_use]
pub fn short_id(id: Uuid) -> String {
    id.simple().to_string().chars().take(8).collect()
}

/// The built-in variables of a run, sorted by name.
#[must_use]
pub fn built_in(of: &Surroundings<'_>) -> Vec<(String, String)> {
    let mode = match of.mode {
        Mode::Development => "DEVELOPMENT",
        Mode::Preview => "PREVIEW",
        Mode::Production => "PRODUCTION",
        Mode::Staging => "STAGING",
    };
    let job = short_id(of.job_id.0).to_uppercase();
    let mut variables = vec![
        ("QOVERY_CLOUD_PROVIDER".to_owned(), "ON_PREMISE".to_owned()),
        ("QOVERY_CLOUD_PROVIDER_REGION".into(), of.region.into()),
        ("QOVERY_ENVIRONMENT_ID".into(), of.environment_id.to_string()),
        ("QOVERY_ENVIRONMENT_NAME".into(), of.environment_name.into()),
        ("QOVERY_ENVIRONMENT_TYPE".into(), mode.into()),
        ("QOVERY_JOB_ACTION".into(), of.event.name().into()),
        ("QOVERY_JOB_ID".into(), of.job_id.to_string()),
        ("QOVERY_KUBERNETES_CLUSTER_NAME".into(), of.cluster_name.into()),
        ("QOVERY_KUBERNETES_NAMESPACE_NAME".into(), namespace(of.environment_id, of.environment_name)),
        ("QOVERY_PROJECT_ID".into(), of.project_id.to_string()),
        ("WINDLASS_ATTEMPT".into(), of.attempt.to_string()),
        ("WINDLASS_RUN_ID".into(), of.run_id.to_string()),
    ];
    if let Some(tag) = of.image_tag {
        variables.push((format!("QOVERY_JOB_Z{job}_TAG"), tag.to_owned()));
    }
    if let Some(deployment) = of.deployment_id {
        variables.push(("QOVERY_DEPLOYMENT_ID".into(), deployment.to_string()));
    }
    if let Some(time) = of.scheduled_for {
        variables.push(("WINDLASS_SCHEDULED_FOR".into(), time.to_rfc3339_opts(SecondsFormat::Secs, true)));
    }
    variables.sort_unstable();
    variables
}

/// A name of letters, digits and hyphens, as a Kubernetes namespace has to be.
fn namespace(id: EnvironmentId, name: &str) -> String {
    let plain: String = name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let long = format!("z{}-{}", short_id(id.0), plain.trim_matches('-'));
    long.chars().take(63).collect::<String>().trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{EnvironmentId, Uuid, namespace};

    #[test]
    fn namespaces_are_valid_names() {
        let id = EnvironmentId(Uuid::from_u128(0x1234_5678_0000_0000_0000_0000_0000_0000));
        assert_eq!(namespace(id, "My Env!"), "z12345678-my-env");
        assert_eq!(namespace(id, "日本"), "z12345678");
        assert_eq!(namespace(id, &"a".repeat(100)).len(), 63);
    }
}
