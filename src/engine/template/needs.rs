//! Pure: the rights that a flow needs, step by step, whoever asks for it and however.

use super::flow_step::{FlowStep, FlowType};
use crate::access::reach::Rights;

/// Why somebody with these rights may not have a flow carried out; none if they may.
///
/// A flow of one's own can run any script, so it needs the right to manage templates. What follows an approval needs the right of whoever
/// approves, which is checked when they do.
#[must_use]
pub fn refusal(flow: &[FlowStep], is_own: bool, rights: Rights) -> Option<&'static str> {
    if is_own && !rights.templates {
        return Some(
            "a flow of its own (tcl) needs the permission manageTemplate; name a template of the organization instead",
        );
    }
    let mut is_approved = false;
    for step in flow {
        match step.kind {
            FlowType::Approval => is_approved = true,
            FlowType::TerraformApply | FlowType::TerraformDestroy if !is_approved && !rights.approve => {
                return Some(
                    "a flow that applies or destroys without an approval before it needs the permission approveJob",
                );
            }
            FlowType::DisableWorkspace | FlowType::ScheduleTemplates if !rights.workspaces => {
                return Some("a flow with disableWorkspace or scheduleTemplates needs the permission manageWorkspace");
            }
            FlowType::TerraformApply
            | FlowType::TerraformDestroy
            | FlowType::DisableWorkspace
            | FlowType::ScheduleTemplates => {}
            FlowType::TerraformPlan | FlowType::TerraformPlanDestroy | FlowType::CustomScripts => {}
        }
    }
    (!rights.plan).then_some("a flow needs the permission planJob")
}

/// Whether a flow removes what the state of a workspace describes, or the workspace.
#[must_use]
pub fn destroys<'a>(flow: impl IntoIterator<Item = &'a FlowStep>) -> bool {
    let mut is_planned = false;
    flow.into_iter().any(|step| match step.kind {
        FlowType::TerraformDestroy | FlowType::DisableWorkspace => true,
        FlowType::TerraformPlanDestroy => {
            is_planned = true;
            false
        }
        FlowType::TerraformPlan => {
            is_planned = false;
            false
        }
        FlowType::TerraformApply => is_planned,
        FlowType::CustomScripts | FlowType::Approval | FlowType::ScheduleTemplates => false,
    })
}

/// Whether a step may write the state of its workspace: if it needs to, and if whoever is behind it may. That is whoever asked for the
/// flow, or whoever approved what follows an approval.
#[must_use]
pub fn writes_state(step: &FlowStep, is_approved: bool, rights: Rights) -> bool {
    let runs_scripts = !step.commands.is_empty()
        || !step.on_failure.is_empty()
        || !step.on_reject.is_empty()
        || step.import_commands.is_some();
    let needs_it = match step.kind {
        FlowType::TerraformApply | FlowType::TerraformDestroy => true,
        // Scripts may import resources, or move them.
        FlowType::TerraformPlan | FlowType::TerraformPlanDestroy | FlowType::CustomScripts | FlowType::Approval => {
            runs_scripts
        }
        FlowType::DisableWorkspace | FlowType::ScheduleTemplates => false,
    };
    needs_it && (is_approved || rights.approve || rights.states)
}

#[cfg(test)]
#[path = "needs_tests.rs"]
mod tests;
