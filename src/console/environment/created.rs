//! Creates projects and environments.

use std::sync::Arc;

use entity::id::{ClusterId, OrganizationId, ProjectId};
use entity::{cluster, project};
use maud::{Markup, html};
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use super::state_words::{MODES, mode_of, mode_words};
use crate::access::{self, Action};
use crate::app::App;
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::shell::{Page, Section, token};
use crate::console::viewer::Viewer;
use crate::console::widgets::{Field, choice, place};
use crate::console::{notice, paths, reply};
use crate::engine::new_environment::{self, NewEnvironment};
use crate::engine::new_project;
use crate::error::{Error, Result};
use crate::store;

fn environments_of(id: OrganizationId) -> String {
    format!("{}/environments", paths::organization(id))
}

async fn page_of(app: &App, id: OrganizationId, title: &str, body: Markup, api: String) -> Result<Page> {
    let place = Some(place(app, id, Section::Environments).await?);
    let trail = vec![("Environments".to_owned(), environments_of(id))];
    Ok(Page { title: title.to_owned(), place, trail, body, api: Some(api), live: None })
}

async fn project_page(
    app: &App,
    viewer: &Viewer,
    id: OrganizationId,
    (name, description): (&str, &str),
    problems: &Problems,
) -> Result<Page> {
    let body = html! {
        h1 { "New project" }
        form.card method="post" {
            (token(viewer))
            (problems.others(&["name", "description"]))
            (Field::text("name", "Name", name).required().show(problems))
            (Field::text("description", "Description", description).show(problems))
            p { button type="submit" { "Create the project" } }
        }
    };
    page_of(app, id, "New project", body, format!("/organization/{id}/project")).await
}

#[handler]
pub(super) async fn project_form(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    access::organization(&app.db, &viewer.caller, Action::CreateProject, id).await?;
    let page = project_page(app, &viewer, id, ("", ""), &Problems::default()).await?;
    Ok(reply::page(app, &viewer, &page))
}

#[handler]
pub(super) async fn create_project(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    access::organization(&app.db, &viewer.caller, Action::CreateProject, id).await?;
    let (name, description) = (form.text("name"), form.text("description"));
    match new_project::create(app, &viewer.requester(), id, name, description.to_owned()).await {
        Ok(_) => Ok(notice::lead(&environments_of(id), "project-created")),
        Err(error) => {
            let page = project_page(app, &viewer, id, (name, description), &Problems::of(error)?).await?;
            Ok(reply::refused(app, &viewer, &page))
        }
    }
}

/// What is typed into the form of an environment.
#[derive(Default)]
struct Typed<'a> {
    name: &'a str,
    mode: &'a str,
    cluster: &'a str,
}

async fn environment_page(
    app: &App,
    viewer: &Viewer,
    project: &project::Model,
    typed: &Typed<'_>,
    problems: &Problems,
) -> Result<Page> {
    let clusters = store::cluster::list_by_organization(&app.db, project.organization_id).await?;
    let allowed = |row: &&cluster::Model| {
        MODES.into_iter().any(|mode| access::new_environment(&viewer.caller, project, mode, row.id).is_ok())
    };
    let clusters = clusters.iter().filter(allowed).map(|row| (row.id.to_string(), row.name.as_str()));
    let modes = MODES.into_iter().map(|mode| (mode_words(mode).to_owned(), mode_words(mode)));
    let body = html! {
        h1 { "New environment in " (project.name) }
        form.card method="post" {
            (token(viewer))
            (problems.others(&["name", "mode", "cluster"]))
            (Field::text("name", "Name", typed.name).required().show(problems))
            (choice("mode", "Mode", modes, typed.mode, problems))
            (choice("cluster", "Cluster", clusters, typed.cluster, problems))
            p.hint { "The cluster cannot be changed later." }
            p { button type="submit" { "Create the environment" } }
        }
    };
    page_of(app, project.organization_id, "New environment", body, format!("/project/{}/environment", project.id)).await
}

/// The project, if the viewer may create an environment in it.
async fn open_project(app: &App, viewer: &Viewer, id: Uuid) -> Result<project::Model> {
    let project = access::project(&app.db, &viewer.caller, Action::View, ProjectId(id)).await?;
    let clusters = store::cluster::list_by_organization(&app.db, project.organization_id).await?;
    let may = MODES
        .into_iter()
        .any(|mode| clusters.iter().any(|row| access::new_environment(&viewer.caller, &project, mode, row.id).is_ok()));
    if may { Ok(project) } else { Err(Error::Forbidden("your role does not allow new environments")) }
}

#[handler]
pub(super) async fn environment_form(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
) -> poem::Result<Response> {
    let project = open_project(app, &viewer, id).await?;
    let page = environment_page(app, &viewer, &project, &Typed::default(), &Problems::default()).await?;
    Ok(reply::page(app, &viewer, &page))
}

#[handler]
pub(super) async fn create_environment(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let project = open_project(app, &viewer, id).await?;
    let typed = Typed { name: form.text("name"), mode: form.text("mode"), cluster: form.text("cluster") };
    match created(app, &viewer, &project, &typed).await {
        Ok(id) => Ok(notice::lead(&id, "environment-created")),
        Err(error) => {
            let page = environment_page(app, &viewer, &project, &typed, &Problems::of(error)?).await?;
            Ok(reply::refused(app, &viewer, &page))
        }
    }
}

async fn created(app: &App, viewer: &Viewer, project: &project::Model, typed: &Typed<'_>) -> Result<String> {
    let cluster = typed.cluster.parse().ok().map(ClusterId);
    let new = NewEnvironment::of(app, project, typed.name, cluster, mode_of(typed.mode)).await?;
    access::new_environment(&viewer.caller, project, new.mode, new.cluster_id())?;
    let (row, _) = new_environment::create(app, &viewer.requester(), project, new).await?;
    Ok(paths::environment(row.id))
}
