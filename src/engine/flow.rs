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
pub enum Wish {
    Approve,
    Reject,
    Cancel,
    /// It is so already.
    Nothing,
}

/// What it means to give a run that is `from` the status `to`; none where that cannot be.
#[must_use]
pub fn wish(from: JobStatus, to: JobStatus) -> Option<Wish> {
    match (from, to) {
        _ if from == to => Some(Wish::Nothing),
        (JobStatus::WaitingApproval, JobStatus::Approved) => Some(Wish::Approve),
        (JobStatus::WaitingApproval, JobStatus::Rejected) => Some(Wish::Reject),
        (_, JobStatus::Cancelled) if !from.is_final() => Some(Wish::Cancel),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::Iterable as _;

    const OPEN: JobFacts = JobFacts { status: JobStatus::Pending, cancel_requested: false, plan_changes: true };

    fn step(kind: FlowType, status: JobStatus) -> StepFacts {
        StepFacts { kind, status, has_scripts: false }
    }

    fn flow(plan: JobStatus, approval: JobStatus, apply: JobStatus) -> [StepFacts; 3] {
        [step(FlowType::TerraformPlan, plan), step(FlowType::Approval, approval), step(FlowType::TerraformApply, apply)]
    }

    #[test]
    fn from_the_plan_to_the_end() {
        use JobStatus::*;
        let with = |status| JobFacts { status, ..OPEN };
        for (job, steps, decision) in [
            (OPEN, flow(Pending, Pending, Pending), Decision::Start(0)),
            (with(Running), flow(Running, Pending, Pending), Decision::Wait),
            (with(Running), flow(Completed, Pending, Pending), Decision::Ask(1)),
            (with(WaitingApproval), flow(Completed, Pending, Pending), Decision::Wait),
            (with(Approved), flow(Completed, Pending, Pending), Decision::Pass(1)),
            (with(Pending), flow(Completed, Completed, Pending), Decision::Start(2)),
            (
                with(Running),
                flow(Completed, Completed, Completed),
                Decision::End { status: Completed, rest: NotExecuted },
            ),
            (with(Running), flow(Failed, Pending, Pending), Decision::End { status: Failed, rest: NotExecuted }),
            (
                JobFacts { plan_changes: false, ..OPEN },
                flow(Completed, Pending, Pending),
                Decision::End { status: Completed, rest: NotExecuted },
            ),
            (
                JobFacts { cancel_requested: true, ..OPEN },
                flow(Completed, Pending, Pending),
                Decision::End { status: Cancelled, rest: Cancelled },
            ),
            (JobFacts { cancel_requested: true, ..OPEN }, flow(Running, Pending, Pending), Decision::Wait),
            (
                JobFacts { cancel_requested: true, ..OPEN },
                flow(Completed, Completed, Completed),
                Decision::End { status: Completed, rest: NotExecuted },
            ),
        ] {
            assert_eq!(next(job, &steps), decision, "{job:?} {steps:?}");
        }
    }

    #[test]
    fn the_other_kinds_of_steps() {
        let of = |kind| next(OPEN, &[step(kind, JobStatus::Pending)]);
        assert_eq!(of(FlowType::CustomScripts), Decision::Start(0));
        assert_eq!(of(FlowType::DisableWorkspace), Decision::Disable(0));
        assert_eq!(of(FlowType::ScheduleTemplates), Decision::Schedule(0));
        let scripted = StepFacts { has_scripts: true, ..step(FlowType::Approval, JobStatus::Pending) };
        assert_eq!(next(JobFacts { status: JobStatus::Approved, ..OPEN }, &[scripted]), Decision::Start(0));
    }

    /// Whatever the statuses are: what has ended does not go on, and what runs is waited for.
    #[test]
    fn what_has_ended_has_ended() {
        for status in JobStatus::iter() {
            for (plan, apply) in JobStatus::iter().flat_map(|one| JobStatus::iter().map(move |other| (one, other))) {
                let job = JobFacts { status, ..OPEN };
                let decision = next(job, &flow(plan, JobStatus::Completed, apply));
                let runs = [plan, apply].iter().any(|one| matches!(one, JobStatus::Running | JobStatus::Queue));
                if status.is_final() || runs {
                    assert_eq!(decision, Decision::Wait);
                }
                if let Decision::Start(place) = decision {
                    assert_eq!(if place == 0 { plan } else { apply }, JobStatus::Pending);
                }
            }
        }
    }

    #[test]
    fn what_may_be_wished() {
        for from in JobStatus::iter() {
            for to in JobStatus::iter() {
                let expected = match (from, to) {
                    _ if from == to => Some(Wish::Nothing),
                    (JobStatus::WaitingApproval, JobStatus::Approved) => Some(Wish::Approve),
                    (JobStatus::WaitingApproval, JobStatus::Rejected) => Some(Wish::Reject),
                    (from, JobStatus::Cancelled) if !from.is_final() => Some(Wish::Cancel),
                    _ => None,
                };
                assert_eq!(wish(from, to), expected, "{from:?} {to:?}");
            }
        }
    }
}
