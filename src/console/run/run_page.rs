//! The page of a run.

use std::sync::Arc;

use entity::id::RunId;
use entity::run::{Event, Model};
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use uuid::Uuid;

use super::log_view;
use super::log_window::LogQuery;
use super::run_facts::{badge, configuration, facts};
use crate::access::{self, Action, Caller};
use crate::app::App;
use crate::console::job::Scene;
use crate::console::live::{self, Fragment, Live};
use crate::console::notice::Noticed;
use crate::console::post_button::{Manner, post_button};
use crate::console::shell::Page;
use crate::console::viewer::Viewer;
use crate::console::when::zone_of;
use crate::console::{paths, reply};
use crate::error::{Error, Result};
use crate::store;

#[handler]
pub(super) async fn show_run(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(noticed): Query<Noticed>,
    Query(log): Query<LogQuery>,
) -> poem::Result<Response> {
    let (run, scene) = load(app, &viewer.caller, RunId(id)).await?;
    let title = format!("Run #{} of {}", run.number, scene.job.name);
    let log = log_view::log(app, &run, &log, zone_of(&scene.job.spec)).await?;
    let body = html! {
        (noticed.show())
        div.row.between {
            h1 { "Run #" (run.number) " of " a href=(paths::job(scene.job.id)) { (scene.job.name) } }
            (neighbors(app, &run).await?)
        }
        (head(app, &viewer.caller, &viewer.csrf, &run, &scene).await?)
        (configuration(&run))
        (log)
    };
    let mut trail = scene.trail();
    trail.push((scene.job.name.clone(), paths::job(scene.job.id)));
    let api = Some(format!("/run/{id}"));
    let live = (!run.state.is_final()).then(|| format!("{}/live", paths::run(run.id)));
    Ok(reply::page(app, &viewer, &Page { title, place: Some(scene.place()), trail, body, api, live }))
}

#[handler]
pub(super) async fn run_events(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
) -> poem::Result<Response> {
    access::run(&app.db, &viewer.caller, Action::View, RunId(id)).await?;
    let csrf = viewer.csrf.clone();
    Ok(live::events(app, viewer, RunLive { run: RunId(id), csrf }))
}

/// The head of an open page.
struct RunLive {
    run: RunId,
    csrf: String,
}

impl Live for RunLive {
    async fn fragments(&self, app: &App, caller: &Caller) -> Result<Vec<Fragment>> {
        let (run, scene) = load(app, caller, self.run).await?;
        let head = head(app, caller, &self.csrf, &run, &scene).await?;
        Ok(vec![("head", head), ("log-size", log_view::size(&run, zone_of(&scene.job.spec)))])
    }

    /// Its log grows while it runs.
    async fn pulse(&self, app: &App) -> Result<i64> {
        Ok(store::run::by_id(&app.db, self.run).await?.map_or(0, |run| run.total_lines))
    }
}

/// A run with its job.
async fn load(app: &App, caller: &Caller, id: RunId) -> Result<(Model, Scene)> {
    let run = access::run(&app.db, caller, Action::View, id).await?;
    let job = run.job_id.ok_or(Error::NotFound("run"))?;
    Ok((run, Scene::load_any(app, caller, Action::View, job).await?))
}

/// The state, what can be done, and the facts.
async fn head(app: &App, caller: &Caller, csrf: &str, run: &Model, scene: &Scene) -> Result<Markup> {
    let cluster = store::environment::cluster_of(&app.db, &scene.environment).await?;
    let repeats = !scene.is_check() && matches!(run.event, Event::Cron | Event::Start | Event::Stop | Event::Delete);
    let path = paths::run(run.id);
    Ok(html! {
        section #head.card {
            div.row.between {
                p role="status" { (badge(run)) }
                @if scene.may(caller, Action::Deploy) {
                    div.row {
                        @if !run.state.is_final() && run.cancel_requested_at.is_none() {
                            (post_button(csrf, &format!("{path}/cancel"), "Cancel", Manner::Danger("Cancel this run?")))
                        }
                        @if run.state.is_final() && repeats {
                            (post_button(csrf, &format!("{path}/rerun"), "Run again", Manner::Main))
                        }
                    }
                }
            }
            (facts(run, Some(&cluster.name), zone_of(&scene.job.spec), app.clock.now()))
        }
    })
}

/// Links to the runs of the job before and after this one.
async fn neighbors(app: &App, run: &Model) -> Result<Markup> {
    let Some(job) = run.job_id else { return Ok(html! {}) };
    let earlier = store::run::list_by_job(&app.db, job, Some(run.number), 1).await?.pop();
    let later = store::run::next_of_job(&app.db, job, run.number).await?;
    Ok(html! {
        nav.row aria-label="Runs of the job" {
            @if let Some(earlier) = earlier { a rel="prev" href=(paths::run(earlier.id)) { "← Run #" (earlier.number) } }
            @if let Some(later) = later { a rel="next" href=(paths::run(later.id)) { "Run #" (later.number) " →" } }
        }
    })
}
