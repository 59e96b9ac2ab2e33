//! Pure: a template, base64 of YAML with a `flow`, becomes the ordered steps of a run of a workspace.
//!
//! Keys that nobody knows are refused, so that a slip of the pen is seen and not left out. Entries are run by their
//! numbers, and in the order in which they are written where numbers are equal.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::flow_step::{Command, FlowStep, FlowType, Runtime};

/// The longest template, in bytes of YAML.
const LENGTH: usize = 256 * 1024;
/// The most steps of a template.
const STEPS: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Flow {
    flow: Vec<FlowStep>,
}

/// Why a template cannot be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError(pub String);

/// Reads a template as it is stored; its steps in the order in which they are run.
///
/// # Errors
/// With what is wrong with it.
pub fn parse(template: &str) -> Result<Vec<FlowStep>, TemplateError> {
    let packed: String = template.split_whitespace().collect();
    let bytes = STANDARD.decode(packed).map_err(|_| TemplateError("the template is not base64".into()))?;
    let text = String::from_utf8(bytes).map_err(|_| TemplateError("the template is not UTF-8".into()))?;
    if text.len() > LENGTH {
        return Err(TemplateError(format!("a template has at most {LENGTH} bytes")));
    }
    let Flow { flow: mut steps } = serde_yaml_ng::from_str(&text)
        .map_err(|error| TemplateError(format!("the template cannot be read: {error}")))?;
    match steps.len() {
        0 => return Err(TemplateError("the flow has no step".into())),
        count if count > STEPS => return Err(TemplateError(format!("a flow has at most {STEPS} steps"))),
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
pub fn commands(text: &str) -> Result<Vec<Command>, TemplateError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Commands {
        commands: Vec<Command>,
    }
    let list = serde_yaml_ng::from_str::<Vec<Command>>(text)
        .or_else(|_| serde_yaml_ng::from_str(text).map(|Commands { commands }| commands));
    let mut commands = list.map_err(|error| TemplateError(format!("the commands cannot be read: {error}")))?;
    if commands.iter().any(|command| command.runtime == Runtime::Groovy) {
        return Err(TemplateError("a command is in Groovy, which is not run here; Bash is".into()));
    }
    commands.sort_by_key(|command| command.priority);
    Ok(commands)
}

fn check(step: &FlowStep) -> Result<(), TemplateError> {
    let at = |what: &str| TemplateError(format!("step {} {what}", step.step));
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

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
