//! A workspace step with its job and its workspace.

use entity::{run, workspace, workspace_job, workspace_step};

use crate::app::App;
use crate::engine::template::{FlowStep, FlowType};
use crate::engine::tool_version;
use crate::engine::workspace::spec;
use crate::error::Result;
use crate::runner::terraform::script::Operation;
use crate::runner::terraform::version_range::{FORMS, VersionRange};
use crate::store;

pub(super) const GONE: &str = "the workspace was deleted";

/// A workspace step with its job, its workspace and its entry in the flow.
pub(super) struct WorkspaceSubject {
    pub(super) step: workspace_step::Model,
    pub(super) job: workspace_job::Model,
    pub(super) workspace: workspace::Model,
    pub(super) spec: FlowStep,
}

impl WorkspaceSubject {
    /// None if they were deleted in the meantime.
    pub(super) async fn load(app: &App, run: &run::Model) -> Result<Option<Self>> {
        let Some(step) = store::workspace::step_by_run(&app.db, run.id).await? else { return Ok(None) };
        let job = store::row::by_id::<workspace_job::Model>(&app.db, step.job_id).await?;
        let workspace = store::row::by_id::<workspace::Model>(&app.db, step.workspace_id).await?;
        let (Some(job), Some(workspace)) = (job, workspace) else { return Ok(None) };
        let spec = spec(&step)?;
        Ok(Some(Self { step, job, workspace, spec }))
    }

    /// Whether the rejection scripts are executed.
    pub(super) fn rejected(&self) -> bool {
        self.step.status == workspace_job::JobStatus::Rejected
    }

    pub(super) fn operation(&self) -> Operation {
        match self.spec.kind {
            FlowType::TerraformPlan => Operation::Plan,
            FlowType::TerraformPlanDestroy => Operation::PlanDestroy,
            FlowType::TerraformApply => Operation::Apply,
            FlowType::TerraformDestroy => Operation::Destroy,
            FlowType::CustomScripts | FlowType::Approval | FlowType::DisableWorkspace | FlowType::ScheduleTemplates => {
                Operation::Scripts
            }
        }
    }

    /// Whether the step makes a plan.
    pub(super) fn plans(&self) -> bool {
        !self.rejected() && self.spec.plans()
    }

    pub(super) fn tool(&self) -> &'static str {
        tool_version::tool(&self.workspace.iac_type)
    }

    /// The versions that the workspace accepts, or why they cannot be told.
    pub(super) fn version(&self) -> Result<VersionRange, String> {
        let text = &self.workspace.terraform_version;
        VersionRange::parse(text).ok_or_else(|| format!("the terraformVersion {text:?} of the workspace {FORMS}"))
    }
}
