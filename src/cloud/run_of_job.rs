//! Loads what the documents about a run are made of.

use entity::workspace_job::{self, JobStatus};
use entity::workspace_step;

use super::caller::Visit;
use super::error::Result;
use super::run_document::ShownRun;
use super::run_state::Progress;
use crate::access::principal;
use crate::access::reach::Rights;
use crate::engine::template::FlowType;
use crate::engine::workspace::spec;
use crate::engine::{approval_wait, given_variables};
use crate::store;

/// A job as a run, for a caller with these rights in its workspace.
pub(super) async fn shown_run(visit: &Visit, job: workspace_job::Model, rights: Rights) -> Result<ShownRun> {
    let steps = store::workspace::steps_without_plans(&visit.app.db, job.id).await?;
    let (mut plan, mut apply): (Option<&workspace_step::Model>, Option<&workspace_step::Model>) = (None, None);
    for step in &steps {
        match spec(step)?.kind {
            FlowType::TerraformPlan | FlowType::TerraformPlanDestroy => plan = plan.or(Some(step)),
            FlowType::TerraformApply | FlowType::TerraformDestroy => apply = apply.or(Some(step)),
            FlowType::CustomScripts | FlowType::Approval | FlowType::DisableWorkspace | FlowType::ScheduleTemplates => {
            }
        }
    }
    let waits = job.status == JobStatus::WaitingApproval;
    let is_stale = waits && approval_wait::stale(&visit.app, &visit.app.db, &job).await?.is_some();
    let progress = Progress {
        plan: plan.map(|step| step.status),
        apply: apply.map(|step| step.status),
        approved: job.approved_at.map(|at| visit.now - at),
    };
    let is_own = job.principal.as_ref().is_some_and(|of| *of == principal::stored(&visit.caller));
    let generates = given_variables::of_job(&visit.app, &job).is_ok_and(|given| given.generates);
    let generated = match plan.filter(|_| generates) {
        Some(step) => store::workspace::has_plan_output(&visit.app.db, step.id).await?,
        None => false,
    };
    let (plan, apply) = (plan.map(|step| step.id), apply.map(|step| step.id));
    Ok(ShownRun { job, progress, plan, apply, generated, rights, is_stale, is_own, position: 0 })
}
