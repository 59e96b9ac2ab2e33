//! Pure: the conditions of rules by name, with their thresholds and possible targets.

use entity::alert_cause::CauseKind;
use entity::alert_rule::{Condition, Target};
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
        Condition::RunRecovered | Condition::RunMissed | Condition::DeploymentFailed | Condition::WorkspaceDrifted => {
            None
        }
        Condition::ApprovalWaiting => Some(0),
        Condition::RunLate | Condition::ClusterUnreachable => Some(60),
        Condition::RunTooLong => Some(3600),
        Condition::NoSuccessFor => Some(86_400),
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
        Condition::RunLate
        | Condition::RunTooLong
        | Condition::NoSuccessFor
        | Condition::ApprovalWaiting
        | Condition::WorkspaceDrifted
        | Condition::ClusterUnreachable => false,
    }
}

/// Whether a rule about a condition can have a target: workspaces and clusters are in no environment.
///
/// # Errors
/// A reason for the caller, with the targets that are possible.
pub fn fits(condition: Condition, target: Target) -> Result<(), String> {
    let (fits, possible) = match condition {
        Condition::RunFailed
        | Condition::RunRecovered
        | Condition::RunMissed
        | Condition::RunLate
        | Condition::RunTooLong
        | Condition::NoSuccessFor => (true, ""),
        Condition::DeploymentFailed => (
            !matches!(target, Target::Job | Target::Label),
            "an environment or a cluster, or have the scope PROJECT or ORGANIZATION",
        ),
        Condition::ApprovalWaiting | Condition::WorkspaceDrifted => (
            matches!(target, Target::Organization | Target::Project),
            "a target with the scope PROJECT or ORGANIZATION",
        ),
        Condition::ClusterUnreachable => {
            (matches!(target, Target::Organization | Target::Cluster), "a cluster, or have the scope ORGANIZATION")
        }
    };
    if fits { Ok(()) } else { Err(format!("must be {possible}, because the condition is {}", name(condition))) }
}

#[cfg(test)]
mod tests {
    use super::{Condition, Target, fits, name, parse};
    use sea_orm::Iterable as _;

    #[test]
    fn names_are_read_back_and_unknown_ones_get_the_list() {
        for condition in Condition::iter() {
            assert_eq!(parse(&name(condition)), Ok(condition));
        }
        let refused = parse("up == 0").unwrap_err();
        assert_eq!(
            refused,
            "must be one of run_failed, run_recovered, run_missed, run_late, run_too_long, no_success_for, \
             deployment_failed, approval_waiting, workspace_drifted, cluster_unreachable"
        );
    }

    #[test]
    fn a_condition_has_a_target_that_it_can_be_about() {
        for condition in Condition::iter() {
            assert_eq!(fits(condition, Target::Organization), Ok(()), "{condition:?}");
        }
        assert_eq!(fits(Condition::ClusterUnreachable, Target::Cluster), Ok(()));
        assert_eq!(fits(Condition::WorkspaceDrifted, Target::Project), Ok(()));
        assert_eq!(fits(Condition::NoSuccessFor, Target::Label), Ok(()));
        for (condition, target) in [
            (Condition::ClusterUnreachable, Target::Project),
            (Condition::WorkspaceDrifted, Target::Cluster),
            (Condition::ApprovalWaiting, Target::Environment),
            (Condition::DeploymentFailed, Target::Label),
        ] {
            assert!(fits(condition, target).unwrap_err().contains(&name(condition)));
        }
    }
}
