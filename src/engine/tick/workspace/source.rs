//! The source of a workspace step: its repository, branch and commit, and the credentials to read it.

use super::super::prepared::Impossible;
use super::subject::WorkspaceSubject;
use super::uploaded_source;
use crate::app::App;
use crate::error::Result;
use crate::git::{self, Checkout};
use crate::runner::SourceTree;
use crate::runner::terraform::script::Operation;
use crate::secret::NotSent;

pub(super) async fn source_of(app: &App, of: &WorkspaceSubject) -> Result<Result<SourceTree, Impossible>> {
    if let Some(id) = of.job.configuration_version_id {
        return Ok(uploaded_source::load(app, id).await?.map(SourceTree::Upload).map_err(Impossible));
    }
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
    let known = ["https://", "http://", "ssh://", "git@"].iter().any(|scheme| row.source.starts_with(scheme));
    let local = app.config.local_repositories && row.source.starts_with("file://");
    if !known && !local {
        let text = format!(
            "{} is not the URL of a repository: it must begin with https://, http://, ssh:// or git@",
            row.source
        );
        return Ok(Err(Impossible(text)));
    }
    let refused = |kind: &str, reason: &NotSent| Ok(Err(Impossible(format!("the {kind} of the workspace: {reason}"))));
    let login = match row.vcs_id {
        Some(id) => match git::login::of_connection(app, row.organization_id, id, &row.source).await? {
            Ok(login) => login,
            Err(reason) => return refused("vcs", &reason),
        },
        None => None,
    };
    let key = match row.ssh_key_id {
        Some(id) => match git::login::of_key(app, row.organization_id, id, &row.source).await? {
            Ok(key) => key,
            Err(reason) => return refused("ssh key", &reason),
        },
        None => None,
    };
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
