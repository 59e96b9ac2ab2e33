//! Pure: the conditions of rules by name, and which jobs a rule covers.

use entity::alert_cause::CauseKind;
use entity::alert_rule::{Condition, Model, Target};
use entity::id::{ClusterId, EnvironmentId, JobId, ProjectId};
use sea_orm::{ActiveEnum as _, Iterable as _};

/// The name of a condition.
#[must_use]
pub fn name(condition: Condition) -> String {
    condition.to_value()
}

/// The condition with a name.
///
/// # Errors
/// A reason for the caller, with the names of all conditions.
pub fn parse(text: &str) -> Result<Condition, String> {
    let known = || Condition::iter().map(name).collect::<Vec<_>>().join(", ");
    Condition::try_from_value(&text.trim().to_owned()).map_err(|_| format!("must be one of {}", known()))
}

/// The threshold of a rule without one; none if its condition has no threshold.
#[must_use]
pub fn default_threshold(condition: Condition) -> Option<i32> {
    match condition {
        Condition::RunFailed => Some(1),
        Condition::RunRecovered | Condition::RunMissed | Condition::DeploymentFailed => None,
        Condition::RunLate => Some(60),
        Condition::RunTooLong => Some(3600),
    }
}

/// Whether a condition has a threshold.
#[must_use]
pub fn needs_threshold(condition: Condition) -> bool {
    default_threshold(condition).is_some()
}

/// Whether something that happened matters for a condition.
#[must_use]
pub fn is_caused_by(condition: Condition, kind: CauseKind) -> bool {
    match condition {
        Condition::RunFailed | Condition::RunRecovered => kind == CauseKind::RunFailed,
        Condition::RunMissed => kind == CauseKind::TimeSkipped,
        Condition::DeploymentFailed => kind == CauseKind::DeploymentFailed,
        Condition::RunLate | Condition::RunTooLong => false,
    }
}

/// Whether a rule covers something in a place of its organization.
#[must_use]
pub fn covers(
    rule: &Model,
    (project, cluster, environment, job): (ProjectId, ClusterId, EnvironmentId, Option<JobId>),
) -> bool {
    match rule.target {
        Target::Organization => true,
        Target::Project => rule.project_id == Some(project),
        Target::Cluster => rule.cluster_id == cluster,
        Target::Environment => rule.environment_id == Some(environment),
        Target::Job => job.is_some() && rule.job_id == job,
    }
}

#[cfg(test)]
mod tests {
    use super::{Condition, name, parse};
    use sea_orm::Iterable as _;

    #[test]
    fn names_are_read_back_and_unknown_ones_get_the_list() {
        for condition in Condition::iter() {
            assert_eq!(parse(&name(condition)), Ok(condition));
        }
        let refused = parse("up == 0").unwrap_err();
        assert_eq!(
            refused,
            "must be one of run_failed, run_recovered, run_missed, run_late, run_too_long, deployment_failed"
        );
    }
}
