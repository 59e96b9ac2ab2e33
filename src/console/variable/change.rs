//! Creates, changes and deletes variables. A form that is refused comes back with what was typed, except for secrets.

use std::sync::Arc;

use entity::variable::{Model, VariableKind};
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use super::owner::VariableOwner;
use super::variable_form::{Purpose, Typed, page_of, target};
use crate::access::Action;
use crate::app::App;
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::viewer::Viewer;
use crate::console::{notice, reply};
use crate::engine::variable::{self, NewAlias, NewOverride, NewVariable, Parent, VariableEdit, find_own};
use crate::error::Result;

/// Leads to the list, or shows the form again.
async fn answer(
    app: &App,
    viewer: &Viewer,
    (owner, parent): (VariableOwner, &Parent),
    (purpose, typed): (&Purpose, Typed),
    (done, said): (Result<()>, &str),
) -> Result<Response> {
    let Err(error) = done else { return Ok(notice::lead(&owner.list(), said)) };
    let is_secret = typed.secret || matches!(purpose, Purpose::Edit(row) | Purpose::Override(row) if row.is_secret);
    let typed = if is_secret { Typed { value: String::new(), ..typed } } else { typed };
    let page = page_of(app, viewer, (owner, parent), purpose, &typed, &Problems::of(error)?).await?;
    Ok(reply::refused(app, viewer, &page))
}

/// What every change begins with: the scope, in which the viewer may change variables.
async fn begun(app: &App, viewer: &Viewer, scope: &str, id: Uuid) -> Result<(VariableOwner, Parent)> {
    let owner = VariableOwner::read(scope, id)?;
    Ok((owner, owner.load(app, viewer, Action::Manage).await?))
}

fn some(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[handler]
pub(super) async fn create(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((scope, id)): Path<(String, Uuid)>,
    form: Form,
) -> poem::Result<Response> {
    let (owner, parent) = begun(app, &viewer, &scope, id).await?;
    let typed = Typed::of_form(&form);
    let new = NewVariable {
        key: typed.key.clone(),
        value: typed.value.clone(),
        mount_path: some(&typed.path),
        description: some(&typed.description),
        interpolated: typed.interpolated.then_some(true),
        is_secret: typed.secret,
    };
    let done = variable::create(app, &viewer.requester(), &parent, new).await.map(drop);
    Ok(answer(app, &viewer, (owner, &parent), (&Purpose::New, typed), (done, "variable-created")).await?)
}

/// A variable of the scope itself.
async fn own(app: &App, parent: &Parent, id: Uuid) -> Result<Model> {
    let is_secret = target(app, parent, id).await?.is_secret;
    find_own(app, parent, id, is_secret).await
}

#[handler]
pub(super) async fn edit(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((scope, id, variable)): Path<(String, Uuid, Uuid)>,
    form: Form,
) -> poem::Result<Response> {
    let (owner, parent) = begun(app, &viewer, &scope, id).await?;
    let row = own(app, &parent, variable).await?;
    let typed = Typed::of_form(&form);
    let has_value = row.kind != VariableKind::Alias && !(row.is_secret && typed.keeps);
    let is_file = row.kind == VariableKind::File;
    let change = VariableEdit {
        key: if row.kind == VariableKind::Override { row.key.clone() } else { typed.key.clone() },
        value: has_value.then(|| typed.value.clone()),
        mount_path: if is_file { some(&typed.path) } else { None },
        description: Some(some(&typed.description)),
        interpolated: is_file.then_some(typed.interpolated.then_some(true)),
    };
    let done = variable::edit(app, &viewer.requester(), &parent, row.clone(), change).await.map(drop);
    let purpose = Purpose::Edit(Box::new(row));
    Ok(answer(app, &viewer, (owner, &parent), (&purpose, typed), (done, "variable-saved")).await?)
}

#[handler]
pub(super) async fn override_(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((scope, id, variable)): Path<(String, Uuid, Uuid)>,
    form: Form,
) -> poem::Result<Response> {
    let (owner, parent) = begun(app, &viewer, &scope, id).await?;
    let row = target(app, &parent, variable).await?;
    let typed = Typed::of_form(&form);
    let new = NewOverride { value: typed.value.clone(), description: some(&typed.description), interpolated: None };
    let done = variable::create_override(app, &viewer.requester(), &parent, row.clone(), new).await.map(drop);
    let purpose = Purpose::Override(Box::new(row));
    Ok(answer(app, &viewer, (owner, &parent), (&purpose, typed), (done, "variable-created")).await?)
}

#[handler]
pub(super) async fn alias(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((scope, id, variable)): Path<(String, Uuid, Uuid)>,
    form: Form,
) -> poem::Result<Response> {
    let (owner, parent) = begun(app, &viewer, &scope, id).await?;
    let row = target(app, &parent, variable).await?;
    let typed = Typed::of_form(&form);
    let new = NewAlias { key: typed.key.clone(), description: some(&typed.description), interpolated: None };
    let done = variable::create_alias(app, &viewer.requester(), &parent, row.clone(), new).await.map(drop);
    let purpose = Purpose::Alias(Box::new(row));
    Ok(answer(app, &viewer, (owner, &parent), (&purpose, typed), (done, "variable-created")).await?)
}

#[handler]
pub(super) async fn delete(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((scope, id, variable)): Path<(String, Uuid, Uuid)>,
    _form: Form,
) -> poem::Result<Response> {
    let (owner, parent) = begun(app, &viewer, &scope, id).await?;
    let row = own(app, &parent, variable).await?;
    variable::delete(app, &viewer.requester(), &parent, row).await?;
    Ok(notice::lead(&owner.list(), "variable-deleted"))
}
