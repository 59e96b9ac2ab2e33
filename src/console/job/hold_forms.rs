//! Pauses the schedule of a job, and runs its past times.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::JobId;
use maud::{Markup, html};
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;
use windlass_schedule::time_zone::Zone;

use super::job_frame::{JobTab, frame};
use super::scene::Scene;
use crate::access::Action;
use crate::app::App;
use crate::console::form::Form;
use crate::console::local_time::{self, local};
use crate::console::problems::Problems;
use crate::console::shell::{Page, token};
use crate::console::viewer::Viewer;
use crate::console::when::{exact, zone_of};
use crate::console::widgets::Field;
use crate::console::{notice, paths, reply};
use crate::engine::backfill::{self, Planned};
use crate::engine::limits;
use crate::engine::pause::{HoldChange, hold};
use crate::error::{Error, Result};

#[handler]
pub(super) async fn pause_form(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
) -> poem::Result<Response> {
    let scene = Scene::load_any(app, &viewer.caller, Action::Deploy, JobId(id)).await?;
    Ok(reply::page(app, &viewer, &pause_page(&scene, &viewer, "", &Problems::default())))
}

#[handler]
pub(super) async fn pause(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let scene = Scene::load_any(app, &viewer.caller, Action::Deploy, JobId(id)).await?;
    let zone = zone_of(&scene.job.spec);
    let until = form.given("until").map(|text| local_time::parse("until", text, zone)).transpose();
    let done = match until {
        Ok(until) => hold(app, &viewer.requester(), &scene.job, HoldChange::Pause { until }).await.map(drop),
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Ok(notice::lead(&paths::job(scene.job.id), "paused")),
        Err(error) => {
            let page = pause_page(&scene, &viewer, form.text("until"), &Problems::of(error)?);
            Ok(reply::refused(app, &viewer, &page))
        }
    }
}

fn zone_name(zone: Option<Zone>) -> &'static str {
    zone.map_or("UTC", Zone::name)
}

fn pause_page(scene: &Scene, viewer: &Viewer, until: &str, problems: &Problems) -> Page {
    let hint =
        format!("In {}. Empty for a pause until somebody resumes the schedule.", zone_name(zone_of(&scene.job.spec)));
    let field = Field { kind: "datetime-local", ..Field::text("until", "Until", until).hint(&hint) };
    let content = html! {
        form.card method="post" action={ (paths::job(scene.job.id)) "/pause" } {
            (token(viewer))
            (problems.others(&["until"]))
            p { "No time of the schedule runs during a pause. The job can still be run by request." }
            (field.show(problems))
            p { button type="submit" { "Pause" } " " a.button.quiet href=(paths::job(scene.job.id)) { "Back" } }
        }
    };
    frame(scene, &viewer.caller, JobTab::Form, "Pause", "/nextRun", content)
}

#[handler]
pub(super) async fn backfill_form(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
) -> poem::Result<Response> {
    let scene = Scene::load(app, &viewer.caller, Action::Deploy, JobId(id)).await?;
    let (now, zone) = (app.clock.now(), zone_of(&scene.job.spec));
    let shown = [local(now - TimeDelta::days(1), zone), local(now, zone), "100".to_owned()];
    Ok(reply::page(app, &viewer, &backfill_page(&scene, &viewer, &shown, &Problems::default(), None)))
}

/// Shows first which times would run, unless that was confirmed.
#[handler]
pub(super) async fn run_backfill(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let scene = Scene::load(app, &viewer.caller, Action::Deploy, JobId(id)).await?;
    let shown = ["from", "until", "limit"].map(|name| form.text(name).to_owned());
    let done = match span(&form, zone_of(&scene.job.spec)) {
        Ok((span, limit)) if form.has("confirmed") => {
            backfill::backfill(app, &viewer.requester(), &scene.job, span, limit).await.map(|_| None)
        }
        Ok((span, limit)) => backfill::planned(app, &scene.job, span, limit).await.map(Some),
        Err(error) => Err(error),
    };
    match done {
        Ok(None) => Ok(notice::lead(&format!("{}/history", paths::job(scene.job.id)), "backfill-queued")),
        Ok(Some(planned)) => {
            let page = backfill_page(&scene, &viewer, &shown, &Problems::default(), Some(&planned));
            Ok(reply::page(app, &viewer, &page))
        }
        Err(error) => {
            let page = backfill_page(&scene, &viewer, &shown, &Problems::of(error)?, None);
            Ok(reply::refused(app, &viewer, &page))
        }
    }
}

/// The span of a backfill, and the most runs that it may have.
type Span = ((DateTime<Utc>, DateTime<Utc>), usize);

fn span(form: &Form, zone: Option<Zone>) -> Result<Span> {
    let time = |field: &'static str| local_time::parse(field, form.text(field), zone);
    let limit = form.given("limit").unwrap_or("100").parse::<i32>();
    let limit = limit.map_err(|_| Error::invalid("limit", "must be a whole number"))?;
    let limit = limits::between("limit", limit, 1, backfill::MOST)?;
    Ok(((time("from")?, time("until")?), usize::try_from(limit).unwrap_or(1)))
}

fn backfill_page(
    scene: &Scene,
    viewer: &Viewer,
    [from, until, limit]: &[String; 3],
    problems: &Problems,
    planned: Option<&Planned>,
) -> Page {
    let zone = zone_of(&scene.job.spec);
    let hint = format!("In {}.", zone_name(zone));
    let time = |name: &'static str, label: &'static str, value| Field {
        kind: "datetime-local",
        ..Field::text(name, label, value).required().hint(&hint)
    };
    let content = html! {
        form.card method="post" action={ (paths::job(scene.job.id)) "/backfill" } {
            (token(viewer))
            (problems.others(&["from", "until", "limit"]))
            p { "Runs the times of the schedule in a span of the past that have no run yet, one after the other." }
            (time("from", "From", from).show(problems))
            (time("until", "Until (without this time)", until).show(problems))
            (Field { kind: "number", ..Field::text("limit", "At most this many times", limit) }.show(problems))
            @if let Some(planned) = planned { (confirmation(planned, zone)) }
            p {
                button.quiet type="submit" { "Preview" } " "
                @if planned.is_some_and(|planned| !planned.free.is_empty()) {
                    button type="submit" name="confirmed" value="1" { "Queue these runs" } " "
                }
                a.button.quiet href=(paths::job(scene.job.id)) { "Back" }
            }
        }
    };
    frame(scene, &viewer.caller, JobTab::Form, "Backfill", "/run", content)
}

fn confirmation(planned: &Planned, zone: Option<Zone>) -> Markup {
    html! {
        div #preview role="status" {
            p.notice {
                (planned.free.len()) @if planned.free.len() == 1 { " run" } @else { " runs" } " will be queued"
                @if planned.taken > 0 { "; " (planned.taken) " times already have a run" }
                @if planned.more { "; the span has more times than the limit" }
                "."
            }
            @if let (Some(first), Some(last)) = (planned.free.first(), planned.free.last()) {
                p { "From " (exact(*first, zone)) " to " (exact(*last, zone)) "." }
            }
        }
    }
}
