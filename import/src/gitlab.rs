//! Pure: pipeline schedules of GitLab, as its API gives them.

use serde_json::Value;

use super::document::{field, is_false, is_given, list, scalar, text};
use super::imported::{Imported, ImportedJob, Source};
use super::listed::listed;
use super::translation::Given;

/// Reads the answer of `/projects/:id/pipeline_schedules`, or of one schedule.
#[must_use]
pub fn read_gitlab(source: &Source<'_>) -> Imported {
    listed(source, "cron", |schedule, cron| (name(schedule), job(schedule, cron)))
}

fn name(schedule: &Value) -> String {
    let by_number = || format!("schedule-{}", scalar(schedule, "id").unwrap_or_default());
    text(schedule, "description").map_or_else(by_number, str::to_owned)
}

fn job(schedule: &Value, cron: &str) -> Result<ImportedJob, String> {
    if cron.is_empty() {
        return Err("it has no cron".into());
    }
    let mut job = ImportedJob { name: name(schedule), ..ImportedJob::default() };
    let zone = text(schedule, "cron_timezone").unwrap_or("Etc/UTC");
    job.translate(&Given { dialect: "fugit", expression: cron, zone, ..Given::default() })?;
    if let Some(branch) = text(schedule, "ref") {
        job.description = format!("pipeline of {branch}");
    }
    job.set_concurrency("Allow");
    if is_false(schedule, "active") {
        job.suspend();
    }
    for variable in list(schedule, "variables") {
        let (Some(key), Some(value)) = (text(variable, "key"), scalar(variable, "value")) else { continue };
        if text(variable, "variable_type") == Some("file") {
            job.note(format!("set the variable {key}: GitLab puts its value into a file"));
        } else {
            job.environment.insert(key.to_owned(), value);
        }
    }
    if field(schedule, "variables").is_none() {
        job.note("the list of GitLab leaves variables out: import the answer for the single schedule to get them");
    }
    if is_given(schedule, "inputs") {
        job.note("inputs of the pipeline are left out");
    }
    job.note("GitLab looks for due schedules only every few minutes, and starts them then; this server is on time");
    Ok(job)
}

#[cfg(test)]
#[path = "gitlab_tests.rs"]
mod tests;
