//! Creates, changes and deletes custom roles: a permission for each cluster, and for each kind of environment in each project.

use std::sync::Arc;

use entity::custom_role::{
    ClusterGrants, ClusterPermission, Model, ProjectGrants, ProjectPermission, ProjectPermissions,
};
use entity::environment::Mode;
use entity::id::{CustomRoleId, OrganizationId};
use entity::{cluster, project};
use maud::{Markup, html};
use poem::web::{Data, Path};
use poem::{Response, handler};
use sea_orm::ActiveEnum as _;
use uuid::Uuid;

use super::setting_form::SettingForm;
use super::tabs::{Tab, settings};
use crate::access::{self, Action};
use crate::app::App;
use crate::console::form::Form;
use crate::console::notice;
use crate::console::problems::Problems;
use crate::console::viewer::Viewer;
use crate::console::widgets::Field;
use crate::engine::settings::role_settings::{self, MODES, Places};
use crate::error::{Error, Result};

const FIELDS: &[&str] = &["name", "description"];

/// The permissions, each with its name in the API and its words.
const ON_CLUSTER: [(ClusterPermission, &str, &str); 3] = [
    (ClusterPermission::Viewer, "VIEWER", "sees it"),
    (ClusterPermission::EnvCreator, "ENV_CREATOR", "creates environments"),
    (ClusterPermission::Admin, "ADMIN", "administers it"),
];

const IN_PROJECT: [(ProjectPermission, &str, &str); 4] = [
    (ProjectPermission::NoAccess, "NO_ACCESS", "–"),
    (ProjectPermission::Viewer, "VIEWER", "sees"),
    (ProjectPermission::Deployer, "DEPLOYER", "deploys"),
    (ProjectPermission::Manager, "MANAGER", "manages"),
];

/// What is typed into the form.
#[derive(Default)]
struct Typed {
    name: String,
    description: String,
    clusters: ClusterGrants,
    projects: ProjectGrants,
}

fn cluster_field(row: &cluster::Model) -> String {
    format!("cluster-{}", row.id)
}

fn project_field(row: &project::Model, part: &str) -> String {
    format!("project-{}-{part}", row.id)
}

/// The permission with this name; the lowest one if the form has none.
fn permission<P: Copy + Default>(field: &str, text: &str, of: &[(P, &str, &str)]) -> Result<P> {
    if text.is_empty() {
        return Ok(P::default());
    }
    let found = of.iter().find(|(_, name, _)| *name == text).map(|(permission, ..)| *permission);
    found.ok_or_else(|| Error::invalid(field, "must be one of the list"))
}

impl Typed {
    fn of_row(row: &Model) -> Self {
        let Model { name, description, clusters, projects, .. } = row.clone();
        Self { name, description, clusters, projects }
    }

    fn of_form(form: &Form, places: &Places) -> Result<Self> {
        let mut typed = Self {
            name: form.text("name").trim().to_owned(),
            description: form.text("description").trim().to_owned(),
            ..Self::default()
        };
        for row in &places.clusters {
            let field = cluster_field(row);
            typed.clusters.0.insert(row.id, permission(&field, form.text(&field), &ON_CLUSTER)?);
        }
        for row in &places.projects {
            let is_admin = form.has(&project_field(row, "admin"));
            let mut of = ProjectPermissions { is_admin, ..ProjectPermissions::default() };
            for mode in MODES {
                let field = project_field(row, &mode.to_value());
                of.modes.insert(mode, permission(&field, form.text(&field), &IN_PROJECT)?);
            }
            typed.projects.0.insert(row.id, of);
        }
        Ok(typed)
    }
}

fn select<P: Copy + PartialEq>(field: &str, label: &str, chosen: P, of: &[(P, &str, &str)]) -> Markup {
    html! {
        select name=(field) aria-label=(label) {
            @for (permission, name, words) in of { option value=(name) selected[*permission == chosen] { (words) } }
        }
    }
}

fn mode_words(mode: Mode) -> &'static str {
    match mode {
        Mode::Development => "Development",
        Mode::Preview => "Preview",
        Mode::Staging => "Staging",
        Mode::Production => "Production",
    }
}

fn matrix(places: &Places, typed: &Typed) -> Markup {
    let of_project = |row: &project::Model| typed.projects.0.get(&row.id).cloned().unwrap_or_default();
    html! {
        div.scroll { table.stacked {
            caption { "Clusters" }
            thead { tr { th scope="col" { "Cluster" } th scope="col" { "May" } } }
            tbody { @for row in &places.clusters { tr {
                th scope="row" { (row.name) }
                td data-label="May" {
                    (select(&cluster_field(row), &row.name, typed.clusters.0.get(&row.id).copied().unwrap_or_default(), &ON_CLUSTER))
                }
            } } }
        } }
        div.scroll { table.stacked {
            caption { "Environments of projects" }
            thead { tr {
                th scope="col" { "Project" } th scope="col" { "Everything" }
                @for mode in MODES { th scope="col" { (mode_words(mode)) } }
            } }
            tbody { @for row in &places.projects { @let of = of_project(row); tr {
                th scope="row" { (row.name) }
                td data-label="Everything" {
                    input type="checkbox" name=(project_field(row, "admin")) value="on" checked[of.is_admin] aria-label={ "Everything in " (row.name) };
                }
                @for mode in MODES { td data-label=(mode_words(mode)) {
                    (select(&project_field(row, &mode.to_value()), &format!("{}, {}", row.name, mode_words(mode)),
                        of.modes.get(&mode).copied().unwrap_or_default(), &IN_PROJECT))
                } }
            } } }
        } }
    }
}

fn page(id: OrganizationId, row: Option<&Model>, places: &Places, typed: &Typed, problems: &Problems) -> SettingForm {
    let fields = html! {
        (Field::text("name", "Name", &typed.name).required().show(problems))
        (Field::text("description", "Description", &typed.description).show(problems))
        (matrix(places, typed))
    };
    let own = row.map(|row| row.id);
    let all = format!("/organization/{id}/customRole");
    SettingForm {
        tab: Tab::Roles,
        title: row.map_or_else(|| "New role".into(), |row| format!("Change {}", row.name)),
        api: own.map_or_else(|| all.clone(), |own| format!("{all}/{own}")),
        fields,
        names: FIELDS,
        delete: row.map(|row| (format!("{}/role/{}/delete", settings(id), row.id), format!("Delete {}?", row.name))),
        below: html! {},
    }
}

#[handler]
pub(super) async fn new(Data(app): Data<&Arc<App>>, viewer: Viewer, Path(id): Path<Uuid>) -> poem::Result<Response> {
    let id = OrganizationId(id);
    access::organization(&app.db, &viewer.caller, Action::ManageMembers, id).await?;
    let (places, none) = (Places::load(&app.db, id).await?, Problems::default());
    Ok(page(id, None, &places, &Typed::default(), &none).reply(app, &viewer, id, None).await?)
}

#[handler]
pub(super) async fn create(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    access::organization(&app.db, &viewer.caller, Action::ManageMembers, id).await?;
    Ok(saved(app, &viewer, (id, None), &form).await?)
}

async fn load(app: &App, viewer: &Viewer, (id, row): (Uuid, Uuid)) -> Result<Model> {
    access::custom_role(&app.db, &viewer.caller, Action::ManageMembers, OrganizationId(id), CustomRoleId(row)).await
}

#[handler]
pub(super) async fn edit(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(path): Path<(Uuid, Uuid)>,
) -> poem::Result<Response> {
    let row = load(app, &viewer, path).await?;
    let id = row.organization_id;
    let (places, none) = (Places::load(&app.db, id).await?, Problems::default());
    Ok(page(id, Some(&row), &places, &Typed::of_row(&row), &none).reply(app, &viewer, id, None).await?)
}

#[handler]
pub(super) async fn save(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(path): Path<(Uuid, Uuid)>,
    form: Form,
) -> poem::Result<Response> {
    let row = load(app, &viewer, path).await?;
    Ok(saved(app, &viewer, (row.organization_id, Some(row)), &form).await?)
}

async fn saved(
    app: &App,
    viewer: &Viewer,
    (id, row): (OrganizationId, Option<Model>),
    form: &Form,
) -> Result<Response> {
    let places = Places::load(&app.db, id).await?;
    let typed = Typed::of_form(form, &places)?;
    let of = (typed.name.as_str(), Some(typed.description.clone()));
    let granted = (typed.clusters.clone(), typed.projects.clone());
    let done = match row.clone() {
        Some(row) => role_settings::edit(app, &viewer.requester(), row, of, granted).await,
        None => role_settings::create(app, &viewer.requester(), id, of, granted).await,
    };
    match done {
        Ok(_) => Ok(notice::lead(&format!("{}/roles", settings(id)), "saved")),
        Err(error) => {
            let problems = Problems::of(error)?;
            page(id, row.as_ref(), &places, &typed, &problems).reply(app, viewer, id, Some(&problems)).await
        }
    }
}

#[handler]
pub(super) async fn delete(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(path): Path<(Uuid, Uuid)>,
    _form: Form,
) -> poem::Result<Response> {
    let row = load(app, &viewer, path).await?;
    let id = row.organization_id;
    role_settings::delete(app, &viewer.requester(), row).await?;
    Ok(notice::lead(&format!("{}/roles", settings(id)), "deleted"))
}
