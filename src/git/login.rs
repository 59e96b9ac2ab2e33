//! Loads the login for a repository from its git token or its VCS connection.

use entity::id::{OrganizationId, SshKeyId, VcsId};
use entity::job_spec::{GitProvider, GitRepository};
use entity::{git_token, workspace};

use super::checkout::Checkout;
use super::invoke::Login;
use super::ssh::SshKey;
use crate::app::App;
use crate::error::Result;
use crate::secret::stored_binding::{of_git_token, of_ssh_key, of_vcs, ssh_host};
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

/// The repository of a workspace with its login and its key, without a branch and a commit.
///
/// # Errors
/// Database errors, or if a credential cannot be opened. The inner error says why the repository cannot be read.
pub async fn of_workspace(app: &App, row: &workspace::Model) -> Result<Result<Checkout, String>> {
    let known = ["https://", "http://", "ssh://", "git@"].iter().any(|scheme| row.source.starts_with(scheme));
    let local = app.config.local_repositories && row.source.starts_with("file://");
    if !known && !local {
        return Ok(Err(format!(
            "{} is not the URL of a repository: it must begin with https://, http://, ssh:// or git@",
            row.source
        )));
    }
    let login = match row.vcs_id {
        Some(id) => match of_connection(app, row.organization_id, id, &row.source).await? {
            Ok(login) => login,
            Err(reason) => return Ok(Err(format!("the vcs of the workspace: {reason}"))),
        },
        None => None,
    };
    let key = match row.ssh_key_id {
        Some(id) => match of_key(app, row.organization_id, id, &row.source).await? {
            Ok(key) => key,
            Err(reason) => return Ok(Err(format!("the ssh key of the workspace: {reason}"))),
        },
        None => None,
    };
    let url = row.source.clone();
    Ok(Ok(Checkout { url, branch: None, commit: None, submodules: true, login, key, local }))
}

/// An SSH key for the repository of a workspace or of a module. It may be sent to the host of the repository if it belongs there. A key
/// that belongs to no host yet belongs from now on to that of the first repository that it is used with.
///
/// # Errors
/// Database errors, or if the key cannot be opened. The inner error says why the key may not be sent to the repository.
pub async fn of_key(
    app: &App,
    organization: OrganizationId,
    id: SshKeyId,
    source: &str,
) -> Result<Result<Option<SshKey>, NotSent>> {
    let Some(mut row) = store::workspace::ssh_key(&app.db, id).await? else { return Ok(Ok(None)) };
    let Some(to) = ssh_host(source) else { return Ok(Ok(None)) };
    let is_new = row.bound_urls.is_none() && row.known_hosts.is_none();
    if is_new && row.organization_id == organization {
        store::write_one(&app.db, async |db| store::workspace::bind_ssh_key(&db, id, source).await).await?;
        let Some(bound) = store::workspace::ssh_key(&app.db, id).await? else { return Ok(Ok(None)) };
        row = bound;
    }
    let url = to.to_string();
    if let Err(refused) = permits(&of_ssh_key(&row, Some(&to)), &Destination::new(organization, &url)) {
        return Ok(Err(refused));
    }
    let Some(sealed) = &row.private_key else { return Ok(Ok(None)) };
    let private = app.keys.open_text(&secret::place("ssh_key", row.id.0), sealed)?;
    Ok(Ok(Some(SshKey { private, known_hosts: row.known_hosts })))
}

/// A repository that is not read by HTTP gets no token, but its submodules may need one.
fn check(binding: &Binding, to: &Destination<'_>) -> Result<(), NotSent> {
    match Origin::of(to.url) {
        Some(origin) if !origin.is_web() => Ok(()),
        None if to.url.starts_with("file://") => Ok(()),
        _ => permits(binding, to),
    }
}
