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
use crate::access::{Action, Caller};
use crate::app::App;
use crate::console::format::duration;
use crate::console::live::{self, Fragment, Live};
use crate::console::notice::Noticed;
use crate::console::picture::Shade;
use crate::console::post_button::token;
use crate::console::run::{taken, trigger_words};
use crate::console::shell::Page;
use crate::console::viewer::Viewer;
use crate::console::when::{when, zone_of};
use crate::console::{paths, reply};
use crate::error::Result;
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

impl HistoryQuery {
    fn state(&self) -> &str {
        self.state.as_deref().unwrap_or_default()
    }

    fn trigger(&self) -> &str {
        self.trigger.as_deref().unwrap_or_default()
    }

    fn filter(&self) -> RunFilter {
        RunFilter {
            below: self.before,
            state: STATES.iter().find(|(name, ..)| *name == self.state()).and_then(|(.., state)| *state),
            trigger: TRIGGERS.iter().find(|(name, ..)| *name == self.trigger()).and_then(|(.., trigger)| *trigger),
        }
    }

    /// The query of the page with the runs before a number.
    fn query(&self, before: Option<i64>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("state", self.state()).append_pair("trigger", self.trigger());
        if let Some(before) = before {
            query.append_pair("before", &before.to_string());
        }
        query.finish()
    }
}

/// The part that changes.
struct LiveHistory {
    job: JobId,
    query: HistoryQuery,
    csrf: String,
}

impl LiveHistory {
    async fn runs(&self, app: &App, caller: &Caller, scene: &Scene) -> Result<Markup> {
        let mut runs = store::run::list_filtered(&app.db, scene.job.id, self.query.filter(), PAGE as u64 + 1).await?;
        let has_more = runs.len() > PAGE;
        runs.truncate(PAGE);
        let path = format!("{}/history", paths::job(scene.job.id));
        let more = runs.last().filter(|_| has_more).map(|last| self.query.query(Some(last.number)));
        let csrf = scene.may(caller, Action::Deploy).then_some((scene, self.csrf.as_str()));
        Ok(html! {
            div #runs {
                @if runs.is_empty() { p.soft { "There are no such runs." } }
                @else { (table(&runs, (app.clock.now(), zone_of(&scene.job.spec)), csrf)) }
                nav.pages aria-label="Pages of runs" {
                    @if self.query.before.is_some() { a #newest-runs href=(path) { "Newest runs" } }
                    @if let Some(more) = more { a #earlier-runs rel="next" href={ (path) "?" (more) } { "Earlier runs" } }
                }
            }
        })
    }
}

impl Live for LiveHistory {
    async fn fragments(&self, app: &App, caller: &Caller) -> Result<Vec<Fragment>> {
        let scene = Scene::load_any(app, caller, Action::View, self.job).await?;
        Ok(vec![("runs", self.runs(app, caller, &scene).await?)])
    }
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
    let path = format!("{}/history", paths::job(scene.job.id));
    let live = LiveHistory { job: scene.job.id, query, csrf: viewer.csrf.clone() };
    let (state, trigger) = (live.query.state(), live.query.trigger());
    let content = html! {
        (noticed.show())
        form.row method="get" action=(path) {
            label for="state" { "State" }
            select #state name="state" { @for (name, words, _) in STATES { option value=(name) selected[name == state] { (words) } } }
            label for="trigger" { "Started by" }
            select #trigger name="trigger" { @for (name, words, _) in TRIGGERS { option value=(name) selected[name == trigger] { (words) } } }
            button.quiet type="submit" { "Show" }
        }
        (live.runs(app, &viewer.caller, &scene).await?)
    };
    let page = frame(&scene, &viewer.caller, JobTab::History, "History", "/run", content);
    let events = Some(format!("{path}/live?{}", live.query.query(live.query.before)));
    Ok(reply::page(app, &viewer, &Page { live: events, ..page }))
}

#[handler]
pub(super) async fn history_events(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(query): Query<HistoryQuery>,
) -> poem::Result<Response> {
    let scene = Scene::load_any(app, &viewer.caller, Action::View, JobId(id)).await?;
    let csrf = viewer.csrf.clone();
    Ok(live::events(app, viewer, LiveHistory { job: scene.job.id, query, csrf }))
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
