//! Clones an environment.

use std::sync::Arc;

use entity::id::{ClusterId, EnvironmentId, ProjectId};
use entity::{cluster, environment, project};
use maud::html;
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use super::state_words::{MODES, mode_of, mode_words};
use crate::access::{self, Action, Location};
use crate::app::App;
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::shell::{Page, Section, token};
use crate::console::viewer::Viewer;
use crate::console::widgets::{Field, check, choice, place};
use crate::console::{notice, paths, reply};
use crate::engine::copy_environment::RuleOfCopy;
use crate::engine::new_environment::{self, Copy};
use crate::error::Result;
use crate::store;

/// What is typed into the form.
struct Typed {
    name: String,
    project: String,
    cluster: String,
    mode: String,
    rule: bool,
}

impl Typed {
    fn of_form(form: &Form) -> Self {
        let text = |name: &str| form.text(name).to_owned();
        Self {
            name: text("name"),
            project: text("project_id"),
            cluster: text("cluster_id"),
            mode: text("mode"),
            rule: form.has("rule"),
        }
    }
}

async fn page_of(
    app: &App,
    viewer: &Viewer,
    row: &environment::Model,
    typed: &Typed,
    problems: &Problems,
) -> Result<Page> {
    let id = row.organization_id;
    let clusters = store::cluster::list_by_organization(&app.db, id).await?;
    let projects = store::project::list_by_organization(&app.db, id).await?;
    let seen = |project: &&project::Model| {
        viewer.caller.may(id, Action::View, &Location { project: Some(project.id), ..Location::default() })
    };
    let projects = projects.iter().filter(seen).map(|row| (row.id.to_string(), row.name.as_str()));
    let clusters = clusters.iter().map(|row: &cluster::Model| (row.id.to_string(), row.name.as_str()));
    let modes = MODES.into_iter().map(|mode| (mode_words(mode).to_owned(), mode_words(mode)));
    let body = html! {
        h1 { "Clone " (row.name) }
        p { "The copy has the same stages, jobs, variables and secrets. Nothing of it is deployed." }
        form.card method="post" {
            (token(viewer))
            (problems.others(&["name", "project_id", "cluster_id", "mode"]))
            (Field::text("name", "Name of the copy", &typed.name).required().show(problems))
            (choice("project_id", "Project", projects, &typed.project, problems))
            (choice("cluster_id", "Cluster", clusters, &typed.cluster, problems))
            (choice("mode", "Mode", modes, &typed.mode, problems))
            p { (check("rule", "Also copy the deployment rule", typed.rule)) }
            p { button type="submit" { "Clone" } }
        }
    };
    let place = Some(place(app, id, Section::Environments).await?);
    let trail = vec![(row.name.clone(), paths::environment(row.id))];
    let api = Some(format!("/environment/{}/clone", row.id));
    Ok(Page { title: format!("Clone {}", row.name), place, trail, body, api, live: None })
}

#[handler]
pub(super) async fn show(Data(app): Data<&Arc<App>>, viewer: Viewer, Path(id): Path<Uuid>) -> poem::Result<Response> {
    let row = access::environment(&app.db, &viewer.caller, Action::Manage, EnvironmentId(id)).await?;
    let typed = Typed {
        name: String::new(),
        project: row.project_id.to_string(),
        cluster: row.cluster_id.to_string(),
        mode: mode_words(row.mode).to_owned(),
        rule: false,
    };
    let page = page_of(app, &viewer, &row, &typed, &Problems::default()).await?;
    Ok(reply::page(app, &viewer, &page))
}

#[handler]
pub(super) async fn save(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let row = access::environment(&app.db, &viewer.caller, Action::Manage, EnvironmentId(id)).await?;
    let typed = Typed::of_form(&form);
    match copied(app, &viewer, &row, &typed).await {
        Ok(copy) => Ok(notice::lead(&paths::environment(copy), "environment-cloned")),
        Err(error) => {
            let page = page_of(app, &viewer, &row, &typed, &Problems::of(error)?).await?;
            Ok(reply::refused(app, &viewer, &page))
        }
    }
}

async fn copied(app: &App, viewer: &Viewer, source: &environment::Model, typed: &Typed) -> Result<EnvironmentId> {
    let wanted = Copy {
        name: typed.name.clone(),
        project: typed.project.parse().ok().map(ProjectId),
        cluster: typed.cluster.parse().ok().map(ClusterId),
        mode: mode_of(&typed.mode),
        rule: if typed.rule { RuleOfCopy::Same } else { RuleOfCopy::None },
    };
    let project = wanted.project.unwrap_or(source.project_id);
    let project = access::project(&app.db, &viewer.caller, Action::View, project).await?;
    let (cluster, mode) = new_environment::place_of_copy(app, source, &project, &wanted).await?;
    access::new_environment(&viewer.caller, &project, mode, cluster.id)?;
    let by = viewer.requester();
    let (row, _) = new_environment::copy(app, &by, source, &project, (cluster, mode), wanted).await?;
    Ok(row.id)
}
