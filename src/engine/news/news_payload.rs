//! Pure: which webhooks are told about something, and what they are told.

use chrono::{DateTime, SecondsFormat, Utc};
use entity::environment::Mode;
use entity::run;
use entity::webhook::{Model, OwnEvent, WebhookKind};
use sea_orm::ActiveEnum as _;
use serde_json::{Map, Value, json};

use crate::engine::wildcard;
use crate::store::webhook_news::NewsPlace;

/// Something that webhooks are told.
pub(super) struct News {
    pub(super) event: OwnEvent,
    /// A webhook is told the same cause once.
    pub(super) cause: String,
    pub(super) reason: Option<String>,
    /// The page of the console about it.
    pub(super) path: String,
    pub(super) facts: Map<String, Value>,
}

/// Whether the filters of a webhook let something through. What is in no project or environment passes only without a filter.
pub(in crate::engine) fn is_covered(hook: &Model, project: Option<&str>, mode: Option<Mode>) -> bool {
    let (names, modes) = (&hook.project_names.0, &hook.modes.0);
    let is_named = |project| names.iter().any(|name| wildcard::matches(name, project));
    (names.is_empty() || project.is_some_and(is_named))
        && (modes.is_empty() || mode.is_some_and(|mode| modes.contains(&mode)))
}

/// Whether a webhook names an event.
pub(super) fn names(hook: &Model, event: OwnEvent) -> bool {
    hook.own_events.as_ref().is_some_and(|events| events.0.contains(&event))
}

/// Whether a webhook is told about an event.
#[must_use]
pub fn wants(hook: &Model, place: &NewsPlace, event: OwnEvent) -> bool {
    let project = place.project.as_ref().map(|(_, name)| name.as_str());
    let mode = place.environment.as_ref().map(|(.., mode)| *mode);
    hook.organization_id == place.organization && names(hook, event) && is_covered(hook, project, mode)
}

/// The body of a delivery.
pub(super) fn payload(
    kind: WebhookKind,
    place: &NewsPlace,
    news: &News,
    (public_url, now): (&str, DateTime<Utc>),
) -> Value {
    let link = format!("{public_url}/console/{}", news.path);
    match kind {
        WebhookKind::Standard => {
            let mut data = of_place(place);
            data.extend(news.facts.clone());
            data.insert("reason".into(), json!(news.reason));
            data.insert("link".into(), json!(link));
            json!({ "type": news.event, "timestamp": time(now), "data": data })
        }
        WebhookKind::Slack => {
            let names = [
                place.project.as_ref().map(|(_, name)| name),
                place.environment.as_ref().map(|(_, name, _)| name),
                place.job.as_ref().map(|(_, name)| name),
                place.workspace.as_ref().map(|(_, name)| name),
            ];
            let names: Vec<String> = names.into_iter().flatten().map(|name| escaped(name)).collect();
            let reason = news.reason.as_deref().map(|reason| format!(": {}", escaped(reason))).unwrap_or_default();
            json!({ "text": format!("{}: {}{reason}\n{link}", words(news.event), names.join(" / ")) })
        }
    }
}

fn of_place(place: &NewsPlace) -> Map<String, Value> {
    let NewsPlace { organization, project, environment, job, workspace } = place;
    let mut data = Map::new();
    data.insert("organization_id".into(), json!(organization));
    if let Some((id, name)) = project {
        data.insert("project_id".into(), json!(id));
        data.insert("project_name".into(), json!(name));
    }
    if let Some((id, name, mode)) = environment {
        data.insert("environment_id".into(), json!(id));
        data.insert("environment_name".into(), json!(name));
        data.insert("environment_mode".into(), json!(mode));
    }
    if let Some((id, name)) = job {
        data.insert("job_id".into(), json!(id));
        data.insert("job_name".into(), json!(name));
    }
    if let Some((id, name)) = workspace {
        data.insert("workspace_id".into(), json!(id));
        data.insert("workspace_name".into(), json!(name));
    }
    data
}

/// What is told about a run.
pub(super) fn of_run(event: OwnEvent, run: &run::Model, reason: Option<String>) -> News {
    let mut facts = Map::new();
    let mut add = |name: &str, value: Value| drop(facts.insert(name.to_owned(), value));
    add("run_id", json!(run.id));
    add("run_event", json!(run.event));
    add("trigger", json!(run.trigger.to_value()));
    add("state", json!(run.state.to_value()));
    add("attempt", json!(run.attempt));
    add("exit_code", json!(run.exit_code));
    add("scheduled_for", json!(run.scheduled_for.map(time)));
    add("started_at", json!(run.started_at.map(time)));
    add("finished_at", json!(run.finished_at.map(time)));
    News { event, cause: format!("{} {}", event.to_value(), run.id), reason, path: format!("run/{}", run.id), facts }
}

/// Why a run ended as it did, in words: its exit code and its reason.
#[must_use]
pub fn run_reason(run: &run::Model) -> Option<String> {
    let code = run.exit_code.map(|code| format!("exit code {code}"));
    // Most reasons name it already.
    let names = |reason: &str, code: &str| {
        reason.split(code).skip(1).any(|rest| !rest.starts_with(|letter: char| letter.is_ascii_digit()))
    };
    let code = code.filter(|code| !run.reason.as_deref().is_some_and(|reason| names(reason, code)));
    let parts: Vec<String> = [code, run.reason.clone()].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

pub(super) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A text for Slack, which would read these characters as markup.
pub(in crate::engine) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn words(event: OwnEvent) -> &'static str {
    match event {
        OwnEvent::RunFailed => "A run has failed",
        OwnEvent::RunRecovered => "A run has succeeded again",
        OwnEvent::RunSucceeded => "A run has succeeded",
        OwnEvent::TimeMissed => "A scheduled time was missed",
        OwnEvent::ScheduleRecovered => "A scheduled run has succeeded after a missed time",
        OwnEvent::RunTooLong => "A run takes too long",
        OwnEvent::RunTooLongEnded => "A run that took too long has ended",
        OwnEvent::ApprovalWaiting => "A workspace waits for an approval",
        OwnEvent::ApprovalDecided => "An approval is no longer awaited",
    }
}

#[cfg(test)]
#[path = "news_payload_tests.rs"]
mod tests;
