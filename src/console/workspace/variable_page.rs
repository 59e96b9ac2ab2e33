//! The forms of the variables of a workspace.

use std::sync::Arc;

use entity::id::{TerraformVariableId, WorkspaceId};
use entity::{terraform_variable, workspace};
use maud::html;
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use super::variable_fields::{FIELDS, Typed};
use crate::access::{self, require_right};
use crate::app::App;
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::shell::{Page, Section, token};
use crate::console::viewer::Viewer;
use crate::console::widgets::place;
use crate::console::{notice, paths, reply};
use crate::engine::workspace_setting::{delete_variable, save_variable};
use crate::error::{Error, Result};
use crate::store;

async fn open(app: &App, viewer: &Viewer, id: Uuid) -> Result<workspace::Model> {
    let (row, rights) = access::workspace(&app.db, &viewer.caller, WorkspaceId(id)).await?;
    require_right(rights.workspaces)?;
    Ok(row)
}

async fn variable(app: &App, of: &workspace::Model, id: Uuid) -> Result<terraform_variable::Model> {
    let row = store::row::by_id::<terraform_variable::Model>(&app.db, TerraformVariableId(id)).await?;
    row.filter(|row| row.workspace_id == Some(of.id)).ok_or(Error::NotFound("variable"))
}

async fn page_of(
    app: &App,
    viewer: &Viewer,
    (of, row): (&workspace::Model, Option<&terraform_variable::Model>),
    typed: &Typed,
    problems: &Problems,
) -> Result<Page> {
    let title = row.map_or_else(|| format!("New variable of {}", of.name), |row| format!("Change {}", row.key));
    let body = html! {
        h1 { (title) }
        form.card method="post" autocomplete="off" {
            (token(viewer))
            (problems.others(FIELDS))
            (typed.show(row, problems))
            p { button type="submit" { "Save" } }
        }
    };
    let place = Some(place(app, of.organization_id, Section::Workspaces).await?);
    let trail = vec![(of.name.clone(), paths::workspace(of.id))];
    let api = Some(format!("/api/v1/organization/{}/workspace/{}/variable", of.organization_id, of.id));
    Ok(Page { title, place, trail, body, api, live: None })
}

#[handler]
pub(super) async fn new(Data(app): Data<&Arc<App>>, viewer: Viewer, Path(id): Path<Uuid>) -> poem::Result<Response> {
    let of = open(app, &viewer, id).await?;
    let page = page_of(app, &viewer, (&of, None), &Typed::of_row(None), &Problems::default()).await?;
    Ok(reply::page(app, &viewer, &page))
}

#[handler]
pub(super) async fn edit(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, variable_id)): Path<(Uuid, Uuid)>,
) -> poem::Result<Response> {
    let of = open(app, &viewer, id).await?;
    let row = variable(app, &of, variable_id).await?;
    let page = page_of(app, &viewer, (&of, Some(&row)), &Typed::of_row(Some(&row)), &Problems::default()).await?;
    Ok(reply::page(app, &viewer, &page))
}

async fn saved(
    app: &App,
    viewer: &Viewer,
    (of, row): (&workspace::Model, Option<terraform_variable::Model>),
    form: &Form,
    said: &str,
) -> Result<Response> {
    let typed = Typed::of_form(form);
    let wanted = typed.wanted(row.as_ref());
    let (place, old) = ((of.organization_id, Some(of.id)), row.as_ref().map(|row| row.id));
    match save_variable(app, &viewer.requester(), place, old, |_| wanted.clone()).await {
        Ok(_) => Ok(notice::lead(&paths::workspace(of.id), said)),
        Err(error) => {
            let page = page_of(app, viewer, (of, row.as_ref()), &typed, &Problems::of(error)?).await?;
            Ok(reply::refused(app, viewer, &page))
        }
    }
}

#[handler]
pub(super) async fn create(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let of = open(app, &viewer, id).await?;
    Ok(saved(app, &viewer, (&of, None), &form, "variable-created").await?)
}

#[handler]
pub(super) async fn save(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, variable_id)): Path<(Uuid, Uuid)>,
    form: Form,
) -> poem::Result<Response> {
    let of = open(app, &viewer, id).await?;
    let row = variable(app, &of, variable_id).await?;
    Ok(saved(app, &viewer, (&of, Some(row)), &form, "variable-saved").await?)
}

#[handler]
pub(super) async fn delete(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, variable_id)): Path<(Uuid, Uuid)>,
    _form: Form,
) -> poem::Result<Response> {
    let of = open(app, &viewer, id).await?;
    let row = variable(app, &of, variable_id).await?;
    delete_variable(app, &viewer.requester(), &row).await?;
    Ok(notice::lead(&paths::workspace(of.id), "workspace-variable-deleted"))
}
