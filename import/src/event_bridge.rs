//! Pure: schedules of EventBridge: what its command line gives, and resources of CloudFormation.

use serde_json::Value;

use super::document::{count, documents, field, is_given, list, text};
use super::imported::{Imported, ImportedJob, Source};
use super::lines::Lines;
use super::translation::Given;

/// The kinds of resources that have schedules.
const RESOURCES: [&str; 2] = ["AWS::Scheduler::Schedule", "AWS::Events::Rule"];

/// Reads answers of `aws scheduler get-schedule` and of `aws events describe-rule` and `list-rules`, and templates.
#[must_use]
pub fn read_event_bridge(source: &Source<'_>) -> Imported {
    let mut found = Imported::default();
    let all = match documents(source.text) {
        Ok(all) => all,
        Err(why) => return Imported::unreadable(source, &why),
    };
    let mut lines = Lines::of(source.text);
    let mut count = 0;
    for document in &all {
        for Named { id, name, properties } in schedules(document) {
            count += 1;
            let line = id.map_or_else(|| lines.find_field("Name", name), |id| Lines::of_key(source.text, id));
            found.push(line, name, job(properties, name));
        }
    }
    for (function, event) in all.iter().flat_map(events_of_functions) {
        count += 1;
        let why = "events of serverless functions are not read: aws scheduler get-schedule has what becomes of them";
        found.refuse(Lines::of_key(source.text, event), &format!("{function}.{event}"), why);
    }
    if count == 0 {
        found.refuse(1, source.name, format!("it has no schedule: {} are read", RESOURCES.join(" and ")));
    }
    found
}

/// A schedule of a document.
struct Named<'a> {
    /// Its key in a template.
    id: Option<&'a str>,
    name: &'a str,
    properties: &'a Value,
}

/// The schedules of a document. A rule without one waits for events.
fn schedules(document: &Value) -> Vec<Named<'_>> {
    let is_schedule = |named: &Named<'_>| {
        field(named.properties, "EventPattern").is_none() || field(named.properties, "ScheduleExpression").is_some()
    };
    if let Some(resources) = field(document, "Resources").and_then(Value::as_object) {
        let kind = |resource: &Value| text(resource, "Type").is_some_and(|kind| RESOURCES.contains(&kind));
        let all = resources.iter().filter(|(_, resource)| kind(resource)).filter_map(|(id, resource)| {
            let properties = field(resource, "Properties")?;
            let named = text(properties, "Name").filter(|name| !name.contains("${"));
            Some(Named { id: Some(id), name: named.unwrap_or(id), properties })
        });
        return all.filter(is_schedule).collect();
    }
    let lists = ["Schedules", "Rules"].into_iter().flat_map(|key| list(document, key));
    let listed: Vec<&Value> = lists.chain(document.as_array().into_iter().flatten()).collect();
    let all = if listed.is_empty() { vec![document] } else { listed };
    let named = all.into_iter().filter_map(|one| Some(Named { id: None, name: text(one, "Name")?, properties: one }));
    named.filter(is_schedule).collect()
}

/// Schedules inside of functions: their names, and those of the functions.
fn events_of_functions(document: &Value) -> Vec<(&str, &str)> {
    let resources = field(document, "Resources").and_then(Value::as_object).into_iter().flatten();
    let functions = resources.filter(|(_, resource)| text(resource, "Type") == Some("AWS::Serverless::Function"));
    let events = functions.flat_map(|(id, function)| {
        let events = function.pointer("/Properties/Events").and_then(Value::as_object).into_iter().flatten();
        events.map(move |(name, event)| (id, name, event))
    });
    let scheduled = events.filter(|(_, _, event)| matches!(text(event, "Type"), Some("Schedule" | "ScheduleV2")));
    scheduled.map(|(id, name, _)| (id.as_str(), name.as_str())).collect()
}

fn job(properties: &Value, name: &str) -> Result<ImportedJob, String> {
    let mut job = ImportedJob { name: name.to_owned(), ..ImportedJob::default() };
    text(properties, "Description").unwrap_or_default().clone_into(&mut job.description);
    let expression = match (text(properties, "ScheduleExpression"), field(properties, "ScheduleExpression")) {
        (Some(expression), _) => expression.trim(),
        (None, Some(_)) => return Err("its ScheduleExpression is computed by the template".into()),
        (None, None) => {
            return Err(
                "it has no ScheduleExpression: list-schedules leaves them out, and get-schedule has them".into()
            );
        }
    };
    let zone = match (text(properties, "ScheduleExpressionTimezone"), field(properties, "ScheduleExpressionTimezone")) {
        (Some(zone), _) => zone,
        (None, Some(_)) => return Err("its ScheduleExpressionTimezone is computed by the template".into()),
        (None, None) => "Etc/UTC",
    };
    let fields = expression.strip_prefix("cron(").and_then(|rest| rest.strip_suffix(')'));
    let Some(fields) = fields else {
        return Err(match expression.split('(').next() {
            Some("rate") => {
                format!("eventbridge {expression:?}: it counts from the start of the schedule, not by the clock")
            }
            Some("at") => format!("eventbridge {expression:?}: it runs once"),
            _ => format!("eventbridge {expression:?}: it is no cron(...)"),
        });
    };
    for (key, why) in [
        ("StartDate", "a schedule that begins later has no equivalent; if it has begun, take the StartDate out"),
        ("EndDate", "a schedule that ends has no equivalent"),
    ] {
        if let Some(date) = field(properties, key) {
            return Err(format!("eventbridge {key} {date}: {why}"));
        }
    }
    job.translate(&Given { dialect: "eventbridge", expression: fields, zone, ..Given::default() })?;
    match (field(properties, "State"), text(properties, "State")) {
        (None, _) => {}
        (_, Some("DISABLED")) => job.suspend(),
        (_, Some(state)) if state.starts_with("ENABLED") => {}
        _ => return Err("its State is computed by the template".into()),
    }
    job.set_concurrency("Allow");
    window(&mut job, properties)?;
    if is_given(properties, "EventPattern") {
        job.note("it also waits for events, which has no equivalent");
    }
    target(&mut job, properties);
    Ok(job)
}

/// The window in which a run may start.
fn window(job: &mut ImportedJob, properties: &Value) -> Result<(), String> {
    let Some(window) = field(properties, "FlexibleTimeWindow") else { return Ok(()) };
    match text(window, "Mode") {
        Some("OFF") => Ok(()),
        Some("FLEXIBLE") => {
            let minutes = count(window, "MaximumWindowInMinutes").ok_or("its FlexibleTimeWindow has no length")?;
            let seconds = minutes.checked_mul(60).ok_or("its FlexibleTimeWindow is too long")?;
            job.settings.insert("cronjob.jitter_seconds".into(), seconds.to_string());
            job.note(format!(
                "EventBridge starts it some time within {minutes} minutes; here the delay is fixed for each job"
            ));
            Ok(())
        }
        _ => Err("its FlexibleTimeWindow is neither OFF nor FLEXIBLE".into()),
    }
}

fn target(job: &mut ImportedJob, properties: &Value) {
    let targets = field(properties, "Target").into_iter().chain(list(properties, "Targets"));
    for target in targets {
        job.note(format!("it invokes {}", text(target, "Arn").unwrap_or("a target that the template computes")));
        if is_given(target, "RetryPolicy") {
            job.note("its RetryPolicy is left out: set max_nb_restart");
        }
    }
}

#[cfg(test)]
#[path = "event_bridge_tests.rs"]
mod tests;
