//! Loads the login for a repository from its git token.

use entity::git_token;
use entity::job_spec::{GitProvider, GitRepository};

use super::invoke::Login;
use crate::app::App;
use crate::error::Result;
use crate::secret;
use crate::store;

/// The login for a repository; `None` if it names no git token or the token was deleted.
///
/// # Errors
/// Database errors, or if the token cannot be opened.
pub async fn of(app: &App, repository: &GitRepository) -> Result<Option<Login>> {
    let Some(id) = repository.git_token_id else { return Ok(None) };
    let Some(row) = store::row::by_id::<git_token::Model>(&app.db, id).await? else { return Ok(None) };
    let Some(sealed) = &row.token else { return Ok(None) };
    let token = app.keys.open_text(&secret::place("git_token", row.id.0), sealed)?;
    let username = match row.provider {
        GitProvider::Github => "x-access-token",
        GitProvider::Gitlab => "oauth2",
        GitProvider::Bitbucket => "x-token-auth",
    };
    Ok(Some(Login { username: username.into(), token }))
}
