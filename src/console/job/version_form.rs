//! Deploys a job with another image tag, or from another commit.

use std::sync::Arc;

use entity::deployment::Action as Deployment;
use entity::id::JobId;
use entity::job_spec::Source;
use maud::html;
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use super::job_frame::{JobTab, frame};
use super::scene::Scene;
use crate::access::Action;
use crate::app::App;
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::shell::{Page, token};
use crate::console::viewer::Viewer;
use crate::console::widgets::Field;
use crate::console::{notice, paths, reply};
use crate::engine::command::{self, JobTarget};
use crate::engine::deploy_version::DeployVersion;
use crate::error::{Error, Result};

/// The field of the version of a job: a tag of its image, or a commit of its repository.
fn field<'a>(source: &Source, value: &'a str) -> Field<'a> {
    match source {
        Source::Image { .. } => {
            Field::text("image_tag", "Image tag", value).hint("The configuration of the job gets this tag, too")
        }
        Source::Docker { .. } => Field::text("git_commit_id", "Commit", value)
            .hint("Only this deployment is built from it. Empty for the newest commit of the branch"),
    }
}

fn page(scene: &Scene, viewer: &Viewer, typed: &str, problems: &Problems) -> Page {
    let field = field(&scene.job.spec.source, typed);
    let body = html! {
        form.card method="post" {
            (token(viewer))
            (problems.others(&[field.name]))
            (field.show(problems))
            p { button type="submit" { "Deploy" } }
        }
    };
    frame(scene, &viewer.caller, JobTab::Form, "Deploy a version", "", body)
}

#[handler]
pub(super) async fn version_form(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
) -> poem::Result<Response> {
    let scene = Scene::load(app, &viewer.caller, Action::Deploy, JobId(id)).await?;
    let present = match &scene.job.spec.source {
        Source::Image { tag, .. } => tag.clone(),
        Source::Docker { .. } => String::new(),
    };
    Ok(reply::page(app, &viewer, &page(&scene, &viewer, &present, &Problems::default())))
}

#[handler]
pub(super) async fn deploy_version(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let scene = Scene::load(app, &viewer.caller, Action::Deploy, JobId(id)).await?;
    let typed = form.text(field(&scene.job.spec.source, "").name).trim().to_owned();
    match deployed(app, &viewer, &scene, &form).await {
        Ok(()) => Ok(notice::lead(&paths::job(scene.job.id), "deploy")),
        Err(error) => Ok(reply::refused(app, &viewer, &page(&scene, &viewer, &typed, &Problems::of(error)?))),
    }
}

async fn deployed(app: &App, viewer: &Viewer, scene: &Scene, form: &Form) -> Result<()> {
    let given = |name: &str| form.given(name).map(str::to_owned);
    let version = DeployVersion { image_tag: given("image_tag"), git_commit_id: given("git_commit_id") };
    if version.image_tag.is_none() && matches!(scene.job.spec.source, Source::Image { .. }) {
        return Err(Error::invalid("image_tag", "must not be empty"));
    }
    let target = JobTarget::in_version(scene.job.clone(), version.check("", &scene.job)?);
    let environment = scene.job.environment_id;
    command::request_jobs(app, &viewer.requester(), environment, vec![target], Deployment::Deploy).await?;
    Ok(())
}
