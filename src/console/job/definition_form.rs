//! The form of a job.

use chrono::{DateTime, SecondsFormat, Utc};
use entity::job_spec::JobType;
use entity::registry;
use maud::{Markup, html};

use super::definition_text::{COMMANDS, CRON, DefinitionText};
use super::schedule_preview_view;
use crate::console::post_button::token;
use crate::console::problems::Problems;

/// The id of the form.
pub(super) const FORM: &str = "definition";

/// What stands around the fields.
pub(super) struct FormFrame<'a> {
    pub(super) to: String,
    pub(super) back: String,
    pub(super) csrf: &'a str,
    pub(super) submit: &'static str,
    /// When the job was last changed, as far as the form knows.
    pub(super) seen: Option<DateTime<Utc>>,
    pub(super) registries: &'a [registry::Model],
    pub(super) now: DateTime<Utc>,
}

/// The form, with the problems at its fields.
pub(super) fn form(text: &DefinitionText, problems: &Problems, frame: &FormFrame<'_>) -> Markup {
    let mut known = super::definition_text::names(text.job_type);
    known.extend(["schedule.cronjob.scheduled_at".to_owned(), "schedule.cronjob.timezone".to_owned()]);
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    html! {
        form.card id=(FORM) method="post" action=(frame.to) data-preview="/console/schedule/preview" {
            (token(frame.csrf))
            @if let Some(seen) = frame.seen {
                input type="hidden" name="seen" value=(seen.to_rfc3339_opts(SecondsFormat::Micros, true));
            }
            input type="hidden" name="type" value=(kind(text.job_type));
            @for (name, value) in text.of_other_type() { input type="hidden" name=(name) value=(value) data-kept; }
            (problems.others(&known))
            (line(text, problems, "name", "Name", "text", None))
            (line(text, problems, "description", "Description", "text", None))
            @if text.job_type == JobType::Cron { (schedule(text, problems, frame.now)) }
            (image(text, problems, frame.registries))
            @match text.job_type {
                JobType::Cron => fieldset { legend { "Command" } (command(text, problems, CRON)) },
                JobType::Lifecycle | JobType::Check => {
                    @for (field, label) in COMMANDS {
                        fieldset {
                            legend { (label) }
                            label.check { input type="checkbox" name=(field) value="on" checked[!text.text(field).is_empty()]; "Run a command" }
                            (command(text, problems, field))
                        }
                    }
                },
            }
            fieldset {
                legend { "Resources and limits" }
                (line(text, problems, "cpu", "CPU (thousandths of a core)", "number", None))
                (line(text, problems, "memory", "Memory (MiB)", "number", None))
                (line(text, problems, "max_nb_restart", "Retries of a failed run", "number", None))
                (line(text, problems, "max_duration_seconds", "Time limit (seconds)", "number", Some("Of all attempts together; 0 for no limit.")))
            }
            p {
                // The first button is what Enter presses.
                button type="submit" { (frame.submit) } " "
                @if text.job_type == JobType::Cron {
                    button.quiet type="submit" name="preview" value="1" formnovalidate { "Preview its times" } " "
                }
                a.button.quiet href=(frame.back) { "Back" }
            }
        }
    }
}

/// A type as addresses name it.
pub(super) fn kind(job_type: JobType) -> &'static str {
    match job_type {
        JobType::Cron => "cron",
        JobType::Lifecycle => "lifecycle",
        JobType::Check => "check",
    }
}

fn schedule(text: &DefinitionText, problems: &Problems, now: DateTime<Utc>) -> Markup {
    let (at, zone) = (text.text("scheduled_at"), text.text("timezone"));
    let at_problem = problems.at("schedule.cronjob.scheduled_at");
    let zone_problem = problems.at("schedule.cronjob.timezone");
    html! {
        fieldset {
            legend { "Schedule" }
            div.field {
                label for="scheduled-at" { "Cron expression" }
                input #scheduled-at type="text" name="scheduled_at" value=(at) required autocomplete="off" spellcheck="false" data-previewed
                    aria-invalid=[at_problem.as_ref().map(|_| "true")] aria-describedby="scheduled-at-note";
                span #scheduled-at-note {
                    @if let Some(problem) = at_problem { span.problem { "Cron expression " (problem) ". " } }
                    span.hint { "Minute, hour, day of the month, month, day of the week, such as 30 3 * * MON-FRI." }
                }
            }
            div.field {
                label for="timezone" { "Time zone" }
                input #timezone type="text" name="timezone" value=(zone) autocomplete="off" spellcheck="false" data-previewed
                    aria-invalid=[zone_problem.as_ref().map(|_| "true")] aria-describedby="timezone-note";
                span #timezone-note {
                    @if let Some(problem) = zone_problem { span.problem { "Time zone " (problem) ". " } }
                    span.hint { "Such as Europe/Berlin." }
                }
            }
            (schedule_preview_view::shown(at, zone, now))
        }
    }
}

fn image(text: &DefinitionText, problems: &Problems, registries: &[registry::Model]) -> Markup {
    const REGISTRY: &str = "source.image.registry_id";
    let chosen = text.text(REGISTRY);
    let is_listed = registries.iter().any(|row| row.id.to_string() == chosen);
    html! {
        fieldset {
            legend { "Image" }
            @if text.is_built {
                p { "The image is built from a Dockerfile. Change its source with the API." }
            } @else {
                (line(text, problems, "source.image.image_name", "Name", "text",
                    Some("Without the host of the registry. Empty for a job that runs as a plain process on the server.")))
                (line(text, problems, "source.image.tag", "Tag", "text", None))
                div.field {
                    label for="registry" { "Registry" }
                    select #registry name=(REGISTRY) {
                        @if !chosen.is_empty() && !is_listed { option value=(chosen) selected { "the present one" } }
                        @for row in registries { option value=(row.id) selected[row.id.to_string() == chosen] { (row.name) } }
                    }
                    @if let Some(problem) = problems.at(REGISTRY) { span.problem { "Registry " (problem) "." } }
                }
            }
        }
    }
}

fn command(text: &DefinitionText, problems: &Problems, field: &str) -> Markup {
    let (program, list) = (format!("{field}.entrypoint"), format!("{field}.arguments"));
    let id = list.replace('.', "-");
    let problem = problems.at(&list);
    html! {
        (line(text, problems, &program, "Entrypoint", "text", Some("One program. Empty for that of the image.")))
        div.field {
            label for=(id) { "Arguments" }
            textarea id=(id) name=(list) spellcheck="false" aria-invalid=[problem.as_ref().map(|_| "true")] aria-describedby={ (id) "-note" } {
                "\n" (text.text(&list))
            }
            span id={ (id) "-note" } {
                @if let Some(problem) = problem { span.problem { "Arguments: " (problem) ". " } }
                span.hint { "One a line, or a JSON list if an argument has several lines." }
            }
        }
    }
}

fn line(text: &DefinitionText, problems: &Problems, name: &str, label: &str, kind: &str, hint: Option<&str>) -> Markup {
    let (id, problem) = (name.replace('.', "-"), problems.at(name));
    html! {
        div.field {
            label for=(id) { (label) }
            input id=(id) type=(kind) name=(name) value=(text.text(name)) autocomplete="off"
                aria-invalid=[problem.as_ref().map(|_| "true")] aria-describedby={ (id) "-note" };
            span id={ (id) "-note" } {
                @if let Some(problem) = problem { span.problem { (label) " " (problem) ". " } }
                @if let Some(hint) = hint { span.hint { (hint) } }
            }
        }
    }
}
