//! Reads from the repository which paths a push changes, if its provider does not list them, and decides about it.

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::WorkspacePushId;
use entity::workspace_push::{Model, PushEvent, PushOutcome};
use entity::{workspace, workspace_webhook};
use futures_util::StreamExt as _;

use crate::app::App;
use crate::engine::push::accept_push::decide_by;
use crate::engine::push::heard::{ChangedPaths, Heard};
use crate::error::{Error, Result};
use crate::git::{self, Checkout, Since};
use crate::liveness::passes::Pass;
use crate::store;

/// Pushes that are claimed at once, and how many of them are read at the same time.
const BATCH: u64 = 16;
const AT_ONCE: usize = 4;
/// How long a claimed push is reserved for this server: longer than all calls of git for one take.
const LEASE: TimeDelta = TimeDelta::minutes(10);
/// The pauses before each retry. After the last one, every path counts as changed.
const PAUSES: [TimeDelta; 3] = [TimeDelta::seconds(5), TimeDelta::seconds(30), TimeDelta::minutes(2)];

/// Reads the paths of the pushes that wait for that. Returns their number.
///
/// # Errors
/// Database errors.
pub async fn read_waiting(app: &App, now: DateTime<Utc>) -> Result<usize> {
    let due = store::write(&app.db, async |tx| {
        store::push::claim_waiting(tx, now, now + LEASE, BATCH).await.map_err(Error::from)
    })
    .await?;
    let count = due.len();
    futures_util::stream::iter(due)
        .for_each_concurrent(AT_ONCE, async |row| {
            let id = row.id;
            // The push is due again when its lease ends.
            if let Err(error) = one(app, row).await {
                tracing::error!(push = %id, ?error, "the changed paths of a push could not be read; will retry");
                app.metrics.row_failed(Pass::Pushes.name());
            }
        })
        .await;
    if count > 0 {
        app.wake.now();
    }
    Ok(count)
}

/// Stores what became of a push, unless another server has decided about it.
async fn keep(
    app: &App,
    id: WorkspacePushId,
    (outcome, reason): (PushOutcome, String),
    next_attempt_at: Option<DateTime<Utc>>,
) -> Result<()> {
    let now = app.clock.now();
    store::write(&app.db, async |tx| {
        // A delivery of the same content may take its digest at the same time.
        let edit = |stored: Model| {
            if stored.outcome != PushOutcome::Waiting {
                return Ok(stored);
            }
            Ok(Model { outcome, reason: Some(reason), next_attempt_at, updated_at: now, ..stored })
        };
        store::row::change(tx, id, edit, Error::from).await.map(drop)
    })
    .await
}

async fn one(app: &App, row: Model) -> Result<()> {
    let of = store::row::by_id::<workspace::Model>(&app.db, row.workspace_id).await?;
    let hook = store::push::by_id(&app.db, row.webhook_id).await?;
    let now = app.clock.now();
    let Some((of, hook)) = of.filter(|of| !of.deleted).zip(hook) else {
        return keep(app, row.id, (PushOutcome::Ignored, "the webhook was deleted".to_owned()), None).await;
    };
    let paths = match paths_of(app, &of, &row).await? {
        Ok(paths) => Some(paths),
        Err(reason) => {
            let pause = usize::try_from(row.attempts).ok().and_then(|place| PAUSES.get(place));
            if let Some(pause) = pause {
                let reason = format!("the changed paths cannot be read yet: {reason}");
                return keep(app, row.id, (PushOutcome::Waiting, reason), Some(now + *pause)).await;
            }
            tracing::warn!(push = %row.id, reason, "all paths of a push count as changed, because they cannot be read");
            None
        }
    };
    settle(app, (of, hook), row, paths).await
}

/// The changed paths. The inner error says why they cannot be read.
async fn paths_of(app: &App, of: &workspace::Model, row: &Model) -> Result<Result<Vec<String>, String>> {
    let since = match (row.event, &row.before_id, &row.base) {
        (PushEvent::PullRequest, _, Some(base)) => Since::Branch(base),
        (_, Some(before), _) => Since::Commit(before),
        // A new branch has no commit before it: it is compared with the branch of the workspace.
        (_, None, _) => Since::Branch(of.branch.split(',').next().unwrap_or_default().trim()),
    };
    let repository = match git::login::of_workspace(app, of).await? {
        Ok(repository) => repository,
        Err(reason) => return Ok(Err(reason)),
    };
    let repository = Checkout { branch: row.branch.clone(), ..repository };
    Ok(git::changed_paths(&repository, since, row.commit_id.as_deref().unwrap_or_default()).await)
}

async fn settle(
    app: &App,
    (of, hook): (workspace::Model, workspace_webhook::Model),
    row: Model,
    paths: Option<Vec<String>>,
) -> Result<()> {
    let now = app.clock.now();
    store::write(&app.db, async |tx| {
        let Some(of) = store::workspace::lock(tx, of.id).await?.filter(|of| !of.deleted) else { return Ok(()) };
        let Some(row) = store::row::by_id::<Model>(tx, row.id).await? else { return Ok(()) };
        if row.outcome != PushOutcome::Waiting {
            return Ok(());
        }
        let heard = heard_of(&row, paths.clone());
        let mut events = store::push::events(tx, hook.id).await?;
        if paths.is_none() {
            events.iter_mut().for_each(|event| event.path = None);
        }
        decide_by(app, tx, (&of, &hook), (row, &events), &heard, now).await.map(drop)
    })
    .await
}

fn heard_of(row: &Model, paths: Option<Vec<String>>) -> Heard {
    Heard {
        event: row.event,
        ignored: None,
        repository: row.repository.clone(),
        branch: row.branch.clone(),
        base: row.base.clone(),
        before: row.before_id.clone(),
        commit: row.commit_id.clone(),
        pr_number: row.pr_number,
        title: row.title.clone(),
        author: row.author.clone(),
        paths: paths.map_or(ChangedPaths::NotListed, ChangedPaths::Known),
        ..Heard::nothing(row.provider, "")
    }
}
