//! Creates, changes and removes workspaces.

use std::sync::Arc;

use entity::id::{ClusterId, OrganizationId, SshKeyId, TemplateId, VcsId, WorkspaceId};
use entity::workspace;
use maud::{Markup, html};
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use crate::access::{self, require_right};
use crate::app::App;
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::shell::{Page, Section, token};
use crate::console::viewer::Viewer;
use crate::console::widgets::{Field, check, choice, place};
use crate::console::{notice, paths, reply};
use crate::engine::workspace_cluster::can_execute;
use crate::engine::workspace_definition::{WorkspaceDefinition, save_workspace};
use crate::engine::workspace_removal::{StateFate, remove};
use crate::error::Result;
use crate::store;

/// The fields, by the names of the API.
const FIELDS: [&str; 12] = [
    "name",
    "description",
    "source",
    "branch",
    "folder",
    "terraformVersion",
    "iacType",
    "executionMode",
    "agent",
    "defaultTemplate",
    "vcs",
    "ssh",
];

fn new_one() -> WorkspaceDefinition {
    let [branch, folder, iac_type, execution_mode] = ["main", "/", "tofu", "remote"].map(str::to_owned);
    let sees_name = Some(true);
    WorkspaceDefinition { branch, folder, iac_type, execution_mode, sees_name, ..WorkspaceDefinition::default() }
}

fn of_form(form: &Form) -> WorkspaceDefinition {
    let text = |name: &str| form.text(name).trim().to_owned();
    let id = |name: &str| form.given(name).and_then(|id| id.parse::<Uuid>().ok());
    WorkspaceDefinition {
        name: text("name"),
        description: form.given("description").map(str::to_owned),
        source: text("source"),
        branch: text("branch"),
        folder: text("folder"),
        terraform_version: text("terraformVersion"),
        iac_type: text("iacType"),
        execution_mode: text("executionMode"),
        default_template: id("defaultTemplate").map(TemplateId),
        vcs: id("vcs").map(VcsId),
        ssh_key: id("ssh").map(SshKeyId),
        cluster: id("agent").map(ClusterId),
        destroy_protection: Some(form.has("destroyProtection")),
        sees_name: Some(form.has("seesName")),
    }
}

/// Rows to choose from, with a choice for none.
fn with_none<'a>(none: &'a str, rows: &'a [(String, String)]) -> impl Iterator<Item = (String, &'a str)> {
    std::iter::once((String::new(), none)).chain(rows.iter().map(|(id, name)| (id.clone(), name.as_str())))
}

fn named<I: ToString>(rows: Vec<(I, String)>) -> Vec<(String, String)> {
    rows.into_iter().map(|(id, name)| (id.to_string(), name)).collect()
}

/// The clusters that can be chosen, and the chosen one.
async fn clusters(app: &App, organization: OrganizationId, chosen: Option<ClusterId>) -> Result<Vec<(String, String)>> {
    let rows = store::cluster::list_by_organization(&app.db, organization).await?;
    let rows = rows.into_iter().filter(|row| can_execute(row) || Some(row.id) == chosen);
    Ok(named(rows.map(|row| (row.id, row.name)).collect()))
}

async fn fields(
    app: &App,
    organization: OrganizationId,
    typed: &WorkspaceDefinition,
    problems: &Problems,
) -> Result<Markup> {
    let templates = named(store::workspace::template_names(&app.db, organization).await?);
    let logins = named(store::workspace::vcs_names(&app.db, organization).await?);
    let keys = named(store::workspace::ssh_key_names(&app.db, organization).await?);
    let clusters = clusters(app, organization, typed.cluster).await?;
    let chosen = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let tools = [("tofu", "OpenTofu"), ("terraform", "Terraform")].map(|(value, words)| (value.to_owned(), words));
    let modes = [("remote", "On the server"), ("local", "Where people call it; the server keeps the state")];
    let modes = modes.map(|(value, words)| (value.to_owned(), words));
    Ok(html! {
        (problems.others(&FIELDS))
        (Field::text("name", "Name", &typed.name).required().show(problems))
        (Field::text("description", "Description", typed.description.as_deref().unwrap_or_default()).show(problems))
        (Field::text("source", "Repository", &typed.source).hint("The URL of a git repository, without a login").show(problems))
        (Field::text("branch", "Branch", &typed.branch).show(problems))
        (Field::text("folder", "Folder", &typed.folder).hint("The folder of the root module in the repository").show(problems))
        (choice("vcs", "Login", with_none("none", &logins), &chosen(typed.vcs.map(|id| id.0)), problems))
        (choice("ssh", "SSH key", with_none("none", &keys), &chosen(typed.ssh_key.map(|id| id.0)), problems))
        (choice("iacType", "Tool", tools.into_iter(), &typed.iac_type, problems))
        (Field::text("terraformVersion", "Version", &typed.terraform_version)
            .hint("Such as 1.9.0 or ~> 1.9; empty for the newest one that is installed").show(problems))
        (choice("executionMode", "The tool runs", modes.into_iter(), &typed.execution_mode, problems))
        (choice("agent", "Its steps run on", with_none("the server, or a cluster if it runs none", &clusters),
            &chosen(typed.cluster.map(|id| id.0)), problems))
        (choice("defaultTemplate", "Default template", with_none("none", &templates),
            &chosen(typed.default_template.map(|id| id.0)), problems))
        p { (check("destroyProtection", "Protect it against destroy: no job destroys, and it is not deleted with a state",
            typed.destroy_protection == Some(true))) }
        p { (check("seesName", "terraform.workspace is its name; otherwise it is default", typed.sees_name == Some(true))) }
    })
}

/// A form for a new workspace, or for one that exists.
async fn page_of(
    app: &App,
    viewer: &Viewer,
    (organization, row): (OrganizationId, Option<&workspace::Model>),
    typed: &WorkspaceDefinition,
    problems: &Problems,
) -> Result<Page> {
    let title = row.map_or_else(|| "New workspace".to_owned(), |row| format!("Change {}", row.name));
    let body = html! {
        h1 { (title) }
        form.card method="post" {
            (token(viewer))
            (fields(app, organization, typed, problems).await?)
            p { button type="submit" { @if row.is_some() { "Save" } @else { "Create" } } }
        }
        @if let Some(row) = row { (removal(viewer, row)) }
    };
    let all = format!("{}/workspaces", paths::organization(organization));
    let mut trail = vec![("Workspaces".to_owned(), all)];
    trail.extend(row.map(|row| (row.name.clone(), paths::workspace(row.id))));
    let api = match row {
        Some(row) => format!("/api/v1/organization/{organization}/workspace/{}", row.id),
        None => format!("/api/v1/organization/{organization}/workspace"),
    };
    let place = Some(place(app, organization, Section::Workspaces).await?);
    Ok(Page { title, place, trail, body, api: Some(api), live: None })
}

fn removal(viewer: &Viewer, row: &workspace::Model) -> Markup {
    html! {
        details.card {
            summary { "Delete the workspace" }
            form method="post" action={ (paths::workspace(row.id)) "/delete" } data-confirm={ "Delete " (row.name) "?" } {
                (token(viewer))
                p { "Its jobs, variables and schedules are deleted. What it manages is not: destroy that first, or keep the state." }
                p { (check("keep", "Keep the state, and only hide the workspace", false)) }
                p { button.danger type="submit" { "Delete" } }
            }
        }
    }
}

/// The organization, in which the viewer may create workspaces.
async fn organization(app: &App, viewer: &Viewer, id: Uuid) -> Result<OrganizationId> {
    let id = OrganizationId(id);
    require_right(access::workspace_rights(&app.db, &viewer.caller, id).await?.workspaces)?;
    Ok(id)
}

async fn open(app: &App, viewer: &Viewer, id: Uuid) -> Result<workspace::Model> {
    let (row, rights) = access::workspace(&app.db, &viewer.caller, WorkspaceId(id)).await?;
    require_right(rights.workspaces)?;
    Ok(row)
}

#[handler]
pub(super) async fn new(Data(app): Data<&Arc<App>>, viewer: Viewer, Path(id): Path<Uuid>) -> poem::Result<Response> {
    let id = organization(app, &viewer, id).await?;
    let page = page_of(app, &viewer, (id, None), &new_one(), &Problems::default()).await?;
    Ok(reply::page(app, &viewer, &page))
}

#[handler]
pub(super) async fn create(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let id = organization(app, &viewer, id).await?;
    Ok(saved(app, &viewer, (id, None), &form).await?)
}

#[handler]
pub(super) async fn edit(Data(app): Data<&Arc<App>>, viewer: Viewer, Path(id): Path<Uuid>) -> poem::Result<Response> {
    let row = open(app, &viewer, id).await?;
    let of = (row.organization_id, Some(&row));
    let page = page_of(app, &viewer, of, &WorkspaceDefinition::from(&row), &Problems::default()).await?;
    Ok(reply::page(app, &viewer, &page))
}

#[handler]
pub(super) async fn save(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let row = open(app, &viewer, id).await?;
    Ok(saved(app, &viewer, (row.organization_id, Some(&row)), &form).await?)
}

async fn saved(
    app: &App,
    viewer: &Viewer,
    (organization, row): (OrganizationId, Option<&workspace::Model>),
    form: &Form,
) -> Result<Response> {
    let typed = of_form(form);
    let by = viewer.requester();
    match save_workspace(app, &by, organization, row.map(|row| row.id), typed.clone()).await {
        Ok(id) => {
            let said = if row.is_some() { "workspace-saved" } else { "workspace-created" };
            Ok(notice::lead(&paths::workspace(id), said))
        }
        Err(error) => {
            let page = page_of(app, viewer, (organization, row), &typed, &Problems::of(error)?).await?;
            Ok(reply::refused(app, viewer, &page))
        }
    }
}

#[handler]
pub(super) async fn delete(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let row = open(app, &viewer, id).await?;
    let state = if form.has("keep") { StateFate::Kept } else { StateFate::Deleted };
    remove(app, row.id, state, &viewer.requester()).await?;
    let all = format!("{}/workspaces", paths::organization(row.organization_id));
    Ok(notice::lead(&all, "workspace-deleted"))
}
