//! Pure: the settings that decide what becomes of the times of a schedule.

use chrono::TimeDelta;
use entity::job_spec::JobSpec;

use crate::engine::advanced_settings::Settings;

/// How many times that were missed get a row each; the older ones share one.
pub(super) const MAX_SEPARATE_ROWS: usize = 100;
/// Which of the times that were missed are made up for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissedRuns {
    None,
    Latest,
    /// All, but no more than so many.
    All(usize),
}

/// What happens to a time while a run of the schedule is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concurrency {
    Forbid,
    Allow,
    Replace,
    Queue,
}

/// What becomes of times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    pub missed: MissedRuns,
    pub starting_deadline: Option<TimeDelta>,
    pub concurrency: Concurrency,
    pub suspended: bool,
}

impl Policy {
    /// What a job's settings say.
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
