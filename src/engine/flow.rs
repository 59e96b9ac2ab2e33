//! Pure: what comes next in a run of a workspace, and what somebody may make of it.

use entity::workspace_job::JobStatus;

use super::template::FlowType;

/// What is known of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepFacts {
    pub kind: FlowType,
    pub status: JobStatus,
    /// Whether something is executed for it; an approval without scripts is only a word.
    pub has_scripts: bool,
}

/// What is known of a run of a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobFacts {
    pub status: JobStatus,
    pub cancel_requested: bool,
    /// False when a plan found nothing to change.
    pub plan_changes: bool,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Wait,
    /// Execute the step at this place.
    Start(usize),
    /// Ask for an approval, which is this step.
    Ask(usize),
    /// The step at this place has nothing to execute.
    Pass(usize),
    /// Make schedules of the templates that this step names.
    Schedule(usize),
    /// Put the workspace away, and end.
    Disable(usize),
    /// It is over; steps that were not begun become `rest`.
    End {
        status: JobStatus,
        rest: JobStatus,
    },
}

/// What comes next. Its turn has come: nothing older of the workspace is open.
#[must_use]
pub fn next(job: JobFacts, steps: &[StepFacts]) -> Decision {
    let end = |status, rest| Decision::End { status, rest };
    let any = |status: JobStatus| steps.iter().any(|step| step.status == status);
    if job.status.is_final() || any(JobStatus::Queue) || any(JobStatus::Running) {
        return Decision::Wait;
    }
    // What was done before it could be cancelled is done.
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
    let Some((place, step)) = waiting else { return end(JobStatus::Completed, JobStatus::NotExecuted) };
    match (step.kind, job.status) {
        (FlowType::Approval, JobStatus::Approved) if step.has_scripts => Decision::Start(place),
        (FlowType::Approval, JobStatus::Approved) => Decision::Pass(place),
        (FlowType::Approval, JobStatus::WaitingApproval) => Decision::Wait,
        (FlowType::Approval, _) => Decision::Ask(place),
        (FlowType::DisableWorkspace, _) => Decision::Disable(place),
        (FlowType::ScheduleTemplates, _) => Decision::Schedule(place),
        (
            FlowType::TerraformPlan
            | FlowType::TerraformPlanDestroy
            | FlowType::TerraformApply
            | FlowType::TerraformDestroy
            | FlowType::CustomScripts,
            _,
        ) => Decision::Start(place),
    }
}

/// What somebody makes of a run by giving it a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusChange {
    Approve,
    Reject,
    Cancel,
    /// It is so already.
    None,
}

/// What it means to give a run that is `from` the status `to`; none where that cannot be.
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
