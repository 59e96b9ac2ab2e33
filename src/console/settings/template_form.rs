//! Creates, changes and deletes templates of workspace jobs.

use entity::id::TemplateId;
use entity::template::Model;
use maud::html;
use uuid::Uuid;

use super::setting_form::{Desk, SettingForm, changes};
use super::tabs::{Tab, settings};
use crate::access::{self, require_right};
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::widgets::Field;
use crate::console::workspace::action::author;
use crate::engine::settings::template_settings::{self, WantedTemplate, flow_text};
use crate::error::{Error, Result};
use crate::store as rows;

changes!("terraform");

const FIELDS: &[&str] = &["name", "description", "version", "tcl"];

/// What a new template begins with.
const FIRST: &str = "flow:\n- type: terraformPlan\n  name: Plan\n  step: 100\n";

fn of_form(sent: &Form) -> WantedTemplate {
    let given = |name: &str| sent.given(name).map(str::to_owned);
    WantedTemplate {
        name: sent.text("name").trim().to_owned(),
        description: given("description"),
        version: given("version"),
        flow: sent.text("tcl").to_owned(),
    }
}

fn of_row(row: &Model) -> WantedTemplate {
    let Model { name, description, version, .. } = row.clone();
    WantedTemplate { name, description, version, flow: flow_text(row) }
}

async fn form(desk: &Desk<'_>, row: Option<&Model>, sent: Option<&Form>, problems: &Problems) -> Result<SettingForm> {
    let id = desk.id;
    let empty = || WantedTemplate { name: String::new(), description: None, version: None, flow: FIRST.to_owned() };
    let typed = sent.map_or_else(|| row.map_or_else(empty, of_row), of_form);
    let fields = html! {
        (Field::text("name", "Name", &typed.name).required().show(problems))
        (Field::text("tcl", "Flow", &typed.flow).required().hint("YAML: the steps of a job, in the order of their numbers").area(problems))
        (Field::text("version", "Version", typed.version.as_deref().unwrap_or_default()).show(problems))
        (Field::text("description", "Description", typed.description.as_deref().unwrap_or_default()).show(problems))
    };
    let all = format!("/api/v1/organization/{id}/template");
    Ok(SettingForm {
        tab: Tab::Terraform,
        title: row.map_or_else(|| "New template".into(), |row| format!("Change {}", row.name)),
        api: row.map_or_else(|| all.clone(), |row| format!("{all}/{}", row.id)),
        fields,
        names: FIELDS,
        delete: row.map(|row| {
            let question = format!("Delete {}? Schedules that use it fail from then on.", row.name);
            (format!("{}/template/{}/delete", settings(id), row.id), question)
        }),
        below: html! {},
    })
}

async fn may(desk: &Desk<'_>) -> Result<()> {
    require_right(access::workspace_rights(&desk.app.db, &desk.viewer.caller, desk.id).await?.templates)
}

async fn load(desk: &Desk<'_>, row: Uuid) -> Result<Model> {
    access::template(&desk.app.db, &desk.viewer.caller, (desk.id, TemplateId(row))).await
}

async fn store(desk: &Desk<'_>, row: Option<Model>, sent: &Form) -> Result<()> {
    template_settings::save(desk.app, author(&desk.viewer.caller), desk.id, row, of_form(sent)).await
}

async fn remove(desk: &Desk<'_>, row: Model) -> Result<()> {
    rows::write(&desk.app.db, async |tx| rows::row::delete::<Model>(tx, row.id).await.map(drop).map_err(Error::from))
        .await
}
