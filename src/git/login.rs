//! Loads the login for a repository from its git token or its VCS connection.

use entity::git_token;
use entity::id::{OrganizationId, VcsId};
use entity::job_spec::{GitProvider, GitRepository};

use super::invoke::Login;
use crate::app::App;
use crate::error::Result;
use crate::secret::stored_binding::{of_git_token, of_vcs};
use crate::secret::{self, Binding, Destination, NotSent, Origin, permits};
use crate::store;

/// The login for a repository; `None` if it names no git token or the token was deleted.
///
/// # Errors
/// Database errors, or if the token cannot be opened. The inner error says why the token may not be sent to the repository.
pub async fn of_repository(
    app: &App,
    organization: OrganizationId,
    repository: &GitRepository,
) -> Result<Result<Option<Login>, NotSent>> {
    let Some(id) = repository.git_token_id else { return Ok(Ok(None)) };
    let Some(row) = store::row::by_id::<git_token::Model>(&app.db, id).await? else { return Ok(Ok(None)) };
    let binding = of_git_token(&row);
    if let Err(refused) = permits(&binding, &Destination::new(organization, &repository.url)) {
        return Ok(Err(refused));
    }
    let Some(sealed) = &row.token else { return Ok(Ok(None)) };
    let token = app.keys.open_text(&secret::place("git_token", row.id.0), sealed)?;
    let username = match row.provider {
        GitProvider::Github => "x-access-token",
        GitProvider::Gitlab => "oauth2",
        GitProvider::Bitbucket => "x-token-auth",
    };
    Ok(Ok(Some(Login { username: username.into(), token, origins: binding.origins })))
}

/// The login of a VCS connection for the repository of a workspace or of a template; `None` if it has no token or was deleted.
///
/// # Errors
/// Database errors, or if the token cannot be opened. The inner error says why the token may not be sent to the repository.
pub async fn of_connection(
    app: &App,
    organization: OrganizationId,
    id: VcsId,
    url: &str,
) -> Result<Result<Option<Login>, NotSent>> {
    let Some(row) = store::workspace::vcs(&app.db, id).await? else { return Ok(Ok(None)) };
    let binding = of_vcs(&row);
    if binding.organization != organization {
        return Ok(Err(NotSent::Organization));
    }
    let Some(sealed) = &row.access_token else { return Ok(Ok(None)) };
    if let Err(refused) = check(&binding, &Destination::new(organization, url)) {
        return Ok(Err(refused));
    }
    let token = app.keys.open_text(&secret::place("vcs", row.id.0), sealed)?;
    let username = match row.vcs_type.as_str() {
        "GITLAB" => "oauth2",
        "BITBUCKET" => "x-token-auth",
        "AZURE_DEVOPS" => "dummy",
        _ => "x-access-token",
    };
    Ok(Ok(Some(Login { username: username.into(), token, origins: binding.origins })))
}

/// A repository that is not read by HTTP gets no token, but its submodules may need one.
fn check(binding: &Binding, to: &Destination<'_>) -> Result<(), NotSent> {
    match Origin::of(to.url) {
        Some(origin) if !origin.is_web() => Ok(()),
        None if to.url.starts_with("file://") => Ok(()),
        _ => permits(binding, to),
    }
}
