//! Something that may have to be told, and what it says.

use chrono::{DateTime, Utc};
use entity::alert_cause::{CauseKind, Model as Cause};
use entity::alert_rule::Model as Rule;
use entity::id::{AlertRuleId, RunId};
use entity::skipped_time::SkipReason;
use sea_orm::ActiveEnum as _;

use super::subject::Subject;
use crate::engine::alert::is_caused_by;
use crate::engine::skip_words::skipped_words;

/// Something that happened to a job, an environment, a workspace or a cluster.
pub(super) struct Happened {
    /// The conditions that it fulfils.
    pub(super) fulfils: Fulfils,
    pub(super) subject: Subject,
    pub(super) run: Option<RunId>,
    pub(super) at: DateTime<Utc>,
    /// Since when it is so.
    pub(super) since: DateTime<Utc>,
    pub(super) reason: Option<String>,
}

/// Which conditions something fulfils.
pub(super) enum Fulfils {
    /// Those about a kind of cause, for a reason by its name.
    Those(CauseKind, Option<String>),
    /// Those of one rule, which looked for it.
    Rule(AlertRuleId),
}

impl Fulfils {
    /// Whether they include the one of a rule.
    pub(super) fn has(&self, rule: &Rule) -> bool {
        match self {
            Self::Those(kind, code) => {
                let named =
                    |reasons: &[String]| reasons.is_empty() || code.as_ref().is_some_and(|code| reasons.contains(code));
                is_caused_by(rule.condition, *kind) && rule.reasons.as_ref().is_none_or(|reasons| named(&reasons.0))
            }
            Self::Rule(id) => *id == rule.id,
        }
    }
}

impl From<Cause> for Happened {
    fn from(cause: Cause) -> Self {
        let Cause {
            id: _,
            organization_id: _,
            kind,
            environment_id,
            job_id,
            run_id,
            deployment_id: _,
            happened_at,
            reason,
        } = cause;
        let code = reason.clone().filter(|_| kind == CauseKind::TimeSkipped);
        let reason = match kind {
            CauseKind::TimeSkipped => reason.as_deref().map(|reason| skipped(reason, happened_at)),
            CauseKind::DeploymentFailed => Some("a deployment failed".into()),
            CauseKind::RunFailed => reason,
        };
        Self {
            fulfils: Fulfils::Those(kind, code),
            subject: job_id.map_or(Subject::Environment(environment_id), |job| Subject::Job(environment_id, job)),
            run: run_id,
            at: happened_at,
            since: happened_at,
            reason,
        }
    }
}

/// Why a time was skipped, as `explain` says it.
fn skipped(reason: &str, at: DateTime<Utc>) -> String {
    SkipReason::try_from_value(&reason.to_owned()).map_or_else(
        |_| format!("the time {} was skipped ({reason})", at.format("%Y-%m-%d %H:%M:%S UTC")),
        |known| skipped_words(known, at),
    )
}
