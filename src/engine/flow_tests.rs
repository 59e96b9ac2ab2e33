//! Tests of the flow of workspace jobs.

use super::*;
use sea_orm::Iterable as _;

const OPEN: JobFacts = JobFacts {
    status: JobStatus::Pending,
    cancel_requested: false,
    plan_changes: true,
    plan_only: false,
    auto_apply: false,
};

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
        (with(Running), flow(Completed, Completed, Completed), Decision::End { status: Completed, rest: NotExecuted }),
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
fn a_job_that_only_plans_ends_before_its_approval() {
    use JobStatus::*;
    let only = JobFacts { plan_only: true, ..OPEN };
    let ended = Decision::End { status: Completed, rest: NotExecuted };
    assert_eq!(next(only, &flow(Pending, Pending, Pending)), Decision::Start(0));
    assert_eq!(next(only, &flow(Completed, Pending, Pending)), ended);
    // Even if somebody had a way to approve it.
    assert_eq!(next(JobFacts { status: Approved, ..only }, &flow(Completed, Pending, Pending)), ended);
    for kind in [
        FlowType::TerraformPlanDestroy,
        FlowType::TerraformApply,
        FlowType::TerraformDestroy,
        FlowType::CustomScripts,
        FlowType::DisableWorkspace,
        FlowType::ScheduleTemplates,
    ] {
        let decision = next(only, &[step(kind, Pending)]);
        assert_eq!(decision == Decision::Start(0), kind.only_plans(), "{kind:?}: {decision:?}");
    }
}

#[test]
fn an_approval_can_be_given_beforehand() {
    use JobStatus::*;
    let auto = JobFacts { auto_apply: true, ..OPEN };
    assert_eq!(next(auto, &flow(Completed, Pending, Pending)), Decision::Approve(1));
    assert_eq!(next(JobFacts { status: Approved, ..auto }, &flow(Completed, Pending, Pending)), Decision::Pass(1));
    let nothing = JobFacts { plan_changes: false, ..auto };
    assert_eq!(
        next(nothing, &flow(Completed, Pending, Pending)),
        Decision::End { status: Completed, rest: NotExecuted }
    );
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

/// With any combination of statuses, an ended job stays ended, and a running step is waited for.
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
            if let Decision::Start(index) = decision {
                assert_eq!(if index == 0 { plan } else { apply }, JobStatus::Pending);
            }
        }
    }
}

#[test]
fn what_may_be_asked_for() {
    for from in JobStatus::iter() {
        for to in JobStatus::iter() {
            let expected = match (from, to) {
                _ if from == to => Some(StatusChange::None),
                (JobStatus::WaitingApproval, JobStatus::Approved) => Some(StatusChange::Approve),
                (JobStatus::WaitingApproval, JobStatus::Rejected) => Some(StatusChange::Reject),
                (from, JobStatus::Cancelled) if !from.is_final() => Some(StatusChange::Cancel),
                _ => None,
            };
            assert_eq!(status_change(from, to), expected, "{from:?} {to:?}");
        }
    }
}
