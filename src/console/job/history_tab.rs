//! The runs of a job, newest first, with filters.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::id::JobId;
use entity::run::{Model, RunState, Trigger};
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use serde::Deserialize;
use uuid::Uuid;
use windlass_schedule::time_zone::Zone;

use super::job_frame::{JobTab, frame};
use super::scene::Scene;
use crate::access::Action;
use crate::app::App;
use crate::console::format::duration;
use crate::console::notice::Noticed;
use crate::console::picture::Shade;
use crate::console::post_button::token;
use crate::console::run::{taken, trigger_words};
use crate::console::viewer::Viewer;
use crate::console::when::{when, zone_of};
use crate::console::{paths, reply};
use crate::error::Error;
use crate::store;
use crate::store::run::RunFilter;

/// How many runs a page has.
const PAGE: usize = 50;

const STATES: [(&str, &str, Option<RunState>); 6] = [
    ("", "any", None),
    ("succeeded", "succeeded", Some(RunState::Succeeded)),
    ("failed", "failed", Some(RunState::Failed)),
    ("cancelled", "cancelled", Some(RunState::Cancelled)),
    ("running", "running", Some(RunState::Running)),
    ("queued", "queued", Some(RunState::Queued)),
];

const TRIGGERS: [(&str, &str, Option<Trigger>); 5] = [
    ("", "any", None),
    ("schedule", "its schedule", Some(Trigger::Schedule)),
    ("deployment", "a deployment", Some(Trigger::Deployment)),
    ("force", "a requested event", Some(Trigger::Force)),
    ("manual", "a request", Some(Trigger::Manual)),
];

/// The query of the page.
#[derive(Default, Deserialize)]
pub(super) struct HistoryQuery {
    state: Option<String>,
    trigger: Option<String>,
    before: Option<i64>,
}

#[handler]
pub(super) async fn history(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(query): Query<HistoryQuery>,
    Query(noticed): Query<Noticed>,
) -> poem::Result<Response> {
    let scene = Scene::load_any(app, &viewer.caller, Action::View, JobId(id)).await?;
    let state = query.state.as_deref().unwrap_or_default();
    let trigger = query.trigger.as_deref().unwrap_or_default();
    let filter = RunFilter {
        below: query.before,
        state: STATES.iter().find(|(name, ..)| *name == state).and_then(|(.., state)| *state),
        trigger: TRIGGERS.iter().find(|(name, ..)| *name == trigger).and_then(|(.., trigger)| *trigger),
    };
    let mut runs =
        store::run::list_filtered(&app.db, scene.job.id, filter, PAGE as u64 + 1).await.map_err(Error::from)?;
    let has_more = runs.len() > PAGE;
    runs.truncate(PAGE);
    let path = format!("{}/history", paths::job(scene.job.id));
    let more = runs.last().filter(|_| has_more).map(|last| {
        let address = format!("{path}?");
        let start = address.len();
        let mut query = form_urlencoded::Serializer::for_suffix(address, start);
        query.append_pair("state", state).append_pair("trigger", trigger);
        query.append_pair("before", &last.number.to_string()).finish()
    });
    let csrf = scene.may(&viewer.caller, Action::Deploy).then_some((&scene, viewer.csrf.as_str()));
    let content = html! {
        (noticed.show())
        form.row method="get" action=(path) {
            label for="state" { "State" }
            select #state name="state" { @for (name, words, _) in STATES { option value=(name) selected[name == state] { (words) } } }
            label for="trigger" { "Started by" }
            select #trigger name="trigger" { @for (name, words, _) in TRIGGERS { option value=(name) selected[name == trigger] { (words) } } }
            button.quiet type="submit" { "Show" }
        }
        @if runs.is_empty() { p.soft { "There are no such runs." } }
        @else { (table(&runs, (app.clock.now(), zone_of(&scene.job.spec)), csrf)) }
        nav.pages aria-label="Pages of runs" {
            @if query.before.is_some() { a href=(path) { "Newest runs" } }
            @if let Some(more) = more { a rel="next" href=(more) { "Earlier runs" } }
        }
    };
    let page = frame(&scene, &viewer.caller, JobTab::History, "History", "/run", content);
    Ok(reply::page(app, &viewer, &page))
}

fn table(runs: &[Model], (now, zone): (DateTime<Utc>, Option<Zone>), cancel: Option<(&Scene, &str)>) -> Markup {
    html! {
        div.scroll {
            table.stacked {
                caption { "Runs, newest first" }
                thead { tr {
                    th.number scope="col" { "Run" } th scope="col" { "State" } th scope="col" { "Time" } th.number scope="col" { "Duration" }
                    th scope="col" { "Started by" } th.number scope="col" { "Exit code" } th scope="col" { "Reason" }
                } }
                tbody {
                    @for run in runs {
                        tr {
                            td.number data-label="Run" { a href=(paths::run(run.id)) { (run.number) } }
                            td data-label="State" { span.state.(Shade::of(run.state).class()) { (Shade::of(run.state).label()) } }
                            td data-label="Time" { (when(run.scheduled_for.unwrap_or(run.created_at), zone, now)) }
                            td.number data-label="Duration" { @if let Some(taken) = taken(run, now) { (duration(taken)) } }
                            td data-label="Started by" {
                                (trigger_words(run))
                                @if let (Some(backfill), false, Some((scene, csrf))) = (run.backfill_id, run.state.is_final(), cancel) {
                                    form.inline method="post" action={ (paths::job(scene.job.id)) "/cancel-backfill" }
                                        data-confirm="Cancel all open runs of this backfill?" {
                                        (token(csrf))
                                        input type="hidden" name="backfill" value=(backfill);
                                        button.quiet type="submit" aria-label={ "Cancel all open runs of the backfill of run " (run.number) } { "Cancel all" }
                                    }
                                }
                            }
                            td.number data-label="Exit code" { @if let Some(code) = run.exit_code { (code) } }
                            td data-label="Reason" { @if let Some(reason) = &run.reason { (reason) } }
                        }
                    }
                }
            }
        }
    }
}
