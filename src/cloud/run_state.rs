//! Pure: a workspace job as a run of this API, with its plan and its apply.
//!
//! Programs treat every status but `pending` and `confirmed` as one in which something happens, and end without a word when a finished
//! plan cannot be confirmed. So a plan is finished only when the job has decided what comes next. They end without a word, too, if a run has
//! failed when they look at it after its plan, so an apply that nobody is asked about takes a few seconds before it fails.

use chrono::TimeDelta;
use entity::workspace_job::{self, JobStatus};

/// The steps of a job that matter here, by their status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    /// The first step that plans.
    pub(super) plan: Option<JobStatus>,
    /// The step that carries the plan out.
    pub(super) apply: Option<JobStatus>,
    /// How long ago the plan was approved.
    pub(super) approved: Option<TimeDelta>,
}

/// How long a run does not fail after its plan was approved beforehand. Programs look at the run within that time.
const RUN_FAILS_AFTER: TimeDelta = TimeDelta::seconds(10);

/// The same for its apply, for whose end programs wait before they look at the run for the last time. Clocks of servers differ a little.
const APPLY_FAILS_AFTER: TimeDelta = TimeDelta::seconds(13);

/// Whether the apply has failed so soon that a program may not have looked at the run yet.
fn fails_early(job: &workspace_job::Model, of: Progress, after: TimeDelta) -> bool {
    let failed = (job.status, of.apply) == (JobStatus::Failed, Some(JobStatus::Failed));
    failed && job.auto_apply && of.approved.is_some_and(|ago| ago < after)
}

/// The status of a run.
pub(super) fn of_run(job: &workspace_job::Model, of: Progress) -> &'static str {
    let apply_begun = of.apply.is_some_and(|apply| !matches!(apply, JobStatus::Pending | JobStatus::NotExecuted));
    match job.status {
        _ if fails_early(job, of, RUN_FAILS_AFTER) => "applying",
        JobStatus::Rejected => "discarded",
        JobStatus::Cancelled => "canceled",
        JobStatus::Failed | JobStatus::NotExecuted => "errored",
        JobStatus::Completed if of.apply == Some(JobStatus::Completed) => "applied",
        JobStatus::Completed => "planned_and_finished",
        JobStatus::WaitingApproval if job.save_plan => "planned_and_saved",
        JobStatus::WaitingApproval => "planned",
        JobStatus::Pending | JobStatus::Queue | JobStatus::Running | JobStatus::Approved => match of {
            Progress { apply: Some(JobStatus::Queue), .. } => "apply_queued",
            _ if apply_begun => "applying",
            Progress { plan: Some(JobStatus::Completed), .. }
                if job.asked_at.is_some() || job.approved_at.is_some() =>
            {
                "confirmed"
            }
            Progress { plan: None | Some(JobStatus::Pending), .. } => "pending",
            Progress { plan: Some(JobStatus::Queue), .. } => "plan_queued",
            Progress { plan: Some(_), .. } => "planning",
        },
    }
}

/// The status of the plan of a run.
pub(super) fn of_plan(job: &workspace_job::Model, of: Progress) -> &'static str {
    match of.plan {
        Some(JobStatus::Failed) => "errored",
        Some(JobStatus::Cancelled | JobStatus::Rejected) => "canceled",
        Some(JobStatus::Completed) if is_decided(job) => "finished",
        Some(JobStatus::NotExecuted) => "unreachable",
        Some(JobStatus::Queue) => "queued",
        Some(JobStatus::Running | JobStatus::Completed) => "running",
        _ if job.status == JobStatus::Cancelled => "canceled",
        _ if job.status.is_final() => "errored",
        _ => "pending",
    }
}

/// Whether the job has gone on after its plan.
fn is_decided(job: &workspace_job::Model) -> bool {
    job.status.is_final() || job.asked_at.is_some() || job.approved_at.is_some()
}

/// The status of the apply of a run.
pub(super) fn of_apply(job: &workspace_job::Model, of: Progress) -> &'static str {
    match of.apply {
        Some(JobStatus::Completed) => "finished",
        // Whoever knows that the apply has failed finds that the run has failed, too.
        Some(JobStatus::Failed) if !job.status.is_final() || fails_early(job, of, APPLY_FAILS_AFTER) => "running",
        Some(JobStatus::Failed) => "errored",
        Some(JobStatus::Cancelled | JobStatus::Rejected) => "canceled",
        Some(JobStatus::Queue) => "queued",
        Some(JobStatus::Running) => "running",
        None | Some(JobStatus::NotExecuted) => "unreachable",
        Some(_) if job.status.is_final() => "unreachable",
        Some(_) => "pending",
    }
}

/// Whether the plan has changes to apply.
pub(super) fn has_changes(job: &workspace_job::Model, of: Progress) -> bool {
    job.plan_changes && of.plan == Some(JobStatus::Completed)
}

/// Which actions the state of a run permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Actions {
    pub(super) confirmable: bool,
    pub(super) discardable: bool,
    pub(super) cancelable: bool,
}

/// The actions that a job permits. One whose plan is stale can only be discarded.
pub(super) fn actions(job: &workspace_job::Model, is_stale: bool) -> Actions {
    let waits = job.status == JobStatus::WaitingApproval;
    Actions { confirmable: waits && !is_stale, discardable: waits, cancelable: !waits && !job.status.is_final() }
}

#[cfg(test)]
#[path = "run_state_tests.rs"]
mod tests;
