//! Creates, changes and deletes VCS connections. Secrets are written, and never shown.

use entity::id::VcsId;
use entity::vcs::Model;
use maud::{Markup, html};
use uuid::Uuid;

use super::setting_form::{Desk, SettingForm, changes};
use super::tabs::{Tab, settings};
use crate::access::{self, require_right};
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::widgets::{Field, check, choice};
use crate::console::workspace::action::author;
use crate::engine::settings::repository_login::{
    CONNECTION_TYPES, SecretChange, VCS_TYPES, WantedVcs, delete_vcs, save_vcs,
};
use crate::error::Result;
use crate::secret::Secret;

changes!("terraform");

const FIELDS: &[&str] = &[
    "name",
    "description",
    "vcsType",
    "connectionType",
    "clientId",
    "clientSecret",
    "accessToken",
    "privateKey",
    "endpoint",
    "apiUrl",
    "redirectUrl",
];

fn type_words(kind: &str) -> &str {
    match kind {
        "PUBLIC" => "Public, without a login",
        "GITHUB" => "GitHub",
        "GITLAB" => "GitLab",
        "BITBUCKET" => "Bitbucket",
        "AZURE_DEVOPS" => "Azure DevOps",
        "AZURE_SP_MI" => "Azure DevOps with a service principal or a managed identity",
        other => other,
    }
}

/// What is typed into the form, without the secrets.
struct Typed {
    name: String,
    description: String,
    vcs_type: String,
    connection_type: String,
    client_id: String,
    endpoint: String,
    api_url: String,
    redirect_url: String,
}

impl Typed {
    fn of_form(sent: &Form) -> Self {
        let text = |name: &str| sent.text(name).trim().to_owned();
        Self {
            name: text("name"),
            description: text("description"),
            vcs_type: text("vcsType"),
            connection_type: text("connectionType"),
            client_id: text("clientId"),
            endpoint: text("endpoint"),
            api_url: text("apiUrl"),
            redirect_url: text("redirectUrl"),
        }
    }

    fn of_row(row: Option<&Model>) -> Self {
        let text = |of: fn(&Model) -> Option<&String>| row.and_then(of).cloned().unwrap_or_default();
        Self {
            name: text(|row| Some(&row.name)),
            description: text(|row| row.description.as_ref()),
            vcs_type: row.map_or_else(|| "GITHUB".to_owned(), |row| row.vcs_type.clone()),
            connection_type: row.map_or_else(|| "OAUTH".to_owned(), |row| row.connection_type.clone()),
            client_id: text(|row| row.client_id.as_ref()),
            endpoint: text(|row| row.endpoint.as_ref()),
            api_url: text(|row| row.api_url.as_ref()),
            redirect_url: text(|row| row.redirect_url.as_ref()),
        }
    }

    fn wanted(self, sent: &Form) -> WantedVcs {
        let filled = |text: String| Some(text).filter(|text| !text.is_empty());
        let secret = |name: &str| match sent.given(name) {
            Some(_) => SecretChange::Set(Secret::new(sent.text(name).to_owned())),
            None if sent.has(&format!("no-{name}")) => SecretChange::Remove,
            None => SecretChange::Keep,
        };
        WantedVcs {
            name: self.name,
            description: filled(self.description),
            vcs_type: self.vcs_type,
            connection_type: self.connection_type,
            client_id: filled(self.client_id),
            client_secret: secret("clientSecret"),
            access_token: secret("accessToken"),
            private_key: secret("privateKey"),
            endpoint: filled(self.endpoint),
            api_url: filled(self.api_url),
            redirect_url: filled(self.redirect_url),
        }
    }
}

/// Keeps what is stored as long as it is empty.
fn secret_hint(is_stored: bool) -> &'static str {
    if is_stored { "Leave empty to keep the present one" } else { "Sealed, and never shown again" }
}

fn clouds(row: Option<&Model>, typed: &Typed, problems: &Problems) -> Markup {
    let stored = |of: fn(&Model) -> bool| row.is_some_and(of);
    let (has_client, has_key) = (stored(|row| row.client_secret.is_some()), stored(|row| row.private_key.is_some()));
    let kinds = CONNECTION_TYPES.iter().map(|kind| {
        ((*kind).to_owned(), if *kind == "OAUTH" { "OAuth application" } else { "Application of its own" })
    });
    html! {
        details open[!typed.client_id.is_empty() || has_client || has_key] {
            summary { "Login as an application" }
            (choice("connectionType", "Kind of application", kinds, &typed.connection_type, problems))
            (Field::text("clientId", "Client ID", &typed.client_id).show(problems))
            (Field { kind: "password", ..Field::text("clientSecret", "Client secret", "") }.hint(secret_hint(has_client)).show(problems))
            @if has_client { p { (check("no-clientSecret", "Remove the client secret", false)) } }
            (Field::text("privateKey", "Private key", "").secret().hint(secret_hint(has_key)).area(problems))
            @if has_key { p { (check("no-privateKey", "Remove the private key", false)) } }
            (Field::text("redirectUrl", "Redirect URL", &typed.redirect_url).show(problems))
        }
    }
}

async fn form(desk: &Desk<'_>, row: Option<&Model>, sent: Option<&Form>, problems: &Problems) -> Result<SettingForm> {
    let (id, typed) = (desk.id, sent.map_or_else(|| Typed::of_row(row), Typed::of_form));
    let has_token = row.is_some_and(|row| row.access_token.is_some());
    let kinds = VCS_TYPES.iter().map(|kind| ((*kind).to_owned(), type_words(kind)));
    let fields = html! {
        (Field::text("name", "Name", &typed.name).required().show(problems))
        (choice("vcsType", "Type", kinds, &typed.vcs_type, problems))
        (Field { kind: "password", ..Field::text("accessToken", "Access token", "") }.hint(secret_hint(has_token)).show(problems))
        @if has_token { p { (check("no-accessToken", "Remove the access token", false)) } }
        (Field::text("endpoint", "Endpoint", &typed.endpoint).hint("The address of the host; empty for that of the type").show(problems))
        (Field::text("apiUrl", "API address", &typed.api_url).show(problems))
        (Field::text("description", "Description", &typed.description).show(problems))
        (clouds(row, &typed, problems))
    };
    let all = format!("/api/v1/organization/{id}/vcs");
    Ok(SettingForm {
        tab: Tab::Terraform,
        title: row.map_or_else(|| "New VCS connection".into(), |row| format!("Change {}", row.name)),
        api: row.map_or_else(|| all.clone(), |row| format!("{all}/{}", row.id)),
        fields,
        names: FIELDS,
        delete: row
            .map(|row| (format!("{}/vcs-connection/{}/delete", settings(id), row.id), format!("Delete {}?", row.name))),
        below: html! {},
    })
}

async fn may(desk: &Desk<'_>) -> Result<()> {
    require_right(access::workspace_rights(&desk.app.db, &desk.viewer.caller, desk.id).await?.logins)
}

async fn load(desk: &Desk<'_>, row: Uuid) -> Result<Model> {
    access::vcs(&desk.app.db, &desk.viewer.caller, (desk.id, VcsId(row))).await
}

async fn store(desk: &Desk<'_>, row: Option<Model>, sent: &Form) -> Result<()> {
    save_vcs(desk.app, author(&desk.viewer.caller), desk.id, row, Typed::of_form(sent).wanted(sent)).await
}

async fn remove(desk: &Desk<'_>, row: Model) -> Result<()> {
    delete_vcs(desk.app, row).await
}
