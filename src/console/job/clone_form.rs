//! Copies a job.

use std::sync::Arc;

use entity::id::{EnvironmentId, JobId};
use maud::html;
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use super::job_frame::{JobTab, frame};
use super::scene::Scene;
use crate::access::{self, Action};
use crate::app::App;
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::shell::{Page, token};
use crate::console::viewer::Viewer;
use crate::console::widgets::{Field, choice};
use crate::console::{notice, paths, reply};
use crate::engine::clone_job::clone_job as store_copy;
use crate::engine::limits;
use crate::error::{Error, Result};
use crate::store;

#[handler]
pub(super) async fn clone_form(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
) -> poem::Result<Response> {
    let scene = Scene::load(app, &viewer.caller, Action::Manage, JobId(id)).await?;
    let name = format!("{} copy", scene.job.name);
    let environment = scene.environment.id.to_string();
    Ok(reply::page(app, &viewer, &page(app, &viewer, &scene, (&name, &environment), &Problems::default()).await?))
}

#[handler]
pub(super) async fn clone_job(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let scene = Scene::load(app, &viewer.caller, Action::Manage, JobId(id)).await?;
    match copy(app, &viewer, &scene, &form).await {
        Ok(copy) => Ok(notice::lead(&paths::job(copy), "job-cloned")),
        Err(error) => {
            let typed = (form.text("name"), form.text("environment_id"));
            let page = page(app, &viewer, &scene, typed, &Problems::of(error)?).await?;
            Ok(reply::refused(app, &viewer, &page))
        }
    }
}

async fn copy(app: &App, viewer: &Viewer, scene: &Scene, form: &Form) -> Result<JobId> {
    let name = limits::name("name", form.text("name"))?;
    let wrong = |_| Error::invalid("environment_id", "is not an environment");
    let target = EnvironmentId(form.text("environment_id").parse::<Uuid>().map_err(wrong)?);
    let target = access::environment(&app.db, &viewer.caller, Action::Manage, target).await?;
    store_copy(app, &viewer.requester(), &scene.job, &target, name).await
}

async fn page(
    app: &App,
    viewer: &Viewer,
    scene: &Scene,
    (name, environment): (&str, &str),
    problems: &Problems,
) -> Result<Page> {
    // Those of the same project; a copy can be moved no further.
    let all = store::environment::list_by_project(&app.db, scene.project.id).await?;
    let organization = scene.job.organization_id;
    let possible: Vec<_> = all
        .iter()
        .filter(|row| viewer.caller.may(organization, Action::Manage, &access::location(row)))
        .map(|row| (row.id.to_string(), row.name.as_str()))
        .collect();
    let content = html! {
        form.card method="post" action={ (paths::job(scene.job.id)) "/clone" } {
            (token(viewer))
            (problems.others(&["name", "environment_id"]))
            p { "The copy has the configuration and the variables of the job, and is not deployed." }
            (Field::text("name", "Name", name).required().show(problems))
            (choice("environment_id", "Environment", possible.into_iter(), environment, problems))
            p { button type="submit" { "Clone" } " " a.button.quiet href=(paths::job(scene.job.id)) { "Back" } }
        }
    };
    Ok(frame(scene, &viewer.caller, JobTab::Form, "Clone", "", content))
}
