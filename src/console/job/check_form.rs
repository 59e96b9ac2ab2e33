//! Creates checks, and changes them.

use std::sync::Arc;

use entity::environment;
use entity::id::{EnvironmentId, JobId};
use entity::job_spec::{JobSpec, Rhythm, Schedule};
use maud::{Markup, html};
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use super::job_frame::{JobTab, frame};
use super::scene::Scene;
use crate::access::{self, Action};
use crate::app::App;
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::shell::{Page, Section, token};
use crate::console::viewer::Viewer;
use crate::console::widgets::Field;
use crate::console::{notice, paths, reply, widgets};
use crate::engine::definition::DEFAULT_TIMEZONE;
use crate::engine::job_check::{self, CheckDefinition, DEFAULT_GRACE_SECONDS, GivenRhythm};
use crate::error::{Error, Result};

/// The fields, by the names that errors give them.
const NAMES: [&str; 7] = [
    "name",
    "description",
    "schedule.scheduled_at",
    "schedule.timezone",
    "period_seconds",
    "grace_seconds",
    "max_duration_seconds",
];

/// What the fields contain, in the order of their names.
struct Typed([String; 7]);

impl Typed {
    fn new() -> Self {
        let text = String::new;
        let grace = DEFAULT_GRACE_SECONDS.to_string();
        Self([text(), text(), text(), DEFAULT_TIMEZONE.to_owned(), text(), grace, "0".into()])
    }

    fn of_form(form: &Form) -> Self {
        Self(NAMES.map(|name| form.text(name).trim().to_owned()))
    }

    fn of_check(name: &str, spec: &JobSpec) -> Self {
        let Schedule::Check { rhythm, grace_seconds } = &spec.schedule else { return Self::new() };
        let (at, zone, period) = match rhythm {
            Rhythm::Cron { scheduled_at, timezone } => (scheduled_at.clone(), timezone.clone(), String::new()),
            Rhythm::Period { seconds } => (String::new(), DEFAULT_TIMEZONE.to_owned(), seconds.to_string()),
        };
        let (grace, limit) = (grace_seconds.to_string(), spec.max_duration_seconds.to_string());
        Self([name.to_owned(), spec.description.clone(), at, zone, period, grace, limit])
    }

    fn read(&self) -> Result<CheckDefinition> {
        let [name, description, at, zone, period, grace, limit] = &self.0;
        let number =
            |field: &str, text: &str| text.parse::<i32>().map_err(|_| Error::invalid(field, "must be a whole number"));
        let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let period_seconds = given(period).map(|text| number("period_seconds", &text)).transpose()?;
        let times = given(at).map(|at| (at, given(zone)));
        let grace = number("grace_seconds", grace)?;
        let limit = number("max_duration_seconds", limit)?;
        CheckDefinition::new((name, description.clone()), GivenRhythm { times, period_seconds }, grace, limit)
    }

    fn show(&self, to: &str, back: &str, viewer: &Viewer, problems: &Problems) -> Markup {
        let [name, description, at, zone, period, grace, limit] = &self.0;
        let text = |place: &'static str, label, value| Field::text(place, label, value);
        let number = |place: &'static str, label, value| Field { kind: "number", ..Field::text(place, label, value) };
        let [at_name, zone_name, period_name] = ["schedule.scheduled_at", "schedule.timezone", "period_seconds"];
        html! {
            form.card method="post" action=(to) {
                (token(viewer))
                (problems.others(&NAMES))
                (text("name", "Name", name).required().show(problems))
                (text("description", "Description", description).show(problems))
                fieldset {
                    legend { "When it pings" }
                    (text(at_name, "Cron expression", at).hint("Such as 0 3 * * *. Empty for a period.").show(problems))
                    (text(zone_name, "Time zone", zone).hint("Such as Europe/Berlin.").show(problems))
                    (number(period_name, "Or a period (seconds)", period).hint("The longest time between two pings.").show(problems))
                    (number("grace_seconds", "Grace (seconds)", grace).hint("How late a ping may be.").show(problems))
                    (number("max_duration_seconds", "Time limit (seconds)", limit)
                        .hint("Of a run that has reported its start; 0 for the grace.").show(problems))
                }
                p { button type="submit" { "Save" } " " a.button.quiet href=(back) { "Back" } }
            }
        }
    }
}

#[handler]
pub(super) async fn new_check(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
) -> poem::Result<Response> {
    let row = access::environment(&app.db, &viewer.caller, Action::Manage, EnvironmentId(id)).await?;
    let page = new_page(app, &viewer, &row, &Typed::new(), &Problems::default()).await?;
    Ok(reply::page(app, &viewer, &page))
}

#[handler]
pub(super) async fn create_check(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let row = access::environment(&app.db, &viewer.caller, Action::Manage, EnvironmentId(id)).await?;
    let typed = Typed::of_form(&form);
    let done = match typed.read() {
        Ok(definition) => job_check::create(app, &viewer.requester(), &row, definition).await,
        Err(error) => Err(error),
    };
    match done {
        Ok((job, _)) => Ok(notice::lead(&paths::job(job.id), "check-added")),
        Err(error) => {
            let page = new_page(app, &viewer, &row, &typed, &Problems::of(error)?).await?;
            Ok(reply::refused(app, &viewer, &page))
        }
    }
}

async fn new_page(
    app: &App,
    viewer: &Viewer,
    environment: &environment::Model,
    typed: &Typed,
    problems: &Problems,
) -> Result<Page> {
    let back = paths::environment(environment.id);
    let body = html! {
        h1 { "New check in " (environment.name) }
        p.soft { "A check is a job that runs elsewhere and reports by pings: a missing ping is a missed run." }
        (typed.show(&format!("{back}/checks/new"), &back, viewer, problems))
    };
    let place = widgets::place(app, environment.organization_id, Section::Environments).await?;
    let trail = vec![(environment.name.clone(), back)];
    let api = Some(format!("/environment/{}/check", environment.id));
    Ok(Page { title: "New check".into(), place: Some(place), trail, body, api, live: None })
}

#[handler]
pub(super) async fn edit_check(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
) -> poem::Result<Response> {
    let scene = load(app, &viewer, id).await?;
    let typed = Typed::of_check(&scene.job.name, &scene.job.spec);
    Ok(reply::page(app, &viewer, &edit_page(&scene, &viewer, &typed, &Problems::default())))
}

#[handler]
pub(super) async fn save_check(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let scene = load(app, &viewer, id).await?;
    let typed = Typed::of_form(&form);
    let done = match typed.read() {
        Ok(definition) => {
            let changed = (scene.job.id, definition);
            job_check::update(app, &viewer.requester(), &scene.environment, changed).await
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(_) => Ok(notice::lead(&paths::job(scene.job.id), "check-saved")),
        Err(error) => {
            let page = edit_page(&scene, &viewer, &typed, &Problems::of(error)?);
            Ok(reply::refused(app, &viewer, &page))
        }
    }
}

async fn load(app: &App, viewer: &Viewer, id: Uuid) -> Result<Scene> {
    access::check(&app.db, &viewer.caller, Action::Manage, JobId(id)).await?;
    Scene::load_any(app, &viewer.caller, Action::Manage, JobId(id)).await
}

fn edit_page(scene: &Scene, viewer: &Viewer, typed: &Typed, problems: &Problems) -> Page {
    let back = paths::job(scene.job.id);
    let form = typed.show(&format!("{back}/check"), &back, viewer, problems);
    frame(scene, &viewer.caller, JobTab::Form, "Edit", "", form)
}
