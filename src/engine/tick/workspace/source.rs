//! The source of a workspace step: its repository, branch and commit, and the credentials to read it.

use super::super::prepared::Impossible;
use super::subject::WorkspaceSubject;
use crate::app::App;
use crate::error::Result;
use crate::git::{Checkout, Login};
use crate::runner::SourceTree;
use crate::runner::terraform::script::Operation;
use crate::secret::{self, Secret};
use crate::store;

pub(super) async fn source_of(app: &App, of: &WorkspaceSubject) -> Result<Result<SourceTree, Impossible>> {
    let row = &of.workspace;
    let branch = of.job.override_branch.as_deref().filter(|branch| !branch.is_empty()).unwrap_or(&row.branch);
    let branch = branch.split(',').next().unwrap_or_default().trim();
    if row.source.is_empty() || row.source == "empty" {
        // Only scripts can run without a source.
        return Ok(if of.operation() == Operation::Scripts || of.rejected() {
            Ok(SourceTree::Empty)
        } else {
            Err(Impossible("the workspace has no source; set it to the URL of a repository".into()))
        });
    }
    let (login, key) = access(app, row.vcs_id, row.ssh_key_id).await?;
    let known = ["https://", "http://", "ssh://", "git@"].iter().any(|scheme| row.source.starts_with(scheme));
    let local = app.config.local_repositories && row.source.starts_with("file://");
    if !known && !local {
        let text = format!(
            "{} is not the URL of a repository: it must begin with https://, http://, ssh:// or git@",
            row.source
        );
        return Ok(Err(Impossible(text)));
    }
    Ok(Ok(SourceTree::Repository(Checkout {
        url: row.source.clone(),
        branch: (!branch.is_empty() && branch != "remote-content").then(|| branch.to_owned()),
        commit: of.job.commit_id.clone().filter(|commit| commit.len() == 40),
        submodules: true,
        login,
        key,
        local,
    })))
}

/// The credentials for reading a repository.
pub(super) async fn access(
    app: &App,
    vcs: Option<entity::id::VcsId>,
    key: Option<entity::id::SshKeyId>,
) -> Result<(Option<Login>, Option<Secret<String>>)> {
    let login = match vcs {
        Some(id) => match store::workspace::vcs(&app.db, id).await? {
            Some(row) => match &row.access_token {
                Some(sealed) => {
                    let token = app.keys.open_text(&secret::place("vcs", row.id.0), sealed)?;
                    let username = match row.vcs_type.as_str() {
                        "GITLAB" => "oauth2",
                        "BITBUCKET" => "x-token-auth",
                        "AZURE_DEVOPS" => "dummy",
                        _ => "x-access-token",
                    };
                    Some(Login { username: username.into(), token })
                }
                None => None,
            },
            None => None,
        },
        None => None,
    };
    let key = match key {
        Some(id) => match store::workspace::ssh_key(&app.db, id).await? {
            Some(row) => match &row.private_key {
                Some(sealed) => Some(app.keys.open_text(&secret::place("ssh_key", row.id.0), sealed)?),
                None => None,
            },
            None => None,
        },
        None => None,
    };
    Ok((login, key))
}
