//! Asks the repositories that deliver nothing for the commits of their branches. A new commit is a push like any other.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
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
/// How long the poll of a repository is reserved for a server: longer than its call of git takes.
pub const LEASE: TimeDelta = TimeDelta::minutes(2);
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

/// Takes the poll of a webhook, so that no other server makes it. It is due again when its lease ends, if this server does not get so far.
async fn claim(app: &App, id: WorkspaceWebhookId, now: DateTime<Utc>) -> Result<Option<workspace_webhook::Model>> {
    store::write(&app.db, async |tx| {
        let row = store::push::lock(tx, id).await?.filter(|row| row.next_poll_at.is_some_and(|at| at <= now));
        let Some(row) = row else { return Ok(None) };
        let row = workspace_webhook::Model { next_poll_at: Some(now + LEASE), ..row };
        store::row::update(tx, row).await.map(Some).map_err(Error::from)
    })
    .await
}

async fn one(app: &App, id: WorkspaceWebhookId, now: DateTime<Utc>) -> Result<()> {
    let Some(hook) = claim(app, id, now).await? else { return Ok(()) };
    let of = store::row::by_id::<workspace::Model>(&app.db, hook.workspace_id).await?;
    let Some(of) = of.filter(|of| !of.deleted) else {
        return take(app, (&hook, &hook.polled), None, Err("the workspace is gone".into())).await.map(drop);
    };
    let found = match git::login::of_workspace(app, &of).await? {
        Ok(repository) => git::heads(&repository).await,
        Err(reason) => Err(reason),
    };
    let heads = match found {
        Ok(heads) => heads,
        Err(reason) => {
            tracing::info!(webhook = %id, reason, "a repository could not be polled");
            return take(app, (&hook, &hook.polled), None, Err(reason)).await.map(drop);
        }
    };
    let events = store::push::events(&app.db, id).await?;
    let heads = followed(heads, &events, &of.branch);
    let mut known = hook.polled.clone();
    for heard in news(hook.polled.as_ref(), &heads, repository_path::of_url(&of.source)) {
        let mut next = known.clone().unwrap_or_default();
        next.0.extend(heard.branch.clone().zip(heard.commit.clone()));
        if !take(app, (&hook, &known), Some(&heard), Ok(next.clone())).await? {
            return Ok(());
        }
        known = Some(next);
    }
    app.wake.now();
    take(app, (&hook, &known), None, Ok(Heads(heads))).await.map(drop)
}

/// Handles what was heard of a branch, and remembers what is known now in the same transaction, so that a commit is handled once even if
/// this server is killed. The last time, nothing is heard, and the next poll is set. Returns false if another server has been faster: then
/// the repository is polled once more, since what either found may be older.
async fn take(
    app: &App,
    (hook, before): (&workspace_webhook::Model, &Option<Heads>),
    heard: Option<&Heard>,
    found: Result<Heads, String>,
) -> Result<bool> {
    let now = app.clock.now();
    store::write(&app.db, async |tx| {
        // In the order of locks.
        store::workspace::lock(tx, hook.workspace_id).await?;
        let Some(row) = store::push::lock(tx, hook.id).await? else { return Ok(false) };
        if row.polled != *before {
            let next_poll_at = row.poll_seconds.map(|_| now);
            store::row::update(tx, workspace_webhook::Model { next_poll_at, ..row }).await?;
            return Ok(false);
        }
        if let Some(heard) = heard {
            let (branch, commit) = (heard.branch.as_deref().unwrap_or_default(), heard.commit.as_deref());
            // A branch may come back to a commit that it had before.
            let name = format!("{branch} {} {}", commit.unwrap_or_default(), now.timestamp_micros());
            accept(app, tx, hook, heard, (&name, &name), now).await?;
        }
        // A push that was delivered meanwhile has set another time.
        let next_poll_at = match heard.is_none() && row.next_poll_at == hook.next_poll_at {
            true => row.poll_seconds.map(|seconds| next_poll(row.id, seconds, now)),
            false => row.next_poll_at,
        };
        let row = match found {
            Ok(heads) => workspace_webhook::Model { polled: Some(heads), poll_error: None, ..row },
            Err(reason) => workspace_webhook::Model { poll_error: Some(reason), ..row },
        };
        store::row::update(tx, workspace_webhook::Model { next_poll_at, ..row }).await?;
        Ok::<_, Error>(true)
    })
    .await
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
