//! The overview of a job: what ran, whether it works, what comes next, and what is deployed.

use std::sync::Arc;

use entity::deployment::Progress;
use entity::id::JobId;
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use uuid::Uuid;

use super::check_view::{check_buttons, pings};
use super::difference::difference;
use super::job_frame::{JobTab, buttons, frame};
use super::run_pictures::{failures_in_a_row, pictures};
use super::scene::Scene;
use super::schedule_view::schedule;
use crate::access::{Action, Caller};
use crate::app::App;
use crate::console::live::{self, Fragment, Live};
use crate::console::notice::Noticed;
use crate::console::picture::Shade;
use crate::console::post_button::{Manner, post_button};
use crate::console::shell::Page;
use crate::console::viewer::Viewer;
use crate::console::when::{distance, when, zone_of};
use crate::console::{paths, reply};
use crate::engine::deployment::{effective, is_outdated};
use crate::error::Result;
use crate::store;

/// How many runs the pictures show.
const RUNS: u64 = 30;

#[handler]
pub(super) async fn overview(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(noticed): Query<Noticed>,
) -> poem::Result<Response> {
    let scene = Scene::load_any(app, &viewer.caller, Action::View, JobId(id)).await?;
    let parts = parts(app, &scene, &viewer.caller, &viewer.csrf).await?;
    let content = html! { (noticed.show()) @for (_, part) in &parts { (part) } };
    let page = frame(&scene, &viewer.caller, JobTab::Overview, "Job", "", content);
    let live = Some(format!("{}/live", paths::job(scene.job.id)));
    Ok(reply::page(app, &viewer, &Page { live, ..page }))
}

#[handler]
pub(super) async fn overview_events(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
) -> poem::Result<Response> {
    Scene::load_any(app, &viewer.caller, Action::View, JobId(id)).await?;
    let csrf = viewer.csrf.clone();
    Ok(live::events(app, viewer, JobLive { job: JobId(id), csrf }))
}

/// The parts of an open page.
struct JobLive {
    job: JobId,
    csrf: String,
}

impl Live for JobLive {
    async fn fragments(&self, app: &App, caller: &Caller) -> Result<Vec<Fragment>> {
        let scene = Scene::load_any(app, caller, Action::View, self.job).await?;
        parts(app, &scene, caller, &self.csrf).await
    }
}

/// The parts of the page by their ids.
async fn parts(app: &App, scene: &Scene, caller: &Caller, csrf: &str) -> Result<Vec<Fragment>> {
    let (now, zone) = (app.clock.now(), zone_of(&scene.job.spec));
    let runs = store::run::list_by_job(&app.db, scene.job.id, None, RUNS).await?;
    let (pause, _) = store::schedule_hold::of_job(&app.db, scene.job.id).await?;
    let is_paused = pause.is_some_and(|pause| pause.until.is_none_or(|until| until > now));
    let failures = failures_in_a_row(&runs);
    let head = html! {
        section #state.card aria-labelledby="state-title" {
            h2.hidden #state-title { "State" }
            div.row.between {
                p role="status" {
                    @match runs.first() {
                        Some(last) => {
                            span.state.(Shade::of(last.state).class()) { (Shade::of(last.state).label()) } " "
                            a href=(paths::run(last.id)) { "Run #" (last.number) } " "
                            (distance(last.finished_at.or(last.started_at).unwrap_or(last.created_at), now))
                            @if let Some(reason) = &last.reason { ": " (reason) }
                        },
                        None => span.soft { "No run yet" },
                    }
                    @if failures > 1 { " " strong.problem { (failures) @if failures as u64 == RUNS { " or more" } " failures in a row" } }
                }
                @if failures > 0 && scene.may(caller, Action::Deploy) {
                    (post_button(csrf, &format!("{}/clear-failures", paths::job(scene.job.id)), "Clear failures", Manner::Quiet))
                }
            }
            @if scene.is_check() { (check_buttons(scene, caller, csrf, is_paused)) }
            @else { (buttons(scene, caller, csrf, is_paused)) }
        }
    };
    let recent = html! {
        section #recent.card aria-labelledby="recent-title" {
            h2 #recent-title { "Last runs" }
            (pictures(&scene.job.name, &scene.job.spec, &runs, now, zone))
            p { a href={ (paths::job(scene.job.id)) "/history" } { "All runs" } }
        }
    };
    let deployed = match scene.is_check() {
        true => pings(app, scene, caller, csrf).await?,
        false => deployed(app, scene).await?,
    };
    let schedule = schedule(app, scene, caller, csrf).await?;
    Ok(vec![("state", head), ("schedule", schedule), ("recent", recent), ("deployed", deployed)])
}

fn progress(progress: Progress) -> &'static str {
    match progress {
        Progress::Queued => "queued",
        Progress::Running => "in progress",
        Progress::Succeeded => "succeeded",
        Progress::Failed => "failed",
        Progress::Cancelled => "cancelled",
    }
}

/// What is deployed, and what is not yet.
async fn deployed(app: &App, scene: &Scene) -> Result<Markup> {
    let (job, now, zone) = (&scene.job, app.clock.now(), zone_of(&scene.job.spec));
    let part = store::deployment::newest_part_by_job(&app.db, job.id).await?;
    let changes = match &job.deployed {
        // What only describes the job is effective without a deployment.
        Some(deployed) => difference(app, job.organization_id, (&effective(deployed), &effective(&job.spec))).await?,
        None => html! {},
    };
    Ok(html! {
        section #deployed.card aria-labelledby="deployed-title" {
            h2 #deployed-title { "Deployed" }
            @match (&job.deployed, job.deployed_at) {
                (Some(_), Some(at)) => p { "The deployed configuration is from " (when(at, zone, now)) "." },
                (Some(_), None) => p { "The job is deployed." },
                (None, _) => p { "The job is not deployed. Deploy it, so that it runs." },
            }
            @if let Some((part, of)) = &part {
                p { "Last deployment: " a href=(paths::deployment(of.id)) { "number " (of.number) } ", " (progress(part.progress)) "." }
            }
            @if job.deployed.is_some() {
                @if is_outdated(job) {
                    p { span.state.queued { "out of date" } " Deploy the job to make the changes effective." }
                    @if job.variables_changed_at > job.deployed_at { p { "Its variables were changed since." } }
                    @if job.drifted_at.is_some() { p { "Its CronJob was changed manually in the cluster." } }
                } @else { p.soft { "It is up to date." } }
                (changes)
            }
        }
    })
}
