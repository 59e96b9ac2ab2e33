//! Pure: workflows of GitHub Actions: each of their schedules becomes a job, because GitHub runs the workflow for each.

use serde_json::Value;

use super::document::{documents, field, is_given, is_true, list, text, variables};
use super::imported::{Imported, ImportedJob, Source};
use super::lines::Lines;
use super::translation::{Given, Translation};

/// GitHub runs no schedule more often.
const SHORTEST_MINUTES: i64 = 5;

/// Reads a workflow.
#[must_use]
pub fn read_github(source: &Source<'_>) -> Imported {
    let mut found = Imported::default();
    let all = match documents(source.text) {
        Ok(all) => all,
        Err(why) => return Imported::unreadable(source, &why),
    };
    let mut lines = Lines::of(source.text);
    for workflow in &all {
        // Some tools write the key as the truth value that it is in old YAML.
        let events = field(workflow, "on").or_else(|| field(workflow, "true"));
        let schedules = events.map_or(&[][..], |events| list(events, "schedule"));
        if schedules.is_empty() {
            found.refuse(1, source.name, "it has no on.schedule");
        }
        for schedule in schedules {
            let cron = text(schedule, "cron").unwrap_or_default();
            let line = lines.find_field("cron", cron);
            found.push(line, cron, job(source, workflow, schedule, cron));
        }
    }
    found
}

fn job(source: &Source<'_>, workflow: &Value, schedule: &Value, cron: &str) -> Result<ImportedJob, String> {
    let mut job = ImportedJob { name: source.stem().to_owned(), ..ImportedJob::default() };
    if let Some(name) = text(workflow, "name") {
        name.clone_into(&mut job.description);
    }
    if cron.is_empty() {
        return Err("it has no cron".into());
    }
    let zone = text(schedule, "timezone").unwrap_or("Etc/UTC");
    let given = Given { dialect: "github", expression: cron, zone, ..Given::default() };
    let found = super::translate::translate(&given).map_err(|refusal| refusal.to_string())?;
    if shortest_minutes(&found).is_some_and(|minutes| minutes < SHORTEST_MINUTES) {
        return Err(format!("github {cron:?}: GitHub runs a workflow at most every {SHORTEST_MINUTES} minutes"));
    }
    job.set_schedule(found);
    job.note("GitHub starts scheduled workflows late, and leaves some out, when it is busy; this server does not");
    concurrency(&mut job, workflow);
    let (open, plain) = variables(workflow, "env").into_iter().partition(|(_, value)| value.contains("${{"));
    job.environment = plain;
    let open: std::collections::BTreeMap<String, String> = open;
    if !open.is_empty() {
        let names: Vec<&str> = open.keys().map(String::as_str).collect();
        job.note(format!("set these variables, whose values GitHub computes: {}", names.join(", ")));
    }
    Ok(job)
}

fn concurrency(job: &mut ImportedJob, workflow: &Value) {
    let group = field(workflow, "concurrency");
    match group {
        None => job.set_concurrency("Allow"),
        Some(group) if is_true(group, "cancel-in-progress") => job.set_concurrency("Replace"),
        Some(group) => {
            job.set_concurrency("Queue");
            job.note("of the runs that wait, GitHub keeps one; here all of them run");
            if is_given(group, "cancel-in-progress") && field(group, "cancel-in-progress") != Some(&Value::Bool(false))
            {
                job.note("GitHub computes whether a new run cancels the one before; here it waits");
            }
        }
    }
}

/// The shortest time between two of the next times.
fn shortest_minutes(found: &Translation) -> Option<i64> {
    let schedule = found.schedule().ok()?;
    // Any time does: the minutes of an hour repeat.
    let start = chrono::DateTime::from_timestamp(1_800_000_000, 0)?;
    let times = std::iter::successors(schedule.next(start, &chrono::Utc), |time| schedule.next(*time, &chrono::Utc));
    let times: Vec<_> = times.take(61).collect();
    times.iter().zip(times.iter().skip(1)).map(|(one, next)| (*next - *one).num_minutes()).min()
}

#[cfg(test)]
#[path = "github_tests.rs"]
mod tests;
