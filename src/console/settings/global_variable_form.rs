//! Creates, changes and deletes variables of all workspaces. Sensitive values are written, and never shown.

use entity::id::TerraformVariableId;
use entity::terraform_variable::Model;
use maud::html;
use uuid::Uuid;

use super::setting_form::{Desk, SettingForm, changes};
use super::tabs::{Tab, settings};
use crate::access::{self, require_right};
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::workspace::variable_fields::{FIELDS, Typed};
use crate::engine::workspace_setting::{delete_variable, save_variable};
use crate::error::Result;

changes!("terraform");

async fn form(desk: &Desk<'_>, row: Option<&Model>, sent: Option<&Form>, problems: &Problems) -> Result<SettingForm> {
    let id = desk.id;
    let typed = sent.map_or_else(|| Typed::of_row(row), Typed::of_form);
    let all = format!("/api/v1/organization/{id}/globalvar");
    Ok(SettingForm {
        tab: Tab::Terraform,
        title: row.map_or_else(|| "New variable of all workspaces".into(), |row| format!("Change {}", row.key)),
        api: row.map_or_else(|| all.clone(), |row| format!("{all}/{}", row.id)),
        fields: typed.show(row, problems),
        names: FIELDS,
        delete: row.map(|row| {
            let question = format!("Delete {}? No workspace gets it any more.", row.key);
            (format!("{}/global-variable/{}/delete", settings(id), row.id), question)
        }),
        below: html! {},
    })
}

async fn may(desk: &Desk<'_>) -> Result<()> {
    require_right(access::workspace_rights(&desk.app.db, &desk.viewer.caller, desk.id).await?.workspaces)
}

async fn load(desk: &Desk<'_>, row: Uuid) -> Result<Model> {
    access::global_variable(&desk.app.db, &desk.viewer.caller, (desk.id, TerraformVariableId(row))).await
}

async fn store(desk: &Desk<'_>, row: Option<Model>, sent: &Form) -> Result<()> {
    let wanted = Typed::of_form(sent).wanted(row.as_ref());
    let old = row.map(|row| row.id);
    save_variable(desk.app, &desk.viewer.requester(), (desk.id, None), old, |_| wanted.clone()).await.map(drop)
}

async fn remove(desk: &Desk<'_>, row: Model) -> Result<()> {
    delete_variable(desk.app, &desk.viewer.requester(), &row).await
}
