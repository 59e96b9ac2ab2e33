//! Creates jobs, and changes them.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::id::{EnvironmentId, JobId};
use entity::job_spec::JobType;
use entity::{environment, job, registry};
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use serde::Deserialize;
use uuid::Uuid;

use super::definition_form::{FORM, FormFrame, form, kind};
use super::definition_text::DefinitionText;
use super::edit_conflict::edit_conflict;
use super::job_frame::{JobTab, frame};
use super::scene::Scene;
use crate::access::{self, Action};
use crate::app::App;
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::shell::{Page, Section};
use crate::console::viewer::Viewer;
use crate::console::{notice, paths, reply, widgets};
use crate::engine::definition;
use crate::engine::deployment::is_outdated;
use crate::error::{Error, Result};
use crate::store;

/// The query of the form for a new job.
#[derive(Deserialize)]
pub(super) struct NewQuery {
    r#type: Option<String>,
}

fn type_named(name: Option<&str>) -> JobType {
    if name == Some("lifecycle") { JobType::Lifecycle } else { JobType::Cron }
}

#[handler]
pub(super) async fn new_form(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(query): Query<NewQuery>,
) -> poem::Result<Response> {
    let row = access::environment(&app.db, &viewer.caller, Action::Manage, EnvironmentId(id)).await?;
    let text = DefinitionText::new(type_named(query.r#type.as_deref()));
    let page = new_page(app, &viewer, &row, &text, &Problems::default()).await?;
    Ok(reply::page(app, &viewer, &page))
}

#[handler]
pub(super) async fn create_job(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let row = access::environment(&app.db, &viewer.caller, Action::Manage, EnvironmentId(id)).await?;
    // Another type was chosen: what is typed stays, also what only the present type has.
    if let Some(chosen) = form.given("as") {
        let text = DefinitionText::switched(&form, &DefinitionText::new(type_named(Some(chosen))));
        return Ok(reply::page(app, &viewer, &new_page(app, &viewer, &row, &text, &Problems::default()).await?));
    }
    let like = DefinitionText::new(type_named(Some(form.text("type"))));
    let text = DefinitionText::switched(&form, &like);
    if form.has("preview") {
        return Ok(reply::page(app, &viewer, &new_page(app, &viewer, &row, &text, &Problems::default()).await?));
    }
    match create(app, &viewer, &row, &text).await {
        Ok(job) => Ok(notice::lead(&paths::job(job), "job-added")),
        Err(error) => {
            let page = new_page(app, &viewer, &row, &text, &Problems::of(error)?).await?;
            Ok(reply::refused(app, &viewer, &page))
        }
    }
}

async fn create(app: &App, viewer: &Viewer, environment: &environment::Model, text: &DefinitionText) -> Result<JobId> {
    let (name, spec) = text.read(None)?;
    definition::check(app, &app.db, environment, &spec).await?;
    let row = job::Model::new(environment, &name, spec, app.clock.now());
    let id = row.id;
    definition::create(app, &viewer.requester(), environment, row).await?;
    Ok(id)
}

async fn new_page(
    app: &App,
    viewer: &Viewer,
    environment: &environment::Model,
    text: &DefinitionText,
    problems: &Problems,
) -> Result<Page> {
    let to = format!("{}/jobs/new", paths::environment(environment.id));
    let registries = registries(app, viewer, environment).await?;
    let (csrf, now) = (viewer.csrf.as_str(), app.clock.now());
    let back = paths::environment(environment.id);
    let around =
        FormFrame { to: to.clone(), back, csrf, submit: "Create the job", seen: None, registries: &registries, now };
    let body = html! {
        h1 { "New job in " (environment.name) }
        nav.tabs aria-label="Types of jobs" {
            // The first button of a form is what Enter presses.
            button hidden type="submit" form=(FORM) {}
            @for (of, label) in [(JobType::Cron, "On a schedule (CRON)"), (JobType::Lifecycle, "On events (LIFECYCLE)")] {
                @if of == text.job_type { a href={ (to) "?type=" (kind(of)) } aria-current="page" { (label) } }
                @else { button type="submit" form=(FORM) name="as" value=(kind(of)) formnovalidate { (label) } }
            }
        }
        (form(text, problems, &around))
    };
    let place = widgets::place(app, environment.organization_id, Section::Environments).await?;
    let trail = vec![(environment.name.clone(), paths::environment(environment.id))];
    let api = Some(format!("/environment/{}/job", environment.id));
    Ok(Page { title: "New job".into(), place: Some(place), trail, body, api, live: None })
}

#[handler]
pub(super) async fn edit_form(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
) -> poem::Result<Response> {
    let scene = Scene::load(app, &viewer.caller, Action::Manage, JobId(id)).await?;
    let text = DefinitionText::of(&scene.job.name, &scene.job.spec);
    let page = edit_page(app, &viewer, &scene, (&text, &Problems::default()), (scene.job.updated_at, html! {})).await?;
    Ok(reply::page(app, &viewer, &page))
}

#[handler]
pub(super) async fn save_job(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let scene = Scene::load(app, &viewer.caller, Action::Manage, JobId(id)).await?;
    let stored = DefinitionText::of(&scene.job.name, &scene.job.spec);
    let text = DefinitionText::filled(&form, &stored);
    let seen = DateTime::parse_from_rfc3339(form.text("seen"));
    let seen = seen.map_err(|_| Error::invalid("seen", "is missing: load the form again"))?.to_utc();
    if form.has("preview") {
        let page = edit_page(app, &viewer, &scene, (&text, &Problems::default()), (seen, html! {})).await?;
        return Ok(reply::page(app, &viewer, &page));
    }
    match save(app, &viewer, &scene, &text, seen).await {
        Ok(notice) => Ok(notice::lead(&paths::job(scene.job.id), notice)),
        Err(Error::Conflict(said)) => {
            let now = Scene::load(app, &viewer.caller, Action::Manage, scene.job.id).await?;
            let page = if now.job.updated_at == seen {
                let problems = Problems::of(Error::Conflict(said))?;
                edit_page(app, &viewer, &scene, (&text, &problems), (seen, html! {})).await?
            } else {
                // Who has read what the others changed may replace it.
                let said = edit_conflict(app, &viewer, &now, (&text, seen)).await?;
                edit_page(app, &viewer, &now, (&text, &Problems::default()), (now.job.updated_at, said)).await?
            };
            Ok(reply::refused(app, &viewer, &page))
        }
        Err(error) => {
            let page = edit_page(app, &viewer, &scene, (&text, &Problems::of(error)?), (seen, html! {})).await?;
            Ok(reply::refused(app, &viewer, &page))
        }
    }
}

/// Stores the job, and returns what to say then.
async fn save(
    app: &App,
    viewer: &Viewer,
    scene: &Scene,
    text: &DefinitionText,
    seen: DateTime<Utc>,
) -> Result<&'static str> {
    let wanted = |stored: &job::Model| text.read(Some(stored));
    let row = (&scene.job, Some(seen));
    let new = definition::update(app, &viewer.requester(), &scene.environment, row, wanted).await?;
    Ok(if is_outdated(&new) { "job-saved" } else { "job-saved-alike" })
}

async fn edit_page(
    app: &App,
    viewer: &Viewer,
    scene: &Scene,
    (text, problems): (&DefinitionText, &Problems),
    (seen, said): (DateTime<Utc>, Markup),
) -> Result<Page> {
    let registries = registries(app, viewer, &scene.environment).await?;
    let back = paths::job(scene.job.id);
    let around = FormFrame {
        to: format!("{back}/edit"),
        back,
        csrf: &viewer.csrf,
        submit: "Save",
        seen: Some(seen),
        registries: &registries,
        now: app.clock.now(),
    };
    Ok(frame(scene, &viewer.caller, JobTab::Form, "Edit", "", html! { (said) (form(text, problems, &around)) }))
}

/// The registries that the viewer may choose from.
async fn registries(app: &App, viewer: &Viewer, row: &environment::Model) -> Result<Vec<registry::Model>> {
    let organization = row.organization_id;
    if !viewer.caller.may(organization, Action::ViewSettings, &access::Location::default()) {
        return Ok(Vec::new());
    }
    Ok(store::registry::list_by_organization(&app.db, organization).await?)
}
