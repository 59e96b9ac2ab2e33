//! Pure: the settings that decide what happens at each time of a schedule.

use chrono::TimeDelta;
use entity::job_spec::JobSpec;

use crate::engine::advanced_settings::Settings;

/// How many missed times get a row each; older ones share one.
pub(super) const MAX_SEPARATE_ROWS: usize = 100;

/// Which missed times are caught up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissedRuns {
    None,
    Latest,
    /// The newest ones, up to this many.
    All(usize),
}

/// What happens at a time while an earlier run of the schedule is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concurrency {
    Forbid,
    Allow,
    Replace,
    Queue,
}

/// What happens at the times of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    pub missed: MissedRuns,
    pub starting_deadline: Option<TimeDelta>,
    pub concurrency: Concurrency,
    pub suspended: bool,
}

impl Policy {
    /// The policy that a job's settings describe.
    #[must_use]
    pub fn of(spec: &JobSpec) -> Self {
        let settings = Settings(&spec.settings);
        let limit = settings.number("cronjob.missed_runs_limit").and_then(|limit| usize::try_from(limit).ok());
        let deadline = settings.number("cronjob.starting_deadline_seconds");
        Self {
            missed: match settings.text("cronjob.missed_runs").as_deref() {
                Some("none") => MissedRuns::None,
                Some("all") => MissedRuns::All(limit.unwrap_or(MAX_SEPARATE_ROWS)),
                _ => MissedRuns::Latest,
            },
            starting_deadline: deadline.map(|seconds| TimeDelta::seconds(seconds.into())),
            concurrency: match settings.text("cronjob.concurrency_policy").as_deref() {
                Some("Allow") => Concurrency::Allow,
                Some("Replace") => Concurrency::Replace,
                Some("Queue") => Concurrency::Queue,
                _ => Concurrency::Forbid,
            },
            suspended: settings.is_on("cronjob.suspend"),
        }
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
