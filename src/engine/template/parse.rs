//! Pure: parses a template, base64-encoded YAML with a `flow`, into the ordered steps of a workspace job.
//!
//! Unknown keys are rejected, so that typos are not silently ignored. Steps run in the order of their numbers; steps with
//! equal numbers run in the order in which they are written.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::flow_step::{Command, FlowStep, FlowType, Runtime};
use crate::engine::cron;
use crate::input::bounds::{TEMPLATE_BYTES, TEMPLATE_STEPS};
use crate::input::{read_yaml, stored_text};
use crate::secret::has_secret;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Flow {
    flow: Vec<FlowStep>,
}

/// Why a template is invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError(pub String);

/// Parses a stored template; returns its steps in the order in which they run.
///
/// # Errors
/// If the template is invalid.
pub fn parse(template: &str) -> Result<Vec<FlowStep>, TemplateError> {
    let packed: String = template.split_whitespace().collect();
    // Four characters of base64 are three bytes.
    if packed.len() / 4 * 3 > TEMPLATE_BYTES + 2 {
        return Err(TemplateError(format!("a template can have at most {TEMPLATE_BYTES} bytes")));
    }
    let bytes = STANDARD.decode(packed).map_err(|_| TemplateError("the template is not valid base64".into()))?;
    let text = String::from_utf8(bytes).map_err(|_| TemplateError("the template is not UTF-8".into()))?;
    if text.len() > TEMPLATE_BYTES {
        return Err(TemplateError(format!("a template can have at most {TEMPLATE_BYTES} bytes")));
    }
    let Flow { flow: mut steps } = read_yaml::parse(&text)
        .map_err(|refusal| TemplateError(format!("the template cannot be parsed: {refusal}")))?;
    check_text(&steps)?;
    match steps.len() {
        0 => return Err(TemplateError("the flow has no steps".into())),
        count if count > TEMPLATE_STEPS => {
            return Err(TemplateError(format!("a flow can have at most {TEMPLATE_STEPS} steps")));
        }
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

/// Parses commands that were imported from a repository; returns them in the order in which they run.
///
/// # Errors
/// If the commands are invalid.
pub fn parse_commands(text: &str) -> Result<Vec<Command>, TemplateError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Commands {
        commands: Vec<Command>,
    }
    let list = read_yaml::parse::<Vec<Command>>(text)
        .or_else(|_| read_yaml::parse(text).map(|Commands { commands }| commands));
    let mut commands = list.map_err(|refusal| TemplateError(format!("the commands cannot be parsed: {refusal}")))?;
    check_text(&commands)?;
    if commands.iter().any(|command| command.runtime == Runtime::Groovy) {
        return Err(TemplateError("a command uses Groovy, which is not supported; use Bash".into()));
    }
    commands.sort_by_key(|command| command.priority);
    Ok(commands)
}

/// Refuses passwords in the URLs of a new template. One that is stored keeps working.
///
/// # Errors
/// If a step has a URL with a password.
pub fn refuse_logins(steps: &[FlowStep]) -> Result<(), TemplateError> {
    let has_login = |step: &&FlowStep| step.import_commands.as_ref().is_some_and(|from| has_secret(&from.repository));
    match steps.iter().find(has_login) {
        Some(step) => Err(TemplateError(format!(
            "step {}: importCommands.repository must not contain a password or a token: they belong into a vcs, which vcsId names",
            step.step
        ))),
        None => Ok(()),
    }
}

/// Steps are stored: with their names, their scripts and everything else.
fn check_text(part: &impl Serialize) -> Result<(), TemplateError> {
    let tree = serde_json::to_value(part).map_err(|error| TemplateError(error.to_string()))?;
    stored_text::check_tree(&tree).map_err(|refusal| TemplateError(format!("flow{refusal}")))
}

fn check(step: &FlowStep) -> Result<(), TemplateError> {
    let at = |what: &str| TemplateError(format!("step {} {what}", step.step));
    if step.kind == FlowType::ScheduleTemplates && step.templates.is_empty() {
        return Err(at("schedules no templates"));
    }
    for scheduled in &step.templates {
        cron::from_quartz(&scheduled.schedule)
            .map_err(|refused| at(&format!("has a schedule that is not valid: {}", refused.0)))?;
    }
    let scripts = step.commands.iter().chain(&step.on_failure).chain(&step.on_reject);
    if scripts.clone().any(|command| command.runtime == Runtime::Groovy) {
        return Err(at("has a script in Groovy, which is not supported; use Bash"));
    }
    if scripts.clone().any(|command| command.script.trim().is_empty()) {
        return Err(at("has an empty script"));
    }
    if step.kind == FlowType::CustomScripts && step.commands.is_empty() && step.import_commands.is_none() {
        return Err(at("has no script"));
    }
    Ok(())
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
