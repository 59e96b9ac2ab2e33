//! The source of a workspace step: its repository, branch and commit, and the credentials to read it.

use super::super::prepared::Impossible;
use super::subject::WorkspaceSubject;
use super::uploaded_source;
use crate::app::App;
use crate::error::Result;
use crate::git::{self, Checkout};
use crate::runner::SourceTree;
use crate::runner::terraform::script::Operation;

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
    Ok(match git::login::of_workspace(app, row).await? {
        Ok(repository) => Ok(SourceTree::Repository(Checkout {
            branch: (!branch.is_empty() && branch != "remote-content").then(|| branch.to_owned()),
            commit: of.job.commit_id.clone().filter(|commit| !commit.is_empty()),
            ..repository
        })),
        Err(reason) => Err(Impossible(reason)),
    })
}
