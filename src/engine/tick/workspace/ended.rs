//! Applies the end of a run to the workspace step that it executed, and to the workspace job.

use chrono::{DateTime, Utc};
use entity::run;
use entity::run::RunState;
use entity::workspace_job::JobStatus;
use entity::{workspace_job, workspace_step};
use sea_orm::{ActiveValue, DatabaseTransaction};

use super::plan_to_show::keep;
use super::step_result::StepResult;
use crate::app::App;
use crate::engine::lock_wait;
use crate::engine::template::FlowType;
use crate::engine::workspace::spec;
use crate::error::Result;
use crate::secret;
use crate::store;

/// Applies the end of a run to the workspace step that it executed, and to the workspace job.
pub(in crate::engine::tick) async fn ended(
    app: &App,
    tx: &DatabaseTransaction,
    run: &run::Model,
    left: Option<StepResult>,
    now: DateTime<Utc>,
) -> Result<()> {
    let Some(step) = store::workspace::step_by_run(tx, run.id).await? else { return Ok(()) };
    let spec = spec(&step)?;
    let StepResult { changes, commit, plan, shown, output } = left.unwrap_or_default();
    let status = match run.state {
        // A rejected step stays rejected, regardless of how its rejection scripts end.
        _ if step.status == JobStatus::Rejected => JobStatus::Rejected,
        RunState::Succeeded => JobStatus::Completed,
        RunState::Cancelled => JobStatus::Cancelled,
        RunState::Failed if spec.ignore_error => JobStatus::Completed,
        RunState::Failed | RunState::Queued | RunState::Running => JobStatus::Failed,
    };
    let sealed = plan.map(|plan| app.keys.seal(&secret::place("workspace_step", step.id.0), &plan)).transpose()?;
    // The variables of a plan are of use only with it.
    let planless = sealed.is_none() && step.plan.is_none();
    let change = workspace_step::ActiveModel {
        inputs: if planless { ActiveValue::Set(None) } else { ActiveValue::NotSet },
        status: ActiveValue::Set(status),
        updated_at: ActiveValue::Set(now),
        // A step in a cluster has already uploaded its plan.
        plan: sealed.map_or(ActiveValue::NotSet, |plan| ActiveValue::Set(Some(plan))),
        token: ActiveValue::Set(None),
        ..Default::default()
    };
    store::workspace::change_step(tx, step.id, change).await?;
    if let Some(shown) = shown {
        keep(app, tx, &step, shown, now).await?;
    }
    if let Some(output) = output {
        store::workspace::keep_plan_output(tx, output).await?;
    }
    // A killed process could not release its lock.
    store::workspace::unlock_state(tx, step.workspace_id, Some(step.id)).await?;
    let Some(job) = store::workspace::lock_job(tx, step.job_id).await? else { return Ok(()) };
    let nothing = spec.plans() && run.state == RunState::Succeeded && changes == Some(false);
    let failed = matches!(status, JobStatus::Failed | JobStatus::Cancelled);
    let reason = run.reason.as_ref().map(|reason| format!("{}: {reason}", step.name));
    let output = lock_wait::output_after(job.output.clone(), failed, reason);
    let planned_state_id = match spec.plans() && status == JobStatus::Completed {
        true => store::workspace::newest_state_mark(tx, step.workspace_id).await?.map(|newest| newest.id),
        false => job.planned_state_id,
    };
    if run.state == RunState::Succeeded && status == JobStatus::Completed {
        settle_drift(tx, spec.kind, &job).await?;
    }
    let open = if job.status.is_final() { job.status } else { JobStatus::Pending };
    let job = workspace_job::Model {
        status: open,
        output,
        commit_id: commit.or(job.commit_id),
        plan_changes: job.plan_changes && !nothing,
        planned_state_id,
        updated_at: now,
        ..job
    };
    store::workspace::update_job(tx, job).await?;
    Ok(())
}

/// After an apply of all resources nothing is known to differ from the state. If that is the same as before, the tool stores no new one,
/// so that only this settles drift.
async fn settle_drift(tx: &DatabaseTransaction, kind: FlowType, job: &workspace_job::Model) -> Result<()> {
    let applies = matches!(kind, FlowType::TerraformApply | FlowType::TerraformDestroy);
    if !applies || !job.refresh {
        return Ok(());
    }
    let addresses = store::workspace::addresses(tx, job.id).await?;
    if addresses.iter().all(|address| address.kind != "TARGET") {
        store::workspace::settle_drift(tx, job.workspace_id).await?;
    }
    Ok(())
}
