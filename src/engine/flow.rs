//! Pure: what a workspace job does next, and which status changes users may request.

use entity::workspace_job::JobStatus;

use super::template::FlowType;

/// The facts about a step that the decision depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepFacts {
    pub kind: FlowType,
    pub status: JobStatus,
    /// Whether the step executes anything; an approval without scripts does not.
    pub has_scripts: bool,
}

/// The facts about the workspace job that the decision depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobFacts {
    pub status: JobStatus,
    pub cancel_requested: bool,
    /// False if a plan found nothing to change, which ends the job.
    pub plan_changes: bool,
    /// Whether the job ends before the first step that would change something, or ask whether to.
    pub plan_only: bool,
    /// Whether approvals are given by whoever asked for the job.
    pub auto_apply: bool,
}

/// The next action of the workspace job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Wait,
    /// Execute the step with this index.
    Start(usize),
    /// Ask for the approval of the step with this index.
    Ask(usize),
    /// Take the approval of the step with this index as given.
    Approve(usize),
    /// Complete the step with this index, which has nothing to execute.
    Pass(usize),
    /// Create schedules for the templates that the step with this index names.
    Schedule(usize),
    /// Disable the workspace, and end the job.
    Disable(usize),
    /// End the job; steps that were not started get the status `rest`.
    End {
        status: JobStatus,
        rest: JobStatus,
    },
}

/// Decides what a workspace job does next. The caller ensures that no older job of the workspace is open.
#[must_use]
pub fn next(job: JobFacts, steps: &[StepFacts]) -> Decision {
    let end = |status, rest| Decision::End { status, rest };
    let any = |status: JobStatus| steps.iter().any(|step| step.status == status);
    if job.status.is_final() || any(JobStatus::Queue) || any(JobStatus::Running) {
        return Decision::Wait;
    }
    // A job that finished before it could be cancelled is completed.
    if (job.cancel_requested && any(JobStatus::Pending)) || any(JobStatus::Cancelled) {
        return end(JobStatus::Cancelled, JobStatus::Cancelled);
    }
    if any(JobStatus::Failed) {
        return end(JobStatus::Failed, JobStatus::NotExecuted);
    }
    if !job.plan_changes {
        return end(JobStatus::Completed, JobStatus::NotExecuted);
    }
    let waiting = steps.iter().enumerate().find(|(_, step)| step.status == JobStatus::Pending);
    let Some((index, step)) = waiting else { return end(JobStatus::Completed, JobStatus::NotExecuted) };
    if job.plan_only && !step.kind.only_plans() {
        return end(JobStatus::Completed, JobStatus::NotExecuted);
    }
    match (step.kind, job.status) {
        (FlowType::Approval, JobStatus::Approved) if step.has_scripts => Decision::Start(index),
        (FlowType::Approval, JobStatus::Approved) => Decision::Pass(index),
        (FlowType::Approval, JobStatus::WaitingApproval) => Decision::Wait,
        (FlowType::Approval, _) if job.auto_apply => Decision::Approve(index),
        (FlowType::Approval, _) => Decision::Ask(index),
        (FlowType::DisableWorkspace, _) => Decision::Disable(index),
        (FlowType::ScheduleTemplates, _) => Decision::Schedule(index),
        (
            FlowType::TerraformPlan
            | FlowType::TerraformPlanDestroy
            | FlowType::TerraformApply
            | FlowType::TerraformDestroy
            | FlowType::CustomScripts,
            _,
        ) => Decision::Start(index),
    }
}

/// The meaning of a requested status for a workspace job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusChange {
    Approve,
    Reject,
    Cancel,
    /// The job already has the status.
    None,
}

/// The meaning of setting the status `to` on a job whose status is `from`; `None` if that is not allowed.
#[must_use]
pub fn status_change(from: JobStatus, to: JobStatus) -> Option<StatusChange> {
    match (from, to) {
        _ if from == to => Some(StatusChange::None),
        (JobStatus::WaitingApproval, JobStatus::Approved) => Some(StatusChange::Approve),
        (JobStatus::WaitingApproval, JobStatus::Rejected) => Some(StatusChange::Reject),
        (_, JobStatus::Cancelled) if !from.is_final() => Some(StatusChange::Cancel),
        _ => None,
    }
}

#[cfg(test)]
#[path = "flow_tests.rs"]
mod tests;
