//! Creates, changes and deletes custom roles: a permission for each cluster, and for each kind of environment in each project.

use entity::custom_role::{
    ClusterGrants, ClusterPermission, Model, ProjectGrants, ProjectPermission, ProjectPermissions,
};
use entity::environment::Mode;
use entity::id::CustomRoleId;
use entity::{cluster, project};
use maud::{Markup, html};
use sea_orm::ActiveEnum as _;
use uuid::Uuid;

use super::setting_form::{Desk, SettingForm, changes};
use super::tabs::{Tab, settings};
use crate::access::{self, Action};
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::widgets::Field;
use crate::engine::settings::role_settings::{self, MODES, Places};
use crate::error::{Error, Result};

changes!("roles");

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

async fn form(desk: &Desk<'_>, row: Option<&Model>, sent: Option<&Form>, problems: &Problems) -> Result<SettingForm> {
    let (id, places) = (desk.id, Places::load(&desk.app.db, desk.id).await?);
    let typed = match (sent, row) {
        (Some(sent), _) => Typed::of_form(sent, &places)?,
        (None, Some(row)) => Typed::of_row(row),
        (None, None) => Typed::default(),
    };
    let fields = html! {
        (Field::text("name", "Name", &typed.name).required().show(problems))
        (Field::text("description", "Description", &typed.description).show(problems))
        (matrix(&places, &typed))
    };
    let own = row.map(|row| row.id);
    let all = format!("/organization/{id}/customRole");
    Ok(SettingForm {
        tab: Tab::Roles,
        title: row.map_or_else(|| "New role".into(), |row| format!("Change {}", row.name)),
        api: own.map_or_else(|| all.clone(), |own| format!("{all}/{own}")),
        fields,
        names: FIELDS,
        delete: row.map(|row| (format!("{}/role/{}/delete", settings(id), row.id), format!("Delete {}?", row.name))),
        below: html! {},
    })
}

async fn may(desk: &Desk<'_>) -> Result<()> {
    desk.require(Action::ManageMembers).await
}

async fn load(desk: &Desk<'_>, row: Uuid) -> Result<Model> {
    access::custom_role(&desk.app.db, &desk.viewer.caller, Action::ManageMembers, desk.id, CustomRoleId(row)).await
}

async fn store(desk: &Desk<'_>, row: Option<Model>, sent: &Form) -> Result<()> {
    let places = Places::load(&desk.app.db, desk.id).await?;
    let Typed { name, description, clusters, projects } = Typed::of_form(sent, &places)?;
    let (of, granted) = ((name.as_str(), Some(description)), (clusters, projects));
    let by = desk.viewer.requester();
    match row {
        Some(row) => role_settings::edit(desk.app, &by, row, of, granted).await.map(drop),
        None => role_settings::create(desk.app, &by, desk.id, of, granted).await.map(drop),
    }
}

async fn remove(desk: &Desk<'_>, row: Model) -> Result<()> {
    role_settings::delete(desk.app, &desk.viewer.requester(), row).await
}
