//! Pure: the steps of a template.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FlowType {
    TerraformPlan,
    TerraformPlanDestroy,
    TerraformApply,
    TerraformDestroy,
    CustomScripts,
    /// Waits for somebody who approves or rejects.
    Approval,
    /// Ends the workspace, when it is left empty.
    DisableWorkspace,
    /// Makes schedules of other templates.
    ScheduleTemplates,
}

/// Who interprets a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Runtime {
    Bash,
    Groovy,
}

/// A script around a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Command {
    pub runtime: Runtime,
    pub script: String,
    /// Smaller ones come first; those that are equal in the order in which they are written.
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

/// Where commands are read from instead of the template.
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
    /// Who approves; anybody who may, where it is not there.
    #[serde(default)]
    pub team: Option<String>,
    /// A failure counts as a success.
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
    /// Names of variables, with the global variables whose values they get, instead of all of those.
    #[serde(default)]
    pub inputs_env: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub inputs_terraform: Option<BTreeMap<String, String>>,
    /// Documents write it with one m, code with two.
    #[serde(default, alias = "importComands")]
    pub import_commands: Option<ImportCommands>,
}
