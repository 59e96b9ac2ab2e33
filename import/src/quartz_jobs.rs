//! Pure: jobs of Quartz in the file of its `XMLSchedulingDataProcessorPlugin`, such as `quartz_data.xml`.

use super::imported::{Imported, ImportedJob, Source};
use super::text::quoted;
use super::translation::Given;
use super::xml::Element;

/// The group of what names none.
const GROUP: &str = "DEFAULT";

/// Reads the file; each of its triggers becomes a job.
#[must_use]
pub fn read_quartz(source: &Source<'_>) -> Imported {
    let mut found = Imported::default();
    let root = match Element::parse(source.text) {
        Ok(root) => root,
        Err(why) => return Imported::unreadable(source, &why),
    };
    if root.attribute("xmlns").is_some_and(|namespace| namespace.contains("quartznet")) {
        found.refuse(
            root.line,
            source.name,
            "it is a file of Quartz.NET, whose rules are not known to be those of Quartz",
        );
        return found;
    }
    let schedules: Vec<&Element> = root.all("schedule").collect();
    let jobs: Vec<&Element> = schedules.iter().flat_map(|schedule| schedule.all("job")).collect();
    let triggers = schedules.iter().flat_map(|schedule| schedule.all("trigger"));
    for trigger in triggers.flat_map(|trigger| &trigger.children) {
        let name = trigger.value("name").unwrap_or(&trigger.name);
        let read = if trigger.name == "cron" {
            job(trigger, &jobs, source.zone)
        } else {
            Err(format!("quartz {}: a trigger that counts from its start has no equivalent", trigger.name))
        };
        found.push(trigger.line, name, read);
    }
    if found == Imported::default() {
        found.refuse(root.line, source.name, "it has no trigger");
    }
    found
}

fn job(trigger: &Element, jobs: &[&Element], zone: &str) -> Result<ImportedJob, String> {
    let expression = trigger.value("cron-expression").ok_or("it has no cron-expression")?;
    for (key, why) in [
        ("start-time", "a schedule that begins later has no equivalent; if it has begun, take the start-time out"),
        ("end-time", "a schedule that ends has no equivalent"),
        ("calendar-name", "make a calendar of this server, and take the calendar-name out"),
    ] {
        if let Some(value) = trigger.value(key) {
            return Err(format!("quartz {key} {value:?}: {why}"));
        }
    }
    let job_name = trigger.value("job-name").ok_or("it has no job-name")?;
    let group = trigger.value("job-group").unwrap_or(GROUP);
    let runs = |job: &&&Element| job.value("name") == Some(job_name) && job.value("group").unwrap_or(GROUP) == group;
    let target = jobs.iter().find(runs);
    let described = trigger.value("description").or_else(|| target.and_then(|job| job.value("description")));
    let mut job = ImportedJob {
        name: job_name.to_owned(),
        description: described.unwrap_or_default().to_owned(),
        ..ImportedJob::default()
    };
    let zone = trigger.value("time-zone").unwrap_or(zone);
    job.translate(&Given { dialect: "quartz", expression, zone, ..Given::default() })?;
    let missed = match trigger.value("misfire-instruction") {
        Some("MISFIRE_INSTRUCTION_DO_NOTHING") => "none",
        Some("MISFIRE_INSTRUCTION_IGNORE_MISFIRE_POLICY") => "all",
        _ => "latest",
    };
    job.settings.insert("cronjob.missed_runs".into(), quoted(missed));
    job.set_concurrency("Allow");
    match target.and_then(|job| job.value("job-class")) {
        Some(class) => job.note(format!(
            "it runs the class {class}; if that disallows concurrent execution, set cronjob.concurrency_policy"
        )),
        None => job.note(format!("its job {group}.{job_name} is not in the file")),
    }
    let data = |of: &Element| -> Vec<String> {
        let entries = of.child("job-data-map").into_iter().flat_map(|map| map.all("entry"));
        entries.filter_map(|entry| entry.value("key").map(str::to_owned)).collect()
    };
    let keys: Vec<String> = target.map(|job| data(job)).into_iter().flatten().chain(data(trigger)).collect();
    if !keys.is_empty() {
        job.note(format!("its data are left out: {}", keys.join(", ")));
    }
    Ok(job)
}

#[cfg(test)]
#[path = "quartz_jobs_tests.rs"]
mod tests;
