//! What all pages of a job have in common: its name, its buttons, and the way to its other pages.

use entity::job_spec::JobType;
use maud::{Markup, html};

use super::scene::Scene;
use crate::access::{Action, Caller};
use crate::console::paths;
use crate::console::post_button::{Manner, post_button};
use crate::console::shell::Page;

/// The pages of a job.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum JobTab {
    Overview,
    History,
    Explain,
    Variables,
    Settings,
    Changes,
    /// A form, which is none of the tabs.
    Form,
}

impl JobTab {
    const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Overview, "Overview", ""),
        (Self::History, "History", "/history"),
        (Self::Explain, "Why did it run?", "/explain"),
        (Self::Variables, "Variables", "/variables"),
        (Self::Settings, "Settings", "/settings"),
        (Self::Changes, "Changes", "/changes"),
    ];
}

/// A page of a job.
pub(super) fn frame(scene: &Scene, caller: &Caller, tab: JobTab, title: &str, api: &str, content: Markup) -> Page {
    let path = paths::job(scene.job.id);
    let has_changes = scene.may(caller, Action::ViewEvents);
    let shown = |of: JobTab| match of {
        JobTab::Changes => has_changes,
        JobTab::Variables | JobTab::Settings => !scene.is_check(),
        _ => true,
    };
    let body = html! {
        h1 { (scene.job.name) @if tab == JobTab::Form { ": " (title) } }
        p.row {
            span.soft {
                @match scene.job.job_type { JobType::Cron => "CRON job", JobType::Lifecycle => "LIFECYCLE job", JobType::Check => "Check" }
                " in " (scene.project.name) " / " (scene.environment.name)
            }
        }
        @if !scene.job.spec.description.is_empty() { p.description { (scene.job.spec.description) } }
        nav.tabs aria-label="Pages of the job" {
            @for (of, name, end) in JobTab::ALL {
                @if shown(of) { a href={ (path) (end) } aria-current=[(of == tab).then_some("page")] { (name) } }
            }
        }
        (content)
    };
    let mut trail = scene.trail();
    if tab != JobTab::Overview {
        trail.push((scene.job.name.clone(), path));
    }
    let title = format!("{title} – {}", scene.job.name);
    Page {
        title,
        place: Some(scene.place()),
        trail,
        body,
        api: Some(match scene.is_check() && api.is_empty() {
            true => format!("/check/{}", scene.job.id),
            false => format!("/job/{}{api}", scene.job.id),
        }),
        live: None,
    }
}

/// What the viewer can do with the job.
pub(super) fn buttons(scene: &Scene, caller: &Caller, csrf: &str, is_paused: bool) -> Markup {
    let path = paths::job(scene.job.id);
    let to = |end: &str| format!("{path}/{end}");
    let is_cron = scene.job.job_type == JobType::Cron;
    html! {
        div.row.actions {
            @if scene.may(caller, Action::Deploy) {
                a.button href=(to("run")) { "Run now…" }
                (post_button(csrf, &to("deploy"), "Deploy", Manner::Quiet))
                a.button.quiet href=(to("deploy-version")) { "Deploy a version…" }
                @if scene.job.deployed.is_some() {
                    (post_button(csrf, &to("stop"), "Stop", Manner::Danger("Stop this job? Its schedule ends until it is deployed again.")))
                }
                @if is_cron {
                    @if is_paused { (post_button(csrf, &to("resume"), "Resume", Manner::Quiet)) }
                    @else { a.button.quiet href=(to("pause")) { "Pause…" } }
                    a.button.quiet href=(to("backfill")) { "Backfill…" }
                }
            }
            @if scene.may(caller, Action::Manage) {
                a.button.quiet href=(to("edit")) { "Edit" }
                a.button.quiet href=(to("clone")) { "Clone…" }
                (post_button(csrf, &to("delete"), "Delete", Manner::Danger("Delete this job with its runs and logs? This cannot be undone.")))
            }
        }
    }
}
