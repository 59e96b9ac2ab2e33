//! Writes what was found as a file for `windlass apply`.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use windlass_import::{Imported, ImportedJob};

use super::command::Target;
use super::settings::settings;
use crate::commands::declare;
use crate::failure::{Failure, Result};
use crate::screen::Screen;

/// The file; a job without a command is left out, like what is refused, and named in a comment.
pub(super) fn write(found: &Imported, target: &Target, screen: &mut Screen) -> Result<()> {
    let place = target.env.as_deref().and_then(|name| name.split_once('/'));
    let (project, environment) =
        place.ok_or_else(|| Failure::Usage("--env must be written as PROJECT/ENVIRONMENT for a file".into()))?;
    let mut text = String::new();
    let mut comment = |line: usize, what: &str, why: &str| {
        let whole = format!("line {line}: {what}: {why}").replace(char::is_control, " ");
        // Writing to a string never fails.
        let _written = writeln!(text, "# {whole}");
    };
    let mut jobs = Map::new();
    for job in &found.jobs {
        if job.says_what_to_run() {
            jobs.insert(job.name.clone(), declared(job, target)?);
        } else {
            comment(job.line, &job.name, "it has no command; give --command");
        }
        for note in &job.notes {
            comment(job.line, &job.name, note);
        }
    }
    for refused in &found.refused {
        comment(refused.line, &format!("refused: {}", refused.text), &refused.why);
    }
    text.push_str(&declare::yaml(json!({"project": project, "environment": environment, "jobs": jobs}))?);
    screen.pass(text.as_bytes())?;
    let left_out = found.jobs.len() - jobs.len() + found.refused.len();
    if left_out == 0 { Ok(()) } else { Err(Failure::Unsuccessful(format!("{left_out} could not be translated"))) }
}

fn declared(job: &ImportedJob, target: &Target) -> Result<Value> {
    let mut fields = Map::from_iter([
        ("schedule".to_owned(), job.schedules.join(" | ").into()),
        ("image".to_owned(), job.image.as_deref().unwrap_or(&target.image).into()),
    ]);
    let mut add = |key: &str, value: Option<Value>| fields.extend(value.map(|value| (key.to_owned(), value)));
    add("description", Some(&job.description).filter(|text| !text.is_empty()).map(|text| text.as_str().into()));
    add("timezone", Some(&job.zone).filter(|zone| *zone != "Etc/UTC").map(|zone| zone.as_str().into()));
    add("registry", target.registry.as_deref().map(Value::from));
    if let Some((entrypoint, arguments)) = job.command.split_first() {
        add("entrypoint", Some(entrypoint.as_str().into()));
        add("command", Some(arguments.into()));
    }
    add("retries", job.max_restarts.map(Value::from));
    add("max_duration_seconds", job.max_duration_seconds.map(Value::from));
    add("cpu", job.cpu_milli.map(Value::from));
    add("memory", job.memory_mib.map(Value::from));
    let settings = settings(job)?;
    add("settings", Some(settings).filter(|settings| !settings.is_empty()).map(Value::from));
    let variables: Map<String, Value> =
        job.environment.iter().map(|(key, value)| (key.clone(), json!({ "value": value }))).collect();
    add("variables", Some(variables).filter(|variables| !variables.is_empty()).map(Value::from));
    Ok(fields.into())
}
