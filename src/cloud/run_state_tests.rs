//! Tests of the statuses of runs.

use entity::id::{OrganizationId, WorkspaceId};
use entity::workspace_job::{self, JobStatus};
use sea_orm::Iterable as _;

use super::{Progress, actions, has_changes, of_apply, of_plan, of_run};

fn job(status: JobStatus) -> workspace_job::Model {
    let now = chrono::DateTime::UNIX_EPOCH;
    workspace_job::Model {
        id: 1,
        organization_id: OrganizationId::create(),
        workspace_id: WorkspaceId::create(),
        created_at: now,
        updated_at: now,
        created_by: "ann".into(),
        updated_by: "ann".into(),
        status,
        comments: None,
        output: None,
        commit_id: None,
        approval_team: None,
        tcl: String::new(),
        override_source: None,
        override_branch: None,
        template_reference: None,
        via: "CLI".into(),
        refresh: true,
        refresh_only: false,
        plan_changes: true,
        target_addrs: None,
        replace_addrs: None,
        cancel_requested_at: None,
        approved_by: None,
        approved_at: None,
        context: None,
        principal: None,
        plan_only: false,
        auto_apply: false,
        save_plan: false,
        allow_empty_apply: false,
        is_destroy: false,
        configuration_version_id: None,
        variables: None,
        asked_at: None,
        planned_state_id: None,
        push_id: None,
        pr_number: None,
    }
}

fn statuses(job: &workspace_job::Model, plan: JobStatus, apply: JobStatus) -> [&'static str; 3] {
    let of = Progress { plan: Some(plan), apply: Some(apply), approved: None };
    [of_run(job, of), of_plan(job, of), of_apply(job, of)]
}

#[test]
fn from_the_plan_to_the_apply() {
    use JobStatus::*;
    let asked = |status| workspace_job::Model { asked_at: Some(chrono::DateTime::UNIX_EPOCH), ..job(status) };
    for (job, plan, apply, expected) in [
        (job(Pending), Pending, Pending, ["pending", "pending", "pending"]),
        (job(Queue), Queue, Pending, ["plan_queued", "queued", "pending"]),
        (job(Running), Running, Pending, ["planning", "running", "pending"]),
        // The engine has not said yet whether there is something to confirm.
        (job(Pending), Completed, Pending, ["planning", "running", "pending"]),
        (asked(WaitingApproval), Completed, Pending, ["planned", "finished", "pending"]),
        (asked(Approved), Completed, Pending, ["confirmed", "finished", "pending"]),
        (asked(Queue), Completed, Queue, ["apply_queued", "finished", "queued"]),
        (asked(Running), Completed, Running, ["applying", "finished", "running"]),
        (asked(Pending), Completed, Completed, ["applying", "finished", "finished"]),
        (asked(Completed), Completed, Completed, ["applied", "finished", "finished"]),
        (job(Completed), Completed, NotExecuted, ["planned_and_finished", "finished", "unreachable"]),
        (job(Failed), Failed, NotExecuted, ["errored", "errored", "unreachable"]),
        (asked(Failed), Completed, Failed, ["errored", "finished", "errored"]),
        (asked(Rejected), Completed, NotExecuted, ["discarded", "finished", "unreachable"]),
        (job(Cancelled), Cancelled, Cancelled, ["canceled", "canceled", "canceled"]),
        (job(Cancelled), Pending, Pending, ["canceled", "canceled", "unreachable"]),
    ] {
        assert_eq!(statuses(&job, plan, apply), expected, "{job:?} {plan:?} {apply:?}");
    }
    let saved = workspace_job::Model { save_plan: true, ..asked(WaitingApproval) };
    assert_eq!(statuses(&saved, Completed, Pending)[0], "planned_and_saved");
}

/// A program that looks at a failed run after its plan ends without a word about the apply.
#[test]
fn an_apply_without_asking_takes_a_while_before_it_fails() {
    let failed = workspace_job::Model { auto_apply: true, ..job(JobStatus::Failed) };
    let statuses = |job: &workspace_job::Model, seconds| {
        let failed = Some(JobStatus::Failed);
        let approved = Some(chrono::TimeDelta::seconds(seconds));
        let of = Progress { plan: Some(JobStatus::Completed), apply: failed, approved };
        [of_run(job, of), of_plan(job, of), of_apply(job, of)]
    };
    assert_eq!(statuses(&failed, 9), ["applying", "finished", "running"]);
    assert_eq!(statuses(&failed, 10), ["errored", "finished", "running"]);
    assert_eq!(statuses(&failed, 13), ["errored", "finished", "errored"]);
    assert_eq!(statuses(&job(JobStatus::Failed), 1), ["errored", "finished", "errored"], "somebody was asked");
    // Its job is about to fail.
    let asked_at = Some(chrono::DateTime::UNIX_EPOCH);
    assert_eq!(
        statuses(&workspace_job::Model { asked_at, ..job(JobStatus::Pending) }, 60),
        ["applying", "finished", "running"]
    );
}

/// Programs wait for ever for a plan that does not end, and read its end from the run that they look at next.
#[test]
fn a_finished_plan_can_be_confirmed_or_the_run_says_why_not() {
    for status in JobStatus::iter() {
        for plan in JobStatus::iter() {
            for asked in [false, true] {
                let asked_at = asked.then_some(chrono::DateTime::UNIX_EPOCH);
                let job = workspace_job::Model { asked_at, ..job(status) };
                let of = Progress { plan: Some(plan), apply: Some(JobStatus::Pending), approved: None };
                if of_plan(&job, of) == "finished" && !job.status.is_final() {
                    let known = ["planned", "confirmed", "apply_queued", "applying"];
                    assert!(known.contains(&of_run(&job, of)), "{status:?} {plan:?} {asked}");
                }
                if status.is_final() {
                    assert!(
                        !["pending", "queued", "running"].contains(&of_plan(&job, of))
                            || plan == JobStatus::Running
                            || plan == JobStatus::Queue,
                        "{status:?} {plan:?}"
                    );
                }
                assert_eq!(has_changes(&job, of), plan == JobStatus::Completed);
            }
        }
        let can = actions(&job(status), false);
        let stale = actions(&job(status), true);
        assert_eq!((stale.confirmable, stale.discardable), (false, can.discardable), "{status:?}");
        assert!(!(can.confirmable && can.cancelable), "{status:?}");
        assert!(!status.is_final() || !(can.confirmable || can.discardable || can.cancelable), "{status:?}");
    }
}
