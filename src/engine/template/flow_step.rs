//! Pure: the steps of a template.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The type of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FlowType {
    TerraformPlan,
    TerraformPlanDestroy,
    TerraformApply,
    TerraformDestroy,
    CustomScripts,
    /// Waits for an approval or a rejection.
    Approval,
    /// Disables the workspace after its resources are destroyed.
    DisableWorkspace,
    /// Creates schedules for other templates.
    ScheduleTemplates,
}

impl FlowType {
    /// Whether a step of this type runs Terraform or OpenTofu.
    #[must_use]
    pub fn runs_tool(self) -> bool {
        match self {
            Self::TerraformPlan | Self::TerraformPlanDestroy | Self::TerraformApply | Self::TerraformDestroy => true,
            Self::CustomScripts | Self::Approval | Self::DisableWorkspace | Self::ScheduleTemplates => false,
        }
    }

    /// Whether a step of this type belongs to the part of a flow that changes nothing.
    #[must_use]
    pub fn only_plans(self) -> bool {
        match self {
            Self::TerraformPlan | Self::TerraformPlanDestroy | Self::CustomScripts => true,
            Self::TerraformApply
            | Self::TerraformDestroy
            | Self::Approval
            | Self::DisableWorkspace
            | Self::ScheduleTemplates => false,
        }
    }
}

/// The interpreter of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Runtime {
    Bash,
    Groovy,
}

/// A script of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Command {
    pub runtime: Runtime,
    pub script: String,
    /// Lower priorities run first; equal priorities run in the order in which they are written.
    #[serde(default)]
    pub priority: i32,
    #[serde(default)]
    pub before: bool,
    #[serde(default)]
    pub after: bool,
    #[serde(default)]
    pub before_init: bool,
    #[serde(default)]
    pub verbose: bool,
}

/// A template that a step schedules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduledTemplate {
    pub name: String,
    pub schedule: String,
}

/// A repository that the commands are imported from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportCommands {
    pub repository: String,
    #[serde(default)]
    pub folder: String,
    #[serde(default)]
    pub branch: String,
    #[serde(default)]
    pub vcs_id: Option<String>,
    #[serde(default)]
    pub inputs_env: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub inputs_terraform: Option<BTreeMap<String, String>>,
}

/// An entry of a flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FlowStep {
    #[serde(rename = "type")]
    pub kind: FlowType,
    #[serde(default)]
    pub step: i32,
    #[serde(default)]
    pub name: Option<String>,
    /// The team that approves; by default, anyone with the permission.
    #[serde(default)]
    pub team: Option<String>,
    /// Whether a failure counts as success.
    #[serde(default)]
    pub ignore_error: bool,
    #[serde(default)]
    pub commands: Vec<Command>,
    #[serde(default)]
    pub on_failure: Vec<Command>,
    #[serde(default)]
    pub on_reject: Vec<Command>,
    #[serde(default)]
    pub templates: Vec<ScheduledTemplate>,
    /// Maps names of variables to the global variables that provide their values. Without it, the step gets all global
    /// variables.
    #[serde(default)]
    pub inputs_env: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub inputs_terraform: Option<BTreeMap<String, String>>,
    /// The documentation of Terrakube spells it with one m, its code with two.
    #[serde(default, alias = "importComands")]
    pub import_commands: Option<ImportCommands>,
}

impl FlowStep {
    /// Whether the step makes a plan and nothing else: it has no script, which may do anything.
    #[must_use]
    pub fn is_bare_plan(&self) -> bool {
        self.plans()
            && self.commands.is_empty()
            && self.on_failure.is_empty()
            && self.on_reject.is_empty()
            && self.import_commands.is_none()
    }

    /// Whether the step makes a plan.
    #[must_use]
    pub fn plans(&self) -> bool {
        matches!(self.kind, FlowType::TerraformPlan | FlowType::TerraformPlanDestroy)
    }
}
