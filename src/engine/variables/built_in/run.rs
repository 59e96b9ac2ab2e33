//! Pure: the built-in variables of a run.

use chrono::{DateTime, SecondsFormat, Utc};
use entity::environment::Mode;
use entity::id::{DeploymentId, EnvironmentId, JobId, ProjectId, RunId};
use entity::run::Event;

use super::environment::{EnvironmentContext, environment_pairs, tag_key};

/// The source of the built-in variables of a run.
#[derive(Clone, Debug)]
pub struct RunContext<'a> {
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

/// The built-in variables of a run, sorted by name.
#[must_use]
pub fn for_run(of: &RunContext<'_>) -> Vec<(String, String)> {
    let environment = EnvironmentContext {
        id: of.environment_id,
        name: of.environment_name,
        mode: of.mode,
        cluster_name: of.cluster_name,
        region: of.region,
    };
    let mut variables: Vec<(String, String)> =
        environment_pairs(&environment).into_iter().map(|(key, value, _)| (key.to_owned(), value)).collect();
    variables.extend([
        ("QOVERY_JOB_ACTION".to_owned(), of.event.name().to_owned()),
        ("QOVERY_JOB_ID".into(), of.job_id.to_string()),
        ("QOVERY_PROJECT_ID".into(), of.project_id.to_string()),
        ("WINDLASS_ATTEMPT".into(), of.attempt.to_string()),
        ("WINDLASS_RUN_ID".into(), of.run_id.to_string()),
    ]);
    if let Some(tag) = of.image_tag {
        variables.push((tag_key(of.job_id), tag.to_owned()));
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
