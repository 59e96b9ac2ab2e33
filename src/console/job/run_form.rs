//! Runs a job now, with settings of its own for this run.

use std::collections::BTreeMap;
use std::sync::Arc;

use entity::id::JobId;
use entity::run::Event;
use maud::html;
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use super::argument_list;
use super::job_frame::{JobTab, frame};
use super::scene::Scene;
use crate::access::Action;
use crate::app::App;
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::shell::{Page, token};
use crate::console::viewer::Viewer;
use crate::console::widgets::{Field, choice};
use crate::console::{notice, paths, reply};
use crate::engine::deployment::{command, events};
use crate::engine::manual::{self, RunOverrides};
use crate::engine::overrides::check_overrides;
use crate::engine::variables::parse_dotenv;
use crate::error::{Error, Result};

const FIELDS: [&str; 7] =
    ["event", "entrypoint", "arguments", "environment", "secret_environment", "image_tag", "timeout_seconds"];

/// What the fields show.
#[derive(Default)]
struct Shown<'a> {
    event: &'a str,
    entrypoint: &'a str,
    arguments: String,
    environment: &'a str,
    image_tag: &'a str,
    timeout_seconds: &'a str,
}

#[handler]
pub(super) async fn run_form(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
) -> poem::Result<Response> {
    let scene = Scene::load(app, &viewer.caller, Action::Deploy, JobId(id)).await?;
    Ok(reply::page(app, &viewer, &page(&scene, &viewer, &Shown::default(), &Problems::default())))
}

#[handler]
pub(super) async fn run_now(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let scene = Scene::load(app, &viewer.caller, Action::Deploy, JobId(id)).await?;
    match queue(app, &viewer, &scene, &form).await {
        Ok(run) => Ok(notice::lead(&paths::run(run.id), "run-queued")),
        Err(error) => {
            let problems = Problems::of(error)?;
            // Secret values are not sent back.
            let shown = Shown {
                event: form.text("event"),
                entrypoint: form.text("entrypoint"),
                arguments: form.text("arguments").to_owned(),
                environment: form.text("environment"),
                image_tag: form.text("image_tag"),
                timeout_seconds: form.text("timeout_seconds"),
            };
            Ok(reply::refused(app, &viewer, &page(&scene, &viewer, &shown, &problems)))
        }
    }
}

async fn queue(app: &App, viewer: &Viewer, scene: &Scene, form: &Form) -> Result<entity::run::Model> {
    let spec = scene.job.deployed.as_ref().unwrap_or(&scene.job.spec);
    let possible = events(&spec.schedule);
    let event = match form.given("event") {
        Some(name) => possible.iter().copied().find(|event| event.name() == name),
        None => Some(possible.first().copied().unwrap_or(Event::Cron)),
    };
    let event = event.ok_or_else(|| Error::invalid("event", "is not an event that the job has a command for"))?;
    let seconds = form.given("timeout_seconds").map(|text| {
        text.parse::<i32>().map_err(|_| Error::invalid("timeout_seconds", "must be a whole number of seconds"))
    });
    let overrides = check_overrides(RunOverrides {
        entrypoint: form.given("entrypoint").map(str::to_owned),
        arguments: argument_list::read("arguments", form.text("arguments"))?,
        environment: variables(form, "environment")?,
        secret_environment: variables(form, "secret_environment")?,
        image_tag: form.given("image_tag").map(str::to_owned),
        timeout_seconds: seconds.transpose()?,
    })?;
    manual::run(app, &viewer.requester(), &scene.job, event, overrides, None).await
}

fn variables(form: &Form, field: &str) -> Result<BTreeMap<String, String>> {
    let entries = parse_dotenv(form.text(field)).map_err(|reason| Error::invalid(field, reason))?;
    Ok(entries.into_iter().map(|entry| (entry.key, entry.value)).collect())
}

fn page(scene: &Scene, viewer: &Viewer, shown: &Shown<'_>, problems: &Problems) -> Page {
    let spec = scene.job.deployed.as_ref().unwrap_or(&scene.job.spec);
    let possible = events(&spec.schedule);
    let own = possible.first().and_then(|event| command(&spec.schedule, *event));
    let arguments = own.and_then(|command| command.arguments.as_deref()).map(argument_list::shown).unwrap_or_default();
    let hint = format!(
        "One a line, or a JSON list. Empty for those of the job. {}",
        if arguments.is_empty() { "The job has none." } else { "" }
    );
    let content = html! {
        form.card method="post" action={ (paths::job(scene.job.id)) "/run" } {
            (token(viewer))
            (problems.others(&FIELDS))
            p { "What is left empty is as it is " @if scene.job.deployed.is_some() { "deployed." } @else { "configured, because the job is not deployed." } }
            @if possible.len() > 1 {
                (choice("event", "Event", possible.iter().map(|event| (event.name().to_owned(), event.name())), shown.event, problems))
            }
            (Field::text("entrypoint", "Entrypoint", shown.entrypoint).show(problems))
            (Field::text("arguments", "Arguments", &shown.arguments).secret().hint(&hint).area(problems))
            @if !arguments.is_empty() { details #job-arguments { summary { "Arguments of the job" } pre { code { (arguments) } } } }
            (Field::text("environment", "Variables", shown.environment).secret().hint("One KEY=VALUE a line.").area(problems))
            (Field::text("secret_environment", "Secret variables", "").secret().hint("One KEY=VALUE a line. Their values are masked in the log.").area(problems))
            @if !spec.source.is_none() && !spec.source.is_built() {
                (Field::text("image_tag", "Image tag", shown.image_tag).show(problems))
            }
            (Field::text("timeout_seconds", "Time limit in seconds", shown.timeout_seconds).hint("0 for no limit.").show(problems))
            p { button type="submit" { "Run now" } " " a.button.quiet href=(paths::job(scene.job.id)) { "Back" } }
        }
    };
    frame(scene, &viewer.caller, JobTab::Form, "Run now", "/run", content)
}
