//! What the page of a check shows beside that of any job: its pings, and what can be done with it.

use entity::job_spec::Schedule;
use maud::{Markup, html};

use super::scene::Scene;
use super::schedule_view::capital;
use crate::access::{Action, Caller};
use crate::app::App;
use crate::console::paths;
use crate::console::post_button::{Manner, post_button};
use crate::console::when::{when, zone_of};
use crate::engine::cron::{schedule_text, span};
use crate::engine::job_check::ping_path;
use crate::error::Result;
use crate::store;

/// The pings: when they are expected, and the address, for those who may edit the check.
pub(super) async fn pings(app: &App, scene: &Scene, caller: &Caller, csrf: &str) -> Result<Markup> {
    let (job, now, zone) = (&scene.job, app.clock.now(), zone_of(&scene.job.spec));
    let Some(check) = store::job_check::by_job(&app.db, job.id).await? else {
        return Ok(html! { section #deployed {} });
    };
    let grace = match job.spec.schedule {
        Schedule::Check { grace_seconds, .. } => grace_seconds,
        Schedule::Cron { .. } | Schedule::Lifecycle { .. } => 0,
    };
    let limit = if job.spec.max_duration_seconds == 0 { grace } else { job.spec.max_duration_seconds };
    let may_edit = scene.may(caller, Action::Manage);
    let command = if may_edit {
        let path = ping_path(app, &check)?;
        path.map(|path| format!("curl -fsS -m 10 --retry 5 {}{}", app.public_url(), path.expose()))
    } else {
        None
    };
    Ok(html! {
        section #deployed.card aria-labelledby="deployed-title" {
            h2 #deployed-title { "Pings" }
            p { (capital(&schedule_text(job.id, &job.spec))) ", with a grace of " (span(grace)) ". A started run may take " (span(limit)) "." }
            p {
                @match check.pinged_at {
                    Some(at) => { "The last ping came " (when(at, zone, now)) "." },
                    None => "No ping has come yet.",
                }
                @if let Some(at) = check.expected_for { " The next one is expected " (when(at, zone, now)) "." }
            }
            @if let Some(command) = command {
                p { "Let what runs elsewhere call this when it has succeeded:" }
                pre { code { (command) } }
                div.row {
                    button.quiet type="button" data-copy=(command) { "Copy" }
                    (post_button(csrf, &format!("{}/rotate-key", paths::job(job.id)), "New key",
                        Manner::Danger("Give this check a new key? Pings with the old address are no longer accepted.")))
                }
                p.soft { "Add /start when it begins, /fail when it fails, or its exit code. The text that is sent is kept as its log." }
            }
        }
    })
}

/// What the viewer can do with the check.
pub(super) fn check_buttons(scene: &Scene, caller: &Caller, csrf: &str, is_paused: bool) -> Markup {
    let path = paths::job(scene.job.id);
    let to = |end: &str| format!("{path}/{end}");
    html! {
        div.row.actions {
            @if scene.may(caller, Action::Deploy) {
                @if is_paused { (post_button(csrf, &to("resume"), "Resume", Manner::Quiet)) }
                @else { a.button.quiet href=(to("pause")) { "Pause…" } }
            }
            @if scene.may(caller, Action::Manage) {
                a.button.quiet href=(to("check")) { "Edit" }
                (post_button(csrf, &to("delete"), "Delete", Manner::Danger("Delete this check with its runs and logs? This cannot be undone.")))
            }
        }
    }
}
