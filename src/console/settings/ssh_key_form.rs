//! Creates, changes and deletes SSH keys. A private key is written, and never shown.

use entity::id::SshKeyId;
use entity::ssh_key::Model;
use maud::html;
use uuid::Uuid;

use super::setting_form::{Desk, SettingForm, changes};
use super::tabs::{Tab, settings};
use crate::access::{self, require_right};
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::widgets::{Field, choice};
use crate::console::workspace::action::author;
use crate::engine::settings::repository_login::{KEY_TYPES, WantedSshKey, delete_ssh_key, save_ssh_key};
use crate::error::Result;
use crate::secret::Secret;

changes!("terraform");

const FIELDS: &[&str] = &["name", "description", "sshType", "privateKey", "knownHosts"];

fn of_form(sent: &Form) -> WantedSshKey {
    WantedSshKey {
        name: sent.text("name").trim().to_owned(),
        description: sent.given("description").map(str::to_owned),
        ssh_type: sent.text("sshType").to_owned(),
        private_key: sent.given("privateKey").map(|_| Secret::new(sent.text("privateKey").to_owned())),
        known_hosts: sent.given("knownHosts").map(|_| sent.text("knownHosts").to_owned()),
    }
}

fn of_row(row: &Model) -> WantedSshKey {
    let Model { name, description, ssh_type, known_hosts, .. } = row.clone();
    WantedSshKey { name, description, ssh_type, private_key: None, known_hosts }
}

async fn form(desk: &Desk<'_>, row: Option<&Model>, sent: Option<&Form>, problems: &Problems) -> Result<SettingForm> {
    let id = desk.id;
    let empty = || WantedSshKey {
        name: String::new(),
        description: None,
        ssh_type: "ed25519".to_owned(),
        private_key: None,
        known_hosts: None,
    };
    let typed = sent.map_or_else(|| row.map_or_else(empty, of_row), of_form);
    let key = Field::text("privateKey", "Private key", "").secret();
    let key = match row {
        Some(_) => key.hint("Leave empty to keep the present one"),
        None => key.required().hint("In the format of OpenSSH, without a passphrase. Sealed, and never shown again"),
    };
    let kinds = KEY_TYPES.iter().map(|kind| ((*kind).to_owned(), *kind));
    let fields = html! {
        (Field::text("name", "Name", &typed.name).required().show(problems))
        (choice("sshType", "Type", kinds, &typed.ssh_type, problems))
        (key.area(problems))
        (Field::text("knownHosts", "Known hosts", typed.known_hosts.as_deref().unwrap_or_default())
            .hint("The hosts that the key is sent to, with their keys; empty for that of the first repository that it is used with").area(problems))
        (Field::text("description", "Description", typed.description.as_deref().unwrap_or_default()).show(problems))
    };
    let all = format!("/api/v1/organization/{id}/ssh");
    Ok(SettingForm {
        tab: Tab::Terraform,
        title: row.map_or_else(|| "New SSH key".into(), |row| format!("Change {}", row.name)),
        api: row.map_or_else(|| all.clone(), |row| format!("{all}/{}", row.id)),
        fields,
        names: FIELDS,
        delete: row.map(|row| (format!("{}/ssh-key/{}/delete", settings(id), row.id), format!("Delete {}?", row.name))),
        below: html! {},
    })
}

async fn may(desk: &Desk<'_>) -> Result<()> {
    require_right(access::workspace_rights(&desk.app.db, &desk.viewer.caller, desk.id).await?.logins)
}

async fn load(desk: &Desk<'_>, row: Uuid) -> Result<Model> {
    access::ssh_key(&desk.app.db, &desk.viewer.caller, (desk.id, SshKeyId(row))).await
}

async fn store(desk: &Desk<'_>, row: Option<Model>, sent: &Form) -> Result<()> {
    save_ssh_key(desk.app, author(&desk.viewer.caller), desk.id, row, of_form(sent)).await
}

async fn remove(desk: &Desk<'_>, row: Model) -> Result<()> {
    delete_ssh_key(desk.app, row).await
}
