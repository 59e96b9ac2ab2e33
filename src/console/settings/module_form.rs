//! Creates, changes, refreshes and deletes modules of the private registry.

use std::sync::Arc;

use entity::id::{OrganizationId, SshKeyId, TerraformModuleId, VcsId};
use entity::terraform_module::Model;
use maud::html;
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use super::setting_form::{Desk, SettingForm, changes, listed};
use super::tabs::{Tab, settings};
use crate::access::{self, require_right};
use crate::app::App;
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::viewer::Viewer;
use crate::console::widgets::{Field, choice};
use crate::console::workspace::action::author;
use crate::engine::private_registry::refresh;
use crate::engine::settings::module_settings::{WantedModule, delete_module, save_module};
use crate::error::{Error, Result};
use crate::store;

changes!("private-registry");

const FIELDS: &[&str] = &["name", "provider", "description", "source", "folder", "tagPrefix", "vcs", "ssh"];

fn wanted(sent: &Form) -> WantedModule {
    let text = |name: &str| sent.text(name).trim().to_owned();
    let filled = |name: &str| Some(text(name)).filter(|text| !text.is_empty());
    let id = |name: &str| Uuid::parse_str(sent.text(name)).ok();
    WantedModule {
        name: text("name"),
        provider: text("provider"),
        description: filled("description"),
        source: text("source"),
        folder: filled("folder"),
        tag_prefix: filled("tagPrefix"),
        vcs: id("vcs").map(VcsId),
        ssh: id("ssh").map(SshKeyId),
    }
}

/// What is stored, in the form in which it is typed.
fn typed(row: Option<&Model>) -> WantedModule {
    let text = |of: fn(&Model) -> &String| row.map(of).cloned().unwrap_or_default();
    WantedModule {
        name: text(|row| &row.name),
        provider: text(|row| &row.provider),
        description: row.and_then(|row| row.description.clone()),
        source: text(|row| &row.source),
        folder: row.and_then(|row| row.folder.clone()),
        tag_prefix: row.and_then(|row| row.tag_prefix.clone()),
        vcs: row.and_then(|row| row.vcs_id),
        ssh: row.and_then(|row| row.ssh_key_id),
    }
}

async fn form(desk: &Desk<'_>, row: Option<&Model>, sent: Option<&Form>, problems: &Problems) -> Result<SettingForm> {
    let (id, typed) = (desk.id, sent.map_or_else(|| typed(row), wanted));
    let logins = store::workspace::vcs_names(&desk.app.db, id).await?;
    let keys = store::workspace::ssh_key_names(&desk.app.db, id).await?;
    let none = || std::iter::once((String::new(), "none"));
    let logins = none().chain(logins.iter().map(|(id, name)| (id.to_string(), name.as_str())));
    let keys = none().chain(keys.iter().map(|(id, name)| (id.to_string(), name.as_str())));
    let chosen = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let (folder, prefix) = (optional(&typed.folder), optional(&typed.tag_prefix));
    let description = optional(&typed.description);
    let fields = html! {
        (Field::text("name", "Name", &typed.name).required().show(problems))
        (Field::text("provider", "System", &typed.provider).required().hint("What the module is for, such as aws").show(problems))
        (Field::text("source", "Repository", &typed.source).required().hint("Its tags, such as v1.2.3, are the versions").show(problems))
        (Field::text("folder", "Folder", &folder).hint("The folder of the module in the repository; empty for all of it").show(problems))
        (Field::text("tagPrefix", "Prefix of tags", &prefix).hint("If the repository has several modules, such as network/").show(problems))
        (choice("vcs", "Login", logins, &chosen(typed.vcs.map(|id| id.0)), problems))
        (choice("ssh", "SSH key", keys, &chosen(typed.ssh.map(|id| id.0)), problems))
        (Field::text("description", "Description", &description).show(problems))
    };
    let all = format!("/api/v1/organization/{id}/module");
    Ok(SettingForm {
        tab: Tab::PrivateRegistry,
        title: row.map_or_else(|| "New module".into(), |row| format!("Change {}", row.name)),
        api: row.map_or_else(|| all.clone(), |row| format!("{all}/{}", row.id)),
        fields,
        names: FIELDS,
        delete: row.map(|row| (format!("{}/module/{}/delete", settings(id), row.id), format!("Delete {}?", row.name))),
        below: html! {},
    })
}

async fn may(desk: &Desk<'_>) -> Result<()> {
    require_right(access::workspace_rights(&desk.app.db, &desk.viewer.caller, desk.id).await?.modules)
}

async fn load(desk: &Desk<'_>, row: Uuid) -> Result<Model> {
    access::registry_module(&desk.app.db, &desk.viewer.caller, (desk.id, TerraformModuleId(row))).await
}

async fn store(desk: &Desk<'_>, row: Option<Model>, sent: &Form) -> Result<()> {
    save_module(desk.app, author(&desk.viewer.caller), desk.id, row, wanted(sent)).await
}

async fn remove(desk: &Desk<'_>, row: Model) -> Result<()> {
    delete_module(desk.app, row).await
}

/// Reads the tags of a module now. Why they cannot be read is shown in the list.
#[handler]
pub(super) async fn refresh_now(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    path: Path<(Uuid, Uuid)>,
    _sent: Form,
) -> poem::Result<Response> {
    let desk = Desk::new(app, &viewer, path.0.0);
    let row = load(&desk, path.0.1).await?;
    let said = match refresh(app, row.id).await {
        Ok(Ok(())) => "refreshed",
        Ok(Err(_)) => "unreadable",
        Err(Error::NotFound(_)) => "deleted",
        Err(error) => return Err(error.into()),
    };
    Ok(listed(OrganizationId(path.0.0), "private-registry", said))
}
