//! The lock of a workspace, as people take it. It is that of its state, which steps and all other clients take as well; a workspace that
//! is blocked for new jobs counts as locked, too. Callers have checked that the requester may lock it.

use chrono::{DateTime, SecondsFormat, Utc};
use entity::id::{WorkspaceId, WorkspaceStepId};
use entity::workspace;
use sea_orm::DatabaseTransaction;
use serde_json::{Value, json};
use uuid::Uuid;

use super::requester::Requester;
use super::workspace_event::{self, By, Part, kind};
use super::{limits, lock_wait};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// The key of a lock under which it says who may release it.
const HOLDER: &str = "Holder";

/// Who locks a workspace.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'a> {
    /// The same for all credentials of a person.
    pub id: &'a str,
    /// As others read it.
    pub name: &'a str,
    /// The step that takes the lock while it runs, and its job; none for people.
    pub step: Option<(WorkspaceStepId, i32)>,
}

/// What became of a request.
#[derive(Debug)]
pub enum Outcome {
    Done(Box<workspace::Model>),
    /// The workspace is locked by a step of this job.
    HeldByJob(i32),
    /// The workspace is locked by somebody else; who it is, in words.
    HeldByOther(String),
    NotLocked,
}

/// Whether somebody holds the lock of a state.
#[must_use]
pub fn is_held_by(row: &workspace::Model, holder: &str) -> bool {
    row.state_lock.as_ref().and_then(|lock| lock.get(HOLDER)).and_then(Value::as_str) == Some(holder)
}

/// Why a workspace cannot be locked, or its state written by somebody without the lock; none if it is free.
async fn held(tx: &DatabaseTransaction, row: &workspace::Model) -> Result<Option<Outcome>> {
    if let Some(id) = row.state_lock_step
        && let Some(step) = store::row::by_id::<entity::workspace_step::Model>(tx, id).await?
    {
        return Ok(Some(Outcome::HeldByJob(step.job_id)));
    }
    Ok(row.state_lock.as_ref().map(|lock| Outcome::HeldByOther(lock_wait::waiting(lock))))
}

async fn locked_row(tx: &DatabaseTransaction, id: WorkspaceId) -> Result<workspace::Model> {
    let row = store::workspace::lock(tx, id).await?.filter(|row| !row.deleted);
    row.ok_or(Error::NotFound("workspace"))
}

/// Locks a workspace.
///
/// # Errors
/// `Invalid` if the reason is too long; database errors.
pub async fn lock(
    app: &App,
    id: WorkspaceId,
    (holder, by): (Holder<'_>, &Requester),
    reason: String,
    now: DateTime<Utc>,
) -> Result<Outcome> {
    let reason = limits::text("reason", reason)?;
    let lock = json!({
        "ID": Uuid::now_v7(),
        "Operation": reason,
        "Who": holder.name,
        "Created": now.to_rfc3339_opts(SecondsFormat::Secs, true),
        HOLDER: holder.id,
    });
    store::write(&app.db, async |tx| {
        if let Some((step, job)) = holder.step {
            return lock_for_step(tx, id, &lock, (step, job)).await;
        }
        let row = locked_row(tx, id).await?;
        if row.locked {
            let why = row.lock_description.as_deref().unwrap_or("no reason was given");
            return Ok(Outcome::HeldByOther(format!("the workspace is blocked for new jobs: {why}")));
        }
        if let Some(outcome) = held(tx, &row).await? {
            return Ok(outcome);
        }
        store::workspace::lock_state(tx, id, lock.clone(), None).await?;
        state_locked(tx, By { who: by, at: now }, &row, &lock).await?;
        Ok(Outcome::Done(Box::new(workspace::Model { state_lock: Some(lock.clone()), ..row })))
    })
    .await
}

/// Locks a workspace, also a blocked or a hidden one, for a step that runs. While somebody else holds the lock, its job says who: the tool
/// asks again until it has waited for long enough.
async fn lock_for_step(
    tx: &DatabaseTransaction,
    id: WorkspaceId,
    lock: &Value,
    (step, job): (WorkspaceStepId, i32),
) -> Result<Outcome> {
    let row = store::workspace::lock(tx, id).await?.ok_or(Error::NotFound("workspace"))?;
    if let Some(outcome) = held(tx, &row).await? {
        if let Some(held) = &row.state_lock {
            store::workspace::set_output(tx, job, &lock_wait::waiting(held)).await?;
        }
        return Ok(outcome);
    }
    store::workspace::lock_state(tx, id, lock.clone(), Some(step)).await?;
    store::workspace::clear_output(tx, job, lock_wait::WAITING).await?;
    Ok(Outcome::Done(Box::new(workspace::Model { state_lock: Some(lock.clone()), state_lock_step: Some(step), ..row })))
}

/// Releases a lock that the requester has taken.
///
/// # Errors
/// A database error.
pub async fn unlock(app: &App, id: WorkspaceId, (holder, by): (Holder<'_>, &Requester)) -> Result<Outcome> {
    let by = By { who: by, at: app.clock.now() };
    let outcome = store::write(&app.db, async |tx| {
        let row = match holder.step {
            Some(_) => store::workspace::lock(tx, id).await?.ok_or(Error::NotFound("workspace"))?,
            None => locked_row(tx, id).await?,
        };
        match held(tx, &row).await? {
            None if row.locked => Ok(Outcome::HeldByOther("the workspace is blocked for new jobs".to_owned())),
            None => Ok(Outcome::NotLocked),
            Some(_) if is_held_by(&row, holder.id) => {
                released(tx, row, holder.step.is_none().then_some((kind::UNLOCK, by))).await
            }
            Some(outcome) => Ok(outcome),
        }
    })
    .await?;
    // A job may wait for the lock.
    app.wake.now();
    Ok(outcome)
}

/// Releases a lock, whoever holds it.
///
/// # Errors
/// A database error.
pub async fn force_unlock(app: &App, id: WorkspaceId, by: &Requester) -> Result<Outcome> {
    let by = By { who: by, at: app.clock.now() };
    let outcome = store::write(&app.db, async |tx| {
        let row = locked_row(tx, id).await?;
        if row.state_lock.is_some() {
            return released(tx, row, Some((kind::FORCE_UNLOCK, by))).await;
        }
        Ok(if row.locked {
            Outcome::HeldByOther("the workspace is blocked for new jobs; unblock it in the console".to_owned())
        } else {
            Outcome::NotLocked
        })
    })
    .await?;
    app.wake.now();
    Ok(outcome)
}

/// Releases a lock, with an event unless that is the step that has taken it.
async fn released(
    tx: &DatabaseTransaction,
    row: workspace::Model,
    event: Option<(&'static str, By<'_>)>,
) -> Result<Outcome> {
    store::workspace::unlock_state(tx, row.id, None).await?;
    if let Some((kind, by)) = event {
        state_unlocked(tx, by, &row, kind).await?;
    }
    Ok(Outcome::Done(Box::new(workspace::Model { state_lock: None, state_lock_step: None, ..row })))
}

/// What a lock says about itself that everybody may know: its id is what releases it.
fn shown(lock: &Value) -> Value {
    let mut shown = serde_json::Map::new();
    for (name, key) in [("who", "Who"), ("operation", "Operation"), ("info", "Info")] {
        if let Some(text) = lock.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()) {
            shown.insert(name.to_owned(), text.into());
        }
    }
    Value::Object(shown)
}

/// Stores the event of a lock of a state that somebody has taken.
///
/// # Errors
/// A database error.
pub async fn state_locked(tx: &DatabaseTransaction, by: By<'_>, row: &workspace::Model, lock: &Value) -> Result<()> {
    workspace_event::part(tx, by, row, (kind::LOCK, Part::State), (None, Some(shown(lock)))).await
}

/// Stores the event of a lock of a state that somebody has released; `row` is the workspace before that.
///
/// # Errors
/// A database error.
pub async fn state_unlocked(
    tx: &DatabaseTransaction,
    by: By<'_>,
    row: &workspace::Model,
    kind: &'static str,
) -> Result<()> {
    let before = row.state_lock.as_ref().map(shown);
    workspace_event::part(tx, by, row, (kind, Part::State), (before, None)).await
}

/// Blocks a workspace for new jobs for a reason, which may be empty, or lets them start again.
///
/// # Errors
/// `NotFound` if the workspace is gone; database errors.
pub async fn set_blocked(app: &App, id: WorkspaceId, reason: Option<String>, by: &Requester) -> Result<()> {
    let now = app.clock.now();
    store::write(&app.db, async |tx| {
        let before = locked_row(tx, id).await?;
        let row = workspace::Model {
            locked: reason.is_some(),
            lock_description: reason.clone().filter(|text| !text.is_empty()),
            locked_by: reason.is_some().then(|| by.author().to_owned()),
            locked_at: reason.is_some().then_some(now),
            updated_at: now,
            updated_by: by.author().to_owned(),
            ..before.clone()
        };
        let row = store::row::update(tx, row).await?;
        workspace_event::saved(tx, By { who: by, at: now }, Some(&before), &row).await
    })
    .await?;
    app.wake.now();
    Ok(())
}
