//! Pure: jobs of Dkron, as its API gives them.

use serde_json::Value;

use super::document::{count, field, is_true, scalar, text};
use super::imported::{Imported, ImportedJob, Source};
use super::listed::listed;
use super::text::{quoted, seconds, words};
use super::translation::Given;

/// Reads the answer of `/v1/jobs`, or of one job.
#[must_use]
pub fn read_dkron(source: &Source<'_>) -> Imported {
    listed(source, "name", |definition, name| (name.to_owned(), job(definition, name, source.zone)))
}

fn job(definition: &Value, name: &str, zone: &str) -> Result<ImportedJob, String> {
    if let Some(parent) = text(definition, "parent_job") {
        return Err(format!("it runs after the job {parent}, not by a schedule"));
    }
    let expression = match text(definition, "schedule").ok_or("it has no schedule")? {
        "@minutely" => "0 * * * * *",
        expression => expression,
    };
    for (key, why) in [
        ("starts_at", "a schedule that begins later has no equivalent; if it has begun, take starts_at out"),
        ("expires_at", "a schedule that ends has no equivalent"),
    ] {
        if let Some(time) = text(definition, key) {
            return Err(format!("dkron {key} {time}: {why}"));
        }
    }
    if is_true(definition, "ephemeral") {
        return Err("it is deleted after its first run (ephemeral)".into());
    }
    let mut job = ImportedJob { name: name.to_owned(), ..ImportedJob::default() };
    text(definition, "displayname").unwrap_or_default().clone_into(&mut job.description);
    let zone = text(definition, "timezone").unwrap_or(zone);
    job.translate(&Given { dialect: "dkron", expression, zone, ..Given::default() })?;
    if is_true(definition, "disabled") {
        job.suspend();
    }
    job.lose_missed_runs();
    job.set_concurrency(if text(definition, "concurrency") == Some("forbid") { "Forbid" } else { "Allow" });
    job.max_restarts = Some(count(definition, "retries").unwrap_or(0));
    let tags = field(definition, "tags").and_then(Value::as_object).filter(|tags| !tags.is_empty());
    if let Some(tags) = tags {
        let names: Vec<&str> = tags.keys().map(String::as_str).collect();
        job.note(format!("Dkron runs it on the nodes with the tags {}; here it runs once", names.join(", ")));
    }
    executor(&mut job, definition);
    Ok(job)
}

fn executor(job: &mut ImportedJob, definition: &Value) {
    let executor = text(definition, "executor").unwrap_or("shell");
    let config = field(definition, "executor_config");
    let (Some(config), "shell") = (config, executor) else {
        job.note(format!("what its executor does is left out: {executor}"));
        return;
    };
    let command = text(config, "command").unwrap_or_default();
    match scalar(config, "shell").as_deref() {
        Some("true") => job.set_shell_command(command),
        _ => job.command = words(command),
    }
    for pair in text(config, "env").unwrap_or_default().split(',') {
        if let Some((name, value)) = pair.split_once('=') {
            job.environment.insert(name.trim().to_owned(), value.to_owned());
        }
    }
    if let Some(folder) = text(config, "cwd") {
        job.settings.insert("process.working_folder".into(), quoted(folder));
    }
    if let Some(limit) = text(config, "timeout") {
        job.max_duration_seconds = seconds(limit).filter(|limit| *limit > 0);
        if job.max_duration_seconds.is_none() {
            job.note(format!("its timeout {limit} is left out"));
        }
    }
}

#[cfg(test)]
#[path = "dkron_tests.rs"]
mod tests;
