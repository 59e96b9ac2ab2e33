//! Creates, changes and deletes git logins. The token is written, and never shown.

use entity::git_token::Model;
use entity::id::GitTokenId;
use entity::job_spec::GitProvider;
use maud::html;
use sea_orm::ActiveEnum as _;
use uuid::Uuid;

use super::setting_form::{Desk, SettingForm, changes, chosen};
use super::tabs::{Tab, settings};
use crate::access::{self, Action};
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::widgets::{Field, choice};
use crate::engine::settings::git_token_settings::{self, WantedGitToken};
use crate::error::Result;

changes!("logins");

const FIELDS: &[&str] = &["name", "type", "token", "workspace", "git_api_url", "description"];

const PROVIDERS: [(GitProvider, &str); 3] =
    [(GitProvider::Github, "GitHub"), (GitProvider::Gitlab, "GitLab"), (GitProvider::Bitbucket, "Bitbucket")];

/// What is typed into the form, without the token.
struct Typed {
    name: String,
    provider: String,
    workspace: String,
    api_url: String,
    description: String,
}

impl Typed {
    fn of_form(form: &Form) -> Self {
        let text = |name: &str| form.text(name).trim().to_owned();
        Self {
            name: text("name"),
            provider: text("type"),
            workspace: text("workspace"),
            api_url: text("git_api_url"),
            description: text("description"),
        }
    }

    fn of_row(row: Option<&Model>) -> Self {
        let text = |of: fn(&Model) -> String| row.map(of).unwrap_or_default();
        Self {
            name: text(|row| row.name.clone()),
            provider: row.map_or(GitProvider::Github, |row| row.provider).to_value(),
            workspace: text(|row| row.workspace.clone().unwrap_or_default()),
            api_url: text(|row| row.api_url.clone()),
            description: text(|row| row.description.clone()),
        }
    }

    fn wanted(&self, form: &Form) -> Result<WantedGitToken> {
        Ok(WantedGitToken {
            name: self.name.clone(),
            description: Some(self.description.clone()),
            provider: chosen("type", &self.provider)?,
            token: form.text("token").trim().to_owned(),
            workspace: Some(self.workspace.clone()),
            api_url: Some(self.api_url.clone()),
        })
    }
}

async fn form(desk: &Desk<'_>, row: Option<&Model>, sent: Option<&Form>, problems: &Problems) -> Result<SettingForm> {
    let (id, typed) = (desk.id, sent.map_or_else(|| Typed::of_row(row), Typed::of_form));
    let mut secret = Field { kind: "password", ..Field::text("token", "Token", "") };
    secret = if row.is_some() { secret.hint("Leave empty to keep the present one") } else { secret.required() };
    let providers = PROVIDERS.iter().map(|(provider, words)| (provider.to_value(), *words));
    let fields = html! {
        (Field::text("name", "Name", &typed.name).required().show(problems))
        (choice("type", "Provider", providers, &typed.provider, problems))
        (secret.show(problems))
        (Field::text("workspace", "Workspace", &typed.workspace).hint("Only for Bitbucket").show(problems))
        (Field::text("git_api_url", "API address", &typed.api_url).hint("Empty for that of the provider").show(problems))
        (Field::text("description", "Description", &typed.description).show(problems))
    };
    let own = row.map(|row| row.id);
    Ok(SettingForm {
        tab: Tab::Logins,
        title: row.map_or_else(|| "New git login".into(), |row| format!("Change {}", row.name)),
        api: own
            .map_or_else(|| format!("/organization/{id}/gitToken"), |own| format!("/organization/{id}/gitToken/{own}")),
        fields,
        names: FIELDS,
        delete: row
            .map(|row| (format!("{}/git-login/{}/delete", settings(id), row.id), format!("Delete {}?", row.name))),
        below: html! {},
    })
}

async fn may(desk: &Desk<'_>) -> Result<()> {
    desk.require(Action::ManageSettings).await
}

async fn load(desk: &Desk<'_>, row: Uuid) -> Result<Model> {
    access::git_token(&desk.app.db, &desk.viewer.caller, Action::ManageSettings, desk.id, GitTokenId(row)).await
}

async fn store(desk: &Desk<'_>, row: Option<Model>, sent: &Form) -> Result<()> {
    let wanted = Typed::of_form(sent).wanted(sent)?;
    let by = desk.viewer.requester();
    match row {
        Some(row) => git_token_settings::edit(desk.app, &by, row, wanted).await.map(drop),
        None => git_token_settings::create(desk.app, &by, desk.id, wanted).await.map(drop),
    }
}

async fn remove(desk: &Desk<'_>, row: Model) -> Result<()> {
    git_token_settings::delete(desk.app, &desk.viewer.requester(), row).await
}
