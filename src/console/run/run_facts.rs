//! What is known about a run: its state, its times, its outcome, and its configuration as it was.

use chrono::{DateTime, Utc};
use entity::run::Model;
use maud::{Markup, html};
use windlass_schedule::time_zone::Zone;

use super::run_words;
use crate::console::format::duration;
use crate::console::paths;
use crate::console::picture::Shade;
use crate::console::when::when;
use crate::engine::exit_code;

/// The state as a badge.
pub(super) fn badge(run: &Model) -> Markup {
    let shade = Shade::of(run.state);
    html! {
        span.state.(shade.class()) { (shade.label()) }
        @if run.cancel_requested_at.is_some() && !run.state.is_final() { " " span.soft { "cancellation requested" } }
    }
}

/// The facts.
pub(super) fn facts(run: &Model, place: Option<&str>, zone: Option<Zone>, now: DateTime<Utc>) -> Markup {
    let time = |name: &str, at: Option<DateTime<Utc>>| {
        html! { @if let Some(at) = at { dt { (name) } dd { (when(at, zone, now)) } } }
    };
    html! {
        dl.facts {
            @if let Some(reason) = &run.reason { dt { "Reason" } dd.reason { (reason) } }
            @if let Some(code) = run.exit_code {
                dt { "Exit code" }
                dd { (code) @if let Some(meaning) = exit_code::meaning(code) { ": " (meaning) } }
            }
            dt { "Started by" } dd { (run_words::trigger(run)) }
            dt { "Event" } dd { (run_words::event(run.event)) }
            (time("Scheduled for", run.scheduled_for))
            (time("Created", run.scheduled_for.is_none().then_some(run.created_at)))
            @if !run.state.is_final() && run.started_at.is_none() && run.not_before > now {
                (time("Not before", Some(run.not_before)))
            }
            (time("Started", run.started_at))
            (time("Finished", run.finished_at))
            @if let Some(taken) = run_words::taken(run, now) {
                dt { "Duration" } dd { (duration(taken)) @if run.finished_at.is_none() { " so far" } }
            }
            dt { "Attempt" }
            dd { (run.attempt) " of at most " (run.spec.max_nb_restart.saturating_add(1)) }
            (time("This attempt", run.attempt_started_at.filter(|_| run.attempt > 1)))
            @if let Some(deployment) = run.deployment_id {
                dt { "Deployment" } dd { a href=(paths::deployment(deployment)) { "of this run" } }
            }
            @if let Some(kind) = run.runner { dt { "Executed by" } dd { (run_words::runner(kind)) } }
            @if let Some(place) = place { dt { "Cluster" } dd { (place) } }
        }
    }
}

/// The configuration of the run, which later edits of the job do not change.
pub(super) fn configuration(run: &Model) -> Markup {
    let spec = &run.spec;
    html! {
        details #configuration {
            summary { "Configuration as it was" }
            dl.facts {
                dt { "Image" } dd { (run_words::image(run).unwrap_or_else(|| "none".into())) }
                @if let Some(commit) = run.built.as_ref().and_then(|built| built.commit.as_ref()) {
                    dt { "Commit" } dd { code { (commit.id) } " " (commit.message) }
                }
                dt { "Entrypoint" } dd { @match &spec.entrypoint { Some(text) => code { (text) }, None => "that of the image" } }
                dt { "Arguments" }
                dd { @if spec.arguments.is_empty() { "none" } @for argument in &spec.arguments { code.argument { (argument) } " " } }
                dt { "CPU" } dd { (spec.cpu_milli) " m" }
                dt { "Memory" } dd { (spec.memory_mib) " MiB" }
                dt { "Retries" } dd { (spec.max_nb_restart) }
                dt { "Time limit" }
                dd { @match u64::try_from(spec.max_duration_seconds) {
                    Ok(seconds) if seconds > 0 => (duration(seconds * 1000)),
                    _ => "none",
                } }
                @if !spec.success_exit_codes.is_empty() {
                    dt { "Also successful" } dd { "exit codes " (list(&spec.success_exit_codes)) }
                }
                @if !spec.fail_fast_exit_codes.is_empty() {
                    dt { "Not retried after" } dd { "exit codes " (list(&spec.fail_fast_exit_codes)) }
                }
                @if !spec.secret_additions.is_empty() {
                    dt { "Secret variables of this run" } dd { (spec.secret_additions.join(", ")) }
                }
            }
        }
    }
}

fn list(codes: &[i32]) -> String {
    codes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
