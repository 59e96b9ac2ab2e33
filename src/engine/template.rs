//! Pure: a template, base64 of YAML with a `flow`, becomes the ordered steps of a run of a workspace.
//!
//! Keys that nobody knows are refused, so that a slip of the pen is seen and not left out. Entries are run by their
//! numbers, and in the order in which they are written where numbers are equal.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// The longest template, in bytes of YAML.
const LENGTH: usize = 256 * 1024;
/// The most steps of a template.
const STEPS: usize = 100;

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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Flow {
    flow: Vec<FlowStep>,
}

/// Why a template cannot be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub String);

/// Reads a template as it is stored; its steps in the order in which they are run.
///
/// # Errors
/// With what is wrong with it.
pub fn parse(template: &str) -> Result<Vec<FlowStep>, Refused> {
    let packed: String = template.split_whitespace().collect();
    let bytes = STANDARD.decode(packed).map_err(|_| Refused("the template is not base64".into()))?;
    let text = String::from_utf8(bytes).map_err(|_| Refused("the template is not UTF-8".into()))?;
    if text.len() > LENGTH {
        return Err(Refused(format!("a template has at most {LENGTH} bytes")));
    }
    let Flow { flow: mut steps } =
        serde_yaml_ng::from_str(&text).map_err(|error| Refused(format!("the template cannot be read: {error}")))?;
    match steps.len() {
        0 => return Err(Refused("the flow has no step".into())),
        count if count > STEPS => return Err(Refused(format!("a flow has at most {STEPS} steps"))),
        _ => {}
    }
    steps.sort_by_key(|step| step.step);
    for step in &mut steps {
        check(step)?;
        for commands in [&mut step.commands, &mut step.on_failure, &mut step.on_reject] {
            commands.sort_by_key(|command| command.priority);
        }
    }
    Ok(steps)
}

/// Reads the commands that another repository holds, in the order in which they are run.
///
/// # Errors
/// With what is wrong with them.
pub fn commands(text: &str) -> Result<Vec<Command>, Refused> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Commands {
        commands: Vec<Command>,
    }
    let list = serde_yaml_ng::from_str::<Vec<Command>>(text)
        .or_else(|_| serde_yaml_ng::from_str(text).map(|Commands { commands }| commands));
    let mut commands = list.map_err(|error| Refused(format!("the commands cannot be read: {error}")))?;
    if commands.iter().any(|command| command.runtime == Runtime::Groovy) {
        return Err(Refused("a command is in Groovy, which is not run here; Bash is".into()));
    }
    commands.sort_by_key(|command| command.priority);
    Ok(commands)
}

fn check(step: &FlowStep) -> Result<(), Refused> {
    let at = |what: &str| Refused(format!("step {} {what}", step.step));
    if step.kind == FlowType::ScheduleTemplates && step.templates.is_empty() {
        return Err(at("schedules no template"));
    }
    let scripts = step.commands.iter().chain(&step.on_failure).chain(&step.on_reject);
    if scripts.clone().any(|command| command.runtime == Runtime::Groovy) {
        return Err(at("has a script in Groovy, which is not run here; Bash is"));
    }
    if scripts.clone().any(|command| command.script.trim().is_empty()) {
        return Err(at("has a script without text"));
    }
    if step.kind == FlowType::CustomScripts && step.commands.is_empty() && step.import_commands.is_none() {
        return Err(at("has no script"));
    }
    Ok(())
}

/// A template that every organization begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefaultTemplate {
    pub name: &'static str,
    pub description: &'static str,
    pub flow: &'static str,
}

impl DefaultTemplate {
    /// As it is stored.
    #[must_use]
    pub fn stored(self) -> String {
        STANDARD.encode(self.flow)
    }
}

/// The team of the approvals that the command line of Terraform asks for by itself.
pub const TERRAFORM_CLI: &str = "TERRAFORM_CLI";

/// The templates that every organization begins with; clients look for them by their names.
pub const DEFAULTS: [DefaultTemplate; 5] = [
    DefaultTemplate {
        name: "Plan",
        description: "Shows what would change",
        flow: "flow:\n- type: terraformPlan\n  name: Plan\n  step: 100\n",
    },
    DefaultTemplate {
        name: "Plan and apply",
        description: "Shows what will change, and changes it",
        flow: "flow:\n- type: terraformPlan\n  name: Plan\n  step: 100\n- type: terraformApply\n  name: Apply\n  step: 200\n",
    },
    DefaultTemplate {
        name: "Destroy",
        description: "Takes away everything that the state knows of",
        flow: "flow:\n- type: terraformDestroy\n  name: Destroy\n  step: 100\n",
    },
    DefaultTemplate {
        name: "Terraform-Plan/Apply-Cli",
        description: "A plan of the command line, applied when it is approved",
        flow: "flow:\n- type: terraformPlan\n  name: Plan\n  step: 100\n- type: approval\n  name: Approve\n  step: 150\n  team: \
               TERRAFORM_CLI\n- type: terraformApply\n  name: Apply\n  step: 200\n",
    },
    DefaultTemplate {
        name: "Terraform-Plan/Destroy-Cli",
        description: "A plan of the command line to take everything away, applied when it is approved",
        flow: "flow:\n- type: terraformPlanDestroy\n  name: Plan\n  step: 100\n- type: approval\n  name: Approve\n  step: 150\n  \
               team: TERRAFORM_CLI\n- type: terraformApply\n  name: Apply\n  step: 200\n",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> Result<Vec<FlowStep>, Refused> {
        parse(&STANDARD.encode(yaml))
    }

    #[test]
    fn the_defaults_can_be_read() {
        let kinds: Vec<Vec<FlowType>> =
            DEFAULTS.iter().map(|one| parse(&one.stored()).unwrap().iter().map(|step| step.kind).collect()).collect();
        use FlowType::*;
        assert_eq!(
            kinds,
            [
                vec![TerraformPlan],
                vec![TerraformPlan, TerraformApply],
                vec![TerraformDestroy],
                vec![TerraformPlan, Approval, TerraformApply],
                vec![TerraformPlanDestroy, Approval, TerraformApply],
            ]
        );
        let teams = DEFAULTS.iter().flat_map(|one| parse(&one.stored()).unwrap()).filter_map(|step| step.team);
        assert!(teams.eq([TERRAFORM_CLI, TERRAFORM_CLI].map(str::to_owned)));
    }

    #[test]
    fn everything_that_a_step_can_say() {
        let steps = read(
            "flow:\n- {type: customScripts, step: 300, inputsEnv: {A: $B}, commands: [{runtime: BASH, priority: 2, script: two}, \
             {runtime: BASH, priority: 1, after: true, beforeInit: true, verbose: true, script: one}]}\n\
             - {type: terraformApply, step: 200, ignoreError: true, onFailure: [{runtime: BASH, script: sorry}]}\n\
             - {type: approval, step: 150, team: OPS, onReject: [{runtime: BASH, script: no}]}\n\
             - {type: scheduleTemplates, templates: [{name: Plan, schedule: '0 0 * * * ?'}]}\n\
             - {type: terraformPlan, step: 100, importComands: {repository: 'https://git', folder: a, branch: main}}\n",
        )
        .unwrap();
        let numbers: Vec<i32> = steps.iter().map(|step| step.step).collect();
        assert_eq!(numbers, [0, 100, 150, 200, 300]);
        let scripts: Vec<&str> = steps[4].commands.iter().map(|command| command.script.as_str()).collect();
        assert_eq!(scripts, ["one", "two"]);
        assert_eq!(steps[1].import_commands.as_ref().unwrap().branch, "main");
        assert!(steps[3].ignore_error && steps[3].on_failure[0].script == "sorry");
    }

    #[test]
    fn equal_numbers_keep_their_order() {
        let steps = read("flow:\n- {type: terraformPlan, name: a}\n- {type: terraformApply, name: b}\n").unwrap();
        assert_eq!(steps.iter().filter_map(|step| step.name.as_deref()).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn what_is_refused() {
        for (yaml, says) in [
            ("flow: []", "no step"),
            ("flow:\n- type: yamlTemplates", "unknown variant"),
            ("flow:\n- {type: approval, teem: a}", "unknown field"),
            ("flows: []", "unknown field"),
            ("flow:\n- {type: customScripts}", "no script"),
            ("flow:\n- {type: customScripts, commands: [{runtime: GROOVY, script: a}]}", "Groovy"),
            ("flow:\n- {type: customScripts, commands: [{runtime: BASH, script: ' '}]}", "without text"),
            ("flow:\n- {type: scheduleTemplates}", "schedules no template"),
            (": {", "cannot be read"),
        ] {
            let Err(Refused(reason)) = read(yaml) else { panic!("{yaml} was taken") };
            assert!(reason.contains(says), "{yaml}: {reason}");
        }
        assert!(parse("%%%").is_err());
        assert!(read(&format!("flow:\n{}", "- {type: terraformPlan}\n".repeat(101))).is_err());
    }
}
