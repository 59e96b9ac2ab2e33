//! Creates, changes and deletes git tokens.

use entity::git_token::Model;
use entity::id::{GitTokenId, OrganizationId};
use entity::job_spec::GitProvider;
use serde_json::{Value, json};

use super::at;
use crate::app::App;
use crate::engine::audit::{self, Change};
use crate::engine::limits;
use crate::engine::requester::Requester;
use crate::error::{Error, Result};
use crate::secret;
use crate::secret::stored_binding::git_host;
use crate::store;

const IN_USE: &str = "jobs use this git token; switch them to another one first";

/// A git token as somebody wants it. No `Debug`: it contains the token.
#[derive(Clone)]
pub struct WantedGitToken {
    pub name: String,
    pub description: Option<String>,
    pub provider: GitProvider,
    /// An empty token keeps the stored one, unless it would belong to another host.
    pub token: String,
    pub workspace: Option<String>,
    pub api_url: Option<String>,
}

/// A git token as events record it: under the names of the official API, without the token.
fn recorded(row: &Model) -> Value {
    let mut recorded = json!({
        "id": row.id, "created_at": at(row.created_at), "updated_at": at(row.updated_at), "name": row.name,
        "description": row.description, "type": row.provider, "associated_services_count": 0, "git_api_url": row.api_url,
    });
    if let (Some(workspace), Some(fields)) = (&row.workspace, recorded.as_object_mut()) {
        fields.insert("workspace".into(), workspace.as_str().into());
    }
    recorded
}

fn change(kind: &'static str, row: &Model) -> Change {
    Change::new(kind, "ORGANIZATION", row.id.0, &row.name).part("GIT_TOKEN")
}

/// Creates a git token.
///
/// # Errors
/// `Invalid`, which names the field; database errors.
pub async fn create(app: &App, by: &Requester, id: OrganizationId, wanted: WantedGitToken) -> Result<Model> {
    let now = app.clock.now();
    let row = Model {
        id: GitTokenId::create(),
        organization_id: id,
        created_at: now,
        updated_at: now,
        name: String::new(),
        description: String::new(),
        provider: GitProvider::Github,
        workspace: None,
        api_url: String::new(),
        token: None,
        earlier_urls: None,
    };
    let row = apply(app, wanted, row)?;
    audit::write(app, by, id, async |tx| {
        let row = store::row::create(tx, row).await?;
        let change = change("CREATE", &row).after(&recorded(&row));
        Ok((row, change))
    })
    .await
}

/// Changes a git token.
///
/// # Errors
/// `Invalid`, which names the field; database errors.
pub async fn edit(app: &App, by: &Requester, row: Model, wanted: WantedGitToken) -> Result<Model> {
    let now = app.clock.now();
    audit::write(app, by, row.organization_id, async |tx| {
        let edit = |stored: Model| Ok(Model { updated_at: now, ..apply(app, wanted, stored)? });
        let changed = store::row::change(tx, row.id, edit, Error::from).await?;
        let (before, row) = changed.ok_or(Error::NotFound("git token"))?;
        let change = change("UPDATE", &row).before(&recorded(&before)).after(&recorded(&row));
        Ok((row, change))
    })
    .await
}

/// Deletes a git token.
///
/// # Errors
/// `Conflict` while jobs use it; database errors.
pub async fn delete(app: &App, by: &Requester, row: Model) -> Result<()> {
    audit::write(app, by, row.organization_id, async |tx| {
        store::row::delete::<Model>(tx, row.id).await.map_err(|error| Error::or_in_use(error, IN_USE))?;
        Ok(((), change("DELETE", &row).before(&recorded(&row))))
    })
    .await
}

fn apply(app: &App, wanted: WantedGitToken, row: Model) -> Result<Model> {
    let WantedGitToken { name, description, provider, token, workspace, api_url } = wanted;
    let workspace = workspace.filter(|text| !text.is_empty());
    if provider == GitProvider::Bitbucket && workspace.is_none() {
        return Err(Error::invalid("workspace", "is required for BITBUCKET"));
    }
    let api_url = match api_url.filter(|url| !url.is_empty()) {
        Some(url) => limits::web_address("git_api_url", &url)?,
        None if row.token.is_some() && row.provider == provider => row.api_url.clone(),
        None => default_api_url(provider).to_owned(),
    };
    let own = git_host(row.provider, &row.api_url);
    let moved = own != git_host(provider, &api_url);
    let sealed = match (token.is_empty(), &row.token) {
        (true, Some(_)) if moved => {
            let own = own.map(|own| own.to_string()).unwrap_or_default();
            return Err(Error::invalid(
                "token",
                format!("must be given again, because the stored one belongs to {own}"),
            ));
        }
        (true, Some(sealed)) => sealed.clone(),
        (true, None) => return Err(Error::invalid("token", "must not be empty")),
        (false, _) => {
            let token = limits::text("token", token)?;
            app.keys.seal(&secret::place("git_token", row.id.0), token.as_bytes())?
        }
    };
    Ok(Model {
        name: limits::name("name", &name)?,
        description: limits::text("description", description.unwrap_or(row.description))?,
        provider,
        workspace: workspace.map(|text| limits::name("workspace", &text)).transpose()?,
        api_url,
        token: Some(sealed),
        earlier_urls: row.earlier_urls.filter(|_| !moved),
        ..row
    })
}

/// The default API address of a provider; a request may set another one.
fn default_api_url(provider: GitProvider) -> &'static str {
    match provider {
        GitProvider::Bitbucket => "https://api.bitbucket.org",
        GitProvider::Github => "https://api.github.com",
        GitProvider::Gitlab => "https://gitlab.com/api/v4",
    }
}
