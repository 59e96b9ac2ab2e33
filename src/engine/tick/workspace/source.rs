//! The source of a workspace step: its repository, branch and commit, and the credentials to read it.

use entity::workspace;

use super::super::prepared::Impossible;
use super::subject::WorkspaceSubject;
use super::uploaded_source;
use crate::app::App;
use crate::error::Result;
use crate::git::{self, Checkout, SshKey};
use crate::runner::SourceTree;
use crate::runner::terraform::script::Operation;
use crate::secret::stored_binding::{of_ssh_key, ssh_host};
use crate::secret::{self, Destination, NotSent, permits};
use crate::store;

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
    let key = match key_of(app, row).await? {
        Ok(key) => key,
        Err(reason) => return refused("ssh key", &reason),
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

/// The SSH key of a workspace. It may be sent to the host of the source if it belongs there. A key that belongs to no host yet belongs
/// from now on to that of the first source that it is used with.
async fn key_of(app: &App, of: &workspace::Model) -> Result<Result<Option<SshKey>, NotSent>> {
    let Some(id) = of.ssh_key_id else { return Ok(Ok(None)) };
    let Some(mut row) = store::workspace::ssh_key(&app.db, id).await? else { return Ok(Ok(None)) };
    let Some(to) = ssh_host(&of.source) else { return Ok(Ok(None)) };
    let is_new = row.bound_urls.is_none() && row.known_hosts.is_none();
    if is_new && row.organization_id == of.organization_id {
        store::workspace::bind_ssh_key(&app.db, id, &of.source).await?;
        let Some(bound) = store::workspace::ssh_key(&app.db, id).await? else { return Ok(Ok(None)) };
        row = bound;
    }
    let url = to.to_string();
    if let Err(refused) = permits(&of_ssh_key(&row, Some(&to)), &Destination::new(of.organization_id, &url)) {
        return Ok(Err(refused));
    }
    let Some(sealed) = &row.private_key else { return Ok(Ok(None)) };
    let private = app.keys.open_text(&secret::place("ssh_key", row.id.0), sealed)?;
    Ok(Ok(Some(SshKey { private, known_hosts: row.known_hosts })))
}
