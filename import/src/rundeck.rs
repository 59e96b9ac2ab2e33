//! Pure: jobs of Rundeck, as it exports them in YAML or JSON.

use serde_json::Value;

use super::document::{field, is_false, is_given, is_true, list, scalar, text};
use super::imported::{Imported, ImportedJob, Source};
use super::listed::listed;
use super::text::{interpreter, seconds};
use super::translation::Given;

/// Reads an export.
#[must_use]
pub fn read_rundeck(source: &Source<'_>) -> Imported {
    listed(source, "name", |definition, name| (name.to_owned(), job(definition, name, source.zone)))
}

fn job(definition: &Value, name: &str, zone: &str) -> Result<ImportedJob, String> {
    let schedule = field(definition, "schedule").ok_or("it has no schedule")?;
    let mut job = ImportedJob { name: name.to_owned(), ..ImportedJob::default() };
    text(definition, "description").unwrap_or_default().clone_into(&mut job.description);
    let expression = expression(schedule)?;
    let zone = text(definition, "timeZone").unwrap_or(zone);
    // Rundeck keeps its schedules in Quartz.
    job.translate(&Given { dialect: "quartz", expression: &expression, zone, ..Given::default() })?;
    if is_false(definition, "scheduleEnabled") || is_false(definition, "executionEnabled") {
        job.suspend();
    }
    job.lose_missed_runs();
    job.set_concurrency(if is_true(definition, "multipleExecutions") { "Allow" } else { "Forbid" });
    if let Some(group) = text(definition, "group") {
        job.note(format!("it is in the group {group}"));
    }
    if is_given(definition, "nodefilters") {
        job.note("Rundeck runs it on the nodes of its filter; here it runs once");
    }
    if is_given(definition, "notification") {
        job.note("its notifications are left out: make a rule for alerts");
    }
    limits(&mut job, definition);
    steps(&mut job, definition);
    Ok(job)
}

/// The expression of Quartz that the fields of a schedule stand for.
fn expression(schedule: &Value) -> Result<String, String> {
    if let Some(crontab) = text(schedule, "crontab") {
        return Ok(crontab.to_owned());
    }
    let time = field(schedule, "time").ok_or("its schedule has neither a crontab nor a time")?;
    let of = |part: &Value, key: &str, missing: &str| scalar(part, key).unwrap_or_else(|| missing.to_owned());
    let inner = |key: &str| field(schedule, key).and_then(|part| scalar(part, "day"));
    let (day, weekday) = match (inner("dayofmonth"), inner("weekday")) {
        (day, Some(weekday)) if weekday != "*" && weekday != "?" => (day.filter(|day| day != "*"), weekday),
        (Some(day), _) => (Some(day), "?".into()),
        (None, _) => (None, "*".into()),
    };
    Ok(format!(
        "{} {} {} {} {} {weekday} {}",
        of(time, "seconds", "0"),
        of(time, "minute", "0"),
        of(time, "hour", "0"),
        day.as_deref().unwrap_or("?"),
        of(schedule, "month", "*"),
        of(schedule, "year", "*"),
    ))
}

fn limits(job: &mut ImportedJob, definition: &Value) {
    if let Some(limit) = scalar(definition, "timeout") {
        job.max_duration_seconds = seconds(&limit).filter(|limit| *limit > 0);
        if job.max_duration_seconds.is_none() {
            job.note(format!("its timeout {limit} is left out"));
        }
    }
    let retry = field(definition, "retry").and_then(|retry| scalar(retry, "retry"));
    if let Some(count) = retry.or_else(|| scalar(definition, "retry")) {
        job.max_restarts = count.parse().ok();
        if job.max_restarts.is_none() {
            job.note(format!("its retry {count} is left out"));
        }
    }
}

/// The command, and the options that it reads as variables.
fn steps(job: &mut ImportedJob, definition: &Value) {
    for option in list(definition, "options") {
        let Some(name) = text(option, "name") else { continue };
        let variable = format!("RD_OPTION_{}", name.to_ascii_uppercase().replace('-', "_"));
        match scalar(option, "value") {
            Some(value) => {
                job.environment.insert(variable, value);
            }
            None => job.note(format!("set the option {name} as the variable {variable}")),
        }
    }
    let Some(sequence) = field(definition, "sequence") else { return };
    let commands = list(sequence, "commands");
    match command(commands) {
        Some(_) if commands.len() > 1 && is_true(sequence, "keepgoing") => {
            job.note("its steps are left out, because they go on after a failure (keepgoing)");
        }
        Some(command) => job.command = command,
        None => job.note("its steps are left out, because not all of them are plain commands"),
    }
}

fn command(steps: &[Value]) -> Option<Vec<String>> {
    // Rundeck fills these in before it runs a step.
    let is_plain = |text: &&str| {
        !["${option.", "${job.", "${node.", "${globals.", "${data.", "@option."].iter().any(|part| text.contains(part))
    };
    if let [step] = steps
        && let Some(script) = text(step, "script").filter(is_plain)
        && !is_given(step, "args")
        && !is_given(step, "scriptInterpreter")
    {
        let shell = if script.starts_with("#!") { interpreter(script)? } else { vec!["/bin/sh".into()] };
        return Some(shell.into_iter().chain(["-c".into(), script.to_owned()]).collect());
    }
    let texts =
        steps.iter().map(|step| text(step, "exec").filter(is_plain).filter(|_| !is_given(step, "errorhandler")));
    let texts: Vec<&str> = texts.collect::<Option<_>>()?;
    let text = match texts.as_slice() {
        [] => return None,
        [one] => (*one).to_owned(),
        // Each step is a process of its own, and the first failure is the last step.
        several => {
            let parts = several.iter().map(|text| format!("(\n{text}\n)"));
            format!("set -e\n{}", parts.collect::<Vec<_>>().join("\n"))
        }
    };
    Some(vec!["/bin/sh".into(), "-c".into(), text])
}

#[cfg(test)]
#[path = "rundeck_tests.rs"]
mod tests;
