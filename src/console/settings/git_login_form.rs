//! Creates, changes and deletes git logins. The token is written, and never shown.

use std::sync::Arc;

use entity::git_token::Model;
use entity::id::{GitTokenId, OrganizationId};
use entity::job_spec::GitProvider;
use maud::html;
use poem::web::{Data, Path};
use poem::{Response, handler};
use sea_orm::ActiveEnum as _;
use uuid::Uuid;

use super::setting_form::{SettingForm, chosen};
use super::tabs::{Tab, settings};
use crate::access::{self, Action};
use crate::app::App;
use crate::console::form::Form;
use crate::console::notice;
use crate::console::problems::Problems;
use crate::console::viewer::Viewer;
use crate::console::widgets::{Field, choice};
use crate::engine::settings::git_token_settings::{self, WantedGitToken};
use crate::error::Result;

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

fn page(id: OrganizationId, row: Option<&Model>, typed: &Typed, problems: &Problems) -> SettingForm {
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
    SettingForm {
        tab: Tab::Logins,
        title: row.map_or_else(|| "New git login".into(), |row| format!("Change {}", row.name)),
        api: own
            .map_or_else(|| format!("/organization/{id}/gitToken"), |own| format!("/organization/{id}/gitToken/{own}")),
        fields,
        names: FIELDS,
        delete: row
            .map(|row| (format!("{}/git-login/{}/delete", settings(id), row.id), format!("Delete {}?", row.name))),
        below: html! {},
    }
}

#[handler]
pub(super) async fn new(Data(app): Data<&Arc<App>>, viewer: Viewer, Path(id): Path<Uuid>) -> poem::Result<Response> {
    let id = OrganizationId(id);
    access::organization(&app.db, &viewer.caller, Action::ManageSettings, id).await?;
    let none = Problems::default();
    Ok(page(id, None, &Typed::of_row(None), &none).reply(app, &viewer, id, None).await?)
}

#[handler]
pub(super) async fn create(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    access::organization(&app.db, &viewer.caller, Action::ManageSettings, id).await?;
    Ok(saved(app, &viewer, (id, None), &form).await?)
}

async fn load(app: &App, viewer: &Viewer, (id, row): (Uuid, Uuid)) -> Result<Model> {
    access::git_token(&app.db, &viewer.caller, Action::ManageSettings, OrganizationId(id), GitTokenId(row)).await
}

#[handler]
pub(super) async fn edit(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(path): Path<(Uuid, Uuid)>,
) -> poem::Result<Response> {
    let row = load(app, &viewer, path).await?;
    let id = row.organization_id;
    let none = Problems::default();
    Ok(page(id, Some(&row), &Typed::of_row(Some(&row)), &none).reply(app, &viewer, id, None).await?)
}

#[handler]
pub(super) async fn save(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(path): Path<(Uuid, Uuid)>,
    form: Form,
) -> poem::Result<Response> {
    let row = load(app, &viewer, path).await?;
    Ok(saved(app, &viewer, (row.organization_id, Some(row)), &form).await?)
}

async fn saved(
    app: &App,
    viewer: &Viewer,
    (id, row): (OrganizationId, Option<Model>),
    form: &Form,
) -> Result<Response> {
    let typed = Typed::of_form(form);
    let done = match (typed.wanted(form), row.clone()) {
        (Err(error), _) => Err(error),
        (Ok(wanted), Some(row)) => git_token_settings::edit(app, &viewer.requester(), row, wanted).await,
        (Ok(wanted), None) => git_token_settings::create(app, &viewer.requester(), id, wanted).await,
    };
    match done {
        Ok(_) => Ok(notice::lead(&format!("{}/logins", settings(id)), "saved")),
        Err(error) => {
            let problems = Problems::of(error)?;
            page(id, row.as_ref(), &typed, &problems).reply(app, viewer, id, Some(&problems)).await
        }
    }
}

#[handler]
pub(super) async fn delete(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(path): Path<(Uuid, Uuid)>,
    _form: Form,
) -> poem::Result<Response> {
    let row = load(app, &viewer, path).await?;
    let id = row.organization_id;
    git_token_settings::delete(app, &viewer.requester(), row).await?;
    Ok(notice::lead(&format!("{}/logins", settings(id)), "deleted"))
}
