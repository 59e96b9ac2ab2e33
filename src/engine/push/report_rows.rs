//! Which reports a pushed job makes: the status of its commit, and the comment of its pull request.

use chrono::{DateTime, Utc};
use entity::push_feedback::FeedbackKind;
use entity::{workspace, workspace_push};
use sea_orm::DatabaseTransaction;

use crate::error::Result;
use crate::store;

/// Has a new job reported, if the workspace has a connection whose token can be used.
pub(super) async fn report(
    tx: &DatabaseTransaction,
    of: &workspace::Model,
    (job, push): (i32, &workspace_push::Model),
    now: DateTime<Utc>,
) -> Result<()> {
    let Some(id) = of.vcs_id else { return Ok(()) };
    if store::workspace::vcs(tx, id).await?.is_none_or(|vcs| vcs.access_token.is_none()) {
        return Ok(());
    }
    if let Some(commit) = &push.commit_id {
        let subject = match push.pr_number {
            Some(_) => format!("plan {commit}"),
            None => format!("commit {commit}"),
        };
        store::push::report_on(tx, (FeedbackKind::Status, subject), push, job, now).await?;
    }
    if let Some(number) = push.pr_number {
        store::push::report_on(tx, (FeedbackKind::Comment, format!("pull request {number}")), push, job, now).await?;
    }
    Ok(())
}
