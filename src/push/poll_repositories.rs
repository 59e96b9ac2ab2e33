//! Asks the repositories that deliver nothing for the commits of their branches. A new commit is a push like any other.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entity::id::WorkspaceWebhookId;
use entity::workspace_push::{PushEvent, PushProvider};
use entity::workspace_webhook::Heads;
use entity::{workspace, workspace_webhook, workspace_webhook_event};
use futures_util::StreamExt as _;

use crate::app::App;
use crate::engine::push::accept_push::accept;
use crate::engine::push::heard::{ChangedPaths, Heard};
use crate::engine::push::push_filter::is_followed;
use crate::engine::push::repository_path;
use crate::engine::push::webhook_setting::next_poll;
use crate::error::{Error, Result};
use crate::git;
use crate::liveness::passes::Pass;
use crate::store;

/// Repositories that are polled in one pass, and how many of them at the same time.
const BATCH: u64 = 32;
const AT_ONCE: usize = 4;
/// The most branches whose commits are remembered.
const BRANCHES: usize = 500;

/// Polls the repositories that are due. Returns their number.
///
/// # Errors
/// Database errors.
pub async fn poll(app: &App, now: DateTime<Utc>) -> Result<usize> {
    let due = store::push::list_due_polls(&app.db, now, BATCH).await?;
    let count = due.len();
    futures_util::stream::iter(due)
        .for_each_concurrent(AT_ONCE, async |id| {
            if let Err(error) = one(app, id, now).await {
                tracing::error!(webhook = %id, ?error, "a repository could not be polled; will retry");
                app.metrics.row_failed(Pass::Pushes.name());
            }
        })
        .await;
    Ok(count)
}

/// Takes the poll of a webhook, so that no other server makes it, and sets the time of the next one.
async fn claim(app: &App, id: WorkspaceWebhookId, now: DateTime<Utc>) -> Result<Option<workspace_webhook::Model>> {
    store::write(&app.db, async |tx| {
        let row = store::push::lock(tx, id).await?.filter(|row| row.next_poll_at.is_some_and(|at| at <= now));
        let Some(row) = row else { return Ok(None) };
        let next_poll_at = row.poll_seconds.map(|seconds| next_poll(row.id, seconds, now));
        let row = workspace_webhook::Model { next_poll_at, ..row };
        store::row::update(tx, row).await.map(Some).map_err(Error::from)
    })
    .await
}

async fn one(app: &App, id: WorkspaceWebhookId, now: DateTime<Utc>) -> Result<()> {
    let Some(hook) = claim(app, id, now).await? else { return Ok(()) };
    let of = store::row::by_id::<workspace::Model>(&app.db, hook.workspace_id).await?;
    let Some(of) = of.filter(|of| !of.deleted) else { return Ok(()) };
    let found = match git::login::of_workspace(app, &of).await? {
        Ok(repository) => git::heads(&repository).await,
        Err(reason) => Err(reason),
    };
    let heads = match found {
        Ok(heads) => heads,
        Err(reason) => {
            tracing::info!(webhook = %id, reason, "a repository could not be polled");
            return keep(app, id, Err(reason)).await;
        }
    };
    let events = store::push::events(&app.db, id).await?;
    let heads = followed(heads, &events, &of.branch);
    for heard in news(hook.polled.as_ref(), &heads, repository_path::of_url(&of.source)) {
        let now = app.clock.now();
        let (branch, commit) = (heard.branch.clone().unwrap_or_default(), heard.commit.clone().unwrap_or_default());
        // A branch may come back to a commit that it had before.
        let name = format!("{branch} {commit} {}", now.timestamp_micros());
        store::write(&app.db, async |tx| accept(app, tx, &hook, &heard, (&name, &name), now).await).await?;
    }
    app.wake.now();
    keep(app, id, Ok(Heads(heads))).await
}

async fn keep(app: &App, id: WorkspaceWebhookId, found: Result<Heads, String>) -> Result<()> {
    store::write(&app.db, async |tx| store::push::keep_polled(tx, id, found.clone()).await.map_err(Error::from)).await
}

/// The branches that the pushes of a webhook follow.
fn followed(
    heads: BTreeMap<String, String>,
    events: &[workspace_webhook_event::Model],
    own: &str,
) -> BTreeMap<String, String> {
    let pushes: Vec<_> = events.iter().filter(|event| event.event == "PUSH").collect();
    heads
        .into_iter()
        .filter(|(branch, _)| pushes.iter().any(|event| is_followed(event, branch, own)))
        .take(BRANCHES)
        .collect()
}

/// The branches with other commits than at the last poll. The first poll only remembers them.
fn news(before: Option<&Heads>, heads: &BTreeMap<String, String>, repository: Option<String>) -> Vec<Heard> {
    let Some(before) = before else { return Vec::new() };
    let changed = heads.iter().filter(|(branch, commit)| before.0.get(*branch) != Some(*commit));
    let heard = |(branch, commit): (&String, &String)| Heard {
        event: PushEvent::Push,
        ignored: None,
        repository: repository.clone(),
        branch: Some(branch.clone()),
        before: before.0.get(branch).cloned(),
        commit: Some(commit.clone()),
        paths: ChangedPaths::NotListed,
        ..Heard::nothing(PushProvider::Poll, "")
    };
    changed.map(heard).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_poll_only_remembers() {
        let heads = |all: &[(&str, &str)]| -> BTreeMap<String, String> {
            all.iter().map(|(branch, commit)| ((*branch).to_owned(), (*commit).to_owned())).collect()
        };
        let now = heads(&[("main", "b"), ("next", "c"), ("same", "d")]);
        assert_eq!(news(None, &now, None), Vec::new());
        let before = Heads(heads(&[("main", "a"), ("same", "d"), ("gone", "e")]));
        let found = news(Some(&before), &now, Some("acme/infra".into()));
        let told: Vec<_> = found.iter().map(|one| (one.branch.as_deref(), one.before.as_deref())).collect();
        assert_eq!(told, [(Some("main"), Some("a")), (Some("next"), None)]);
    }
}
