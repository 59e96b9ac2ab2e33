//! Pure: schedules of Temporal, as `temporal schedule describe -o json` gives them.

use serde_json::Value;

use super::document::{documents, field, is_given, is_true, list, scalar, text, texts};
use super::imported::{Imported, ImportedJob, Source};
use super::temporal_spec::{calendar, interval, whole_seconds};
use super::text::quoted;
use super::translate::translate;
use super::translation::{Given, Translation};

/// Up to which length of the catchup window missed times are lost, because a server is never away for less.
const SHORT_SECONDS: u64 = 60;

/// Reads one description or several.
#[must_use]
pub fn read_temporal(source: &Source<'_>) -> Imported {
    let mut found = Imported::default();
    let all = match documents(source.text) {
        Ok(all) => all,
        Err(why) => return Imported::unreadable(source, &why),
    };
    for description in &all {
        let name = name(description, source);
        found.push(1, &name, job(description, &name));
    }
    found
}

/// A description does not name its schedule, so that the name comes from its workflow or its file.
fn name(description: &Value, source: &Source<'_>) -> String {
    let workflow = description.pointer("/schedule/action/startWorkflow").and_then(|start| text(start, "workflowId"));
    text(description, "scheduleId").or(workflow).unwrap_or_else(|| source.stem()).to_owned()
}

fn job(description: &Value, name: &str) -> Result<ImportedJob, String> {
    let schedule = field(description, "schedule").ok_or(
        "it is no description: the list leaves parts of schedules out, and temporal schedule describe has them",
    )?;
    let spec = field(schedule, "spec").ok_or("it has no spec")?;
    for (key, why) in [
        ("startTime", "a schedule that begins later has no equivalent; if it has begun, take the startTime out"),
        ("endTime", "a schedule that ends has no equivalent"),
        ("excludeCalendar", "make a calendar of this server, and exclude it"),
        ("excludeStructuredCalendar", "make a calendar of this server, and exclude it"),
        ("timezoneData", "a time zone of its own has no equivalent"),
    ] {
        if is_given(spec, key) {
            return Err(format!("temporal {key}: {why}"));
        }
    }
    let mut job = ImportedJob { name: name.to_owned(), ..ImportedJob::default() };
    job.set_schedule(times(spec)?);
    if let Some(jitter) = text(spec, "jitter").filter(|jitter| *jitter != "0s") {
        let seconds =
            whole_seconds(jitter).ok_or_else(|| format!("temporal jitter {jitter:?}: it is no whole seconds"))?;
        job.settings.insert("cronjob.jitter_seconds".into(), seconds.to_string());
        job.note("Temporal draws the delay anew each time; here it is fixed for each job");
    }
    policies(&mut job, field(schedule, "policies").unwrap_or(&Value::Null))?;
    let state = field(schedule, "state").unwrap_or(&Value::Null);
    if is_true(state, "limitedActions") {
        return Err("temporal limitedActions: a schedule that ends after some runs has no equivalent".into());
    }
    if is_true(state, "paused") {
        job.suspend();
    }
    text(state, "notes").unwrap_or_default().clone_into(&mut job.description);
    let kind = schedule.pointer("/action/startWorkflow/workflowType").and_then(|kind| text(kind, "name"));
    job.note(format!("it starts the workflow {}", kind.unwrap_or("that is not in the file")));
    Ok(job)
}

/// The union of all its times.
fn times(spec: &Value) -> Result<Translation, String> {
    let zone = text(spec, "timezoneName").unwrap_or("Etc/UTC");
    let mut all: Vec<(String, &str)> = Vec::new();
    for one in list(spec, "structuredCalendar") {
        all.push((calendar(one)?, zone));
    }
    if is_given(spec, "calendar") {
        return Err("temporal calendar: describe gives a structuredCalendar instead".into());
    }
    all.extend(texts(spec, "cronString").into_iter().map(|cron| (cron, zone)));
    for one in list(spec, "interval") {
        let phase = scalar(one, "phase").unwrap_or_else(|| "0s".into());
        // Intervals are counted from the beginning of 1970 in UTC.
        all.push((interval(text(one, "interval").unwrap_or_default(), &phase)?, "Etc/UTC"));
    }
    let mut joined: Option<Translation> = None;
    for (expression, zone) in &all {
        let given = Given { dialect: "temporal", expression, zone, ..Given::default() };
        let found = translate(&given).map_err(|refusal| refusal.to_string())?;
        joined = Some(match joined {
            None => found,
            Some(before) => before.join(found).map_err(|why| format!("temporal {expression:?}: {why}"))?,
        });
    }
    let mut joined = joined.ok_or("it has no times")?;
    // The expressions are ours: there is nothing to compare them with.
    joined.notes.retain(|note| !note.contains(" here: "));
    Ok(joined)
}

fn policies(job: &mut ImportedJob, policies: &Value) -> Result<(), String> {
    let overlap = text(policies, "overlapPolicy").unwrap_or("Skip");
    let plain = overlap.trim_start_matches("SCHEDULE_OVERLAP_POLICY_").replace('_', "").to_ascii_lowercase();
    match plain.as_str() {
        "skip" | "unspecified" => job.set_concurrency("Forbid"),
        "allowall" => job.set_concurrency("Allow"),
        "cancelother" | "terminateother" => job.set_concurrency("Replace"),
        "bufferall" => job.set_concurrency("Queue"),
        "bufferone" => {
            job.set_concurrency("Queue");
            job.note("of the runs that wait, Temporal keeps one; here all of them run");
        }
        _ => return Err(format!("temporal overlapPolicy {overlap:?}: it is not known")),
    }
    let is_short =
        text(policies, "catchupWindow").and_then(whole_seconds).is_some_and(|window| window <= SHORT_SECONDS);
    job.settings.insert("cronjob.missed_runs".into(), quoted(if is_short { "none" } else { "all" }));
    if is_true(policies, "pauseOnFailure") {
        job.note("Temporal pauses it after a failure; here it goes on");
    }
    Ok(())
}

#[cfg(test)]
#[path = "temporal_tests.rs"]
mod tests;
