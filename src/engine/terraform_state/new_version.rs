//! Receives a state, and stores it as the newest version of a workspace's state, unless it may not follow the one before it.
//!
//! The newest version is the one with the last id. A state is sealed for its id while it arrives, so if another version has got a later
//! one by then, from a shorter upload or from a server whose clock is ahead, it is sealed again for an id after that.

use std::io::Error as IoError;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use entity::id::StateVersionId;
use entity::{state_version, workspace};
use futures_util::Stream;
use serde_json::json;
use uuid::Uuid;

use super::arrival::{discard, listing_row, receive};
use super::content::content;
use super::sealed_piece::SealedPiece;
use super::state_head::StateHead;
use super::state_order::refusal;
use super::state_pieces::{Refused, SealedState};
use crate::app::App;
use crate::engine::requester::Requester;
use crate::engine::workspace_event::{self, By, Part};
use crate::error::Error;
use crate::input::Refusal;
use crate::input::bounds::STATE_TEXT;
use crate::input::stored_text;
use crate::store;
use crate::store::{MayPass, Transient};

/// A state that is to be stored.
pub struct NewVersion<'a, F> {
    pub workspace: &'a workspace::Model,
    /// The name of whoever writes it.
    pub by: &'a str,
    /// The job that writes it.
    pub job: Option<i32>,
    /// The upload that it came with, which is stored once.
    pub upload: Option<Uuid>,
    /// Why it is stored, for a rollback and an import.
    pub reason: Option<&'a str>,
    /// What somebody does with that, and who; none for a step.
    pub event: Option<(&'a Requester, &'static str)>,
    /// The version that has to be the newest one, if that matters.
    pub follows: Option<StateVersionId>,
    /// Whether it replaces one that is newer, or of another lineage.
    pub is_forced: bool,
    /// The MD5 sum that it must have, in hexadecimal digits.
    pub md5: Option<&'a str>,
    /// Whether whoever writes it may do so while the workspace is locked as it is.
    pub may_write: F,
}

/// How often a state is sealed again because others were stored meanwhile.
const MOVES: usize = 3;

/// What a client reads whose state was overtaken.
pub const OVERTAKEN: &str = "another version of the state was stored meanwhile; look at it, and try again";

/// What became of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// As this version.
    New(StateVersionId),
    /// Not at all: it is the newest one already, or this upload was stored before.
    Already,
}

/// Why a state was not stored.
#[derive(Debug)]
pub enum NotStored {
    /// Another client holds the lock.
    Locked,
    /// It is not what was announced: its MD5 sum.
    OtherContent {
        received: String,
        expected: String,
    },
    NoSerial,
    LongLineage(Refusal),
    /// Why it may not follow the newest one.
    OutOfOrder(String),
    /// Another version was stored meanwhile.
    Overtaken,
    Failed(Error),
}

impl From<Error> for NotStored {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<sea_orm::DbErr> for NotStored {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Failed(error.into())
    }
}

impl MayPass for NotStored {
    fn transient(&self) -> Option<Transient> {
        if let Self::Failed(error) = self { error.transient() } else { None }
    }
}

/// Receives a state and stores it, if `check` accepts what it says about itself. It leaves nothing behind if it is not stored.
///
/// # Errors
/// Why it was not stored.
pub async fn store_version<F, E>(
    app: &Arc<App>,
    wanted: &NewVersion<'_, F>,
    parts: impl Stream<Item = Result<Bytes, IoError>>,
    check: impl Fn(&StateHead) -> Result<(), E>,
) -> Result<Stored, E>
where
    F: Fn(&workspace::Model) -> bool + Copy,
    E: From<Refused> + From<NotStored>,
{
    let mut id = StateVersionId::create();
    let mut placed = match receive(app, id, parts).await {
        Ok(state) => match check(&state.head) {
            Ok(()) => place(app, wanted, (id, state)).await.map_err(E::from),
            Err(refused) => Err(refused),
        },
        Err(refused) => Err(refused.into()),
    };
    for _ in 0..MOVES {
        let (row, newest) = match placed {
            Ok(Placed::Behind { row, newest }) => (row, newest),
            other => {
                placed = other;
                break;
            }
        };
        let later = StateVersionId::create_after(newest);
        let again = sealed_again(app, *row, later).await;
        discard(app, id).await;
        id = later;
        placed = match again {
            Ok(state) => place(app, wanted, (id, state)).await.map_err(E::from),
            Err(refused) => Err(refused.into()),
        };
    }
    let stored = match placed {
        Ok(Placed::As(stored)) => Ok(stored),
        Ok(Placed::Behind { .. }) => Err(NotStored::Overtaken.into()),
        Err(refused) => Err(refused),
    };
    if !matches!(stored, Ok(Stored::New(_))) {
        discard(app, id).await;
    }
    stored
}

/// A state that was received under one id, sealed for another one.
async fn sealed_again(app: &Arc<App>, row: state_version::Model, id: StateVersionId) -> Result<SealedState, Refused> {
    let parts = content(app, row).await.map_err(Refused::Failed)?.parts;
    receive(app, id, parts).await
}

/// Where a state was stored.
enum Placed {
    As(Stored),
    /// Nowhere yet: its id does not come after that of the newest version.
    Behind {
        row: Box<state_version::Model>,
        newest: StateVersionId,
    },
}

/// The row of a state that has arrived, and the parts of its list that are not stored yet.
fn row_of<F>(
    wanted: &NewVersion<'_, F>,
    (id, state): (StateVersionId, SealedState),
    now: DateTime<Utc>,
) -> Result<(state_version::Model, Vec<SealedPiece>), NotStored> {
    let NewVersion { workspace, by, job, upload, reason, md5: expected, .. } = wanted;
    let SealedState { head: StateHead { serial, lineage, .. }, md5, sealed, pieces, listing, resources } = state;
    if let Some(expected) = expected.filter(|expected| *expected != md5) {
        return Err(NotStored::OtherContent { received: md5, expected: expected.to_owned() });
    }
    let serial = serial.ok_or(NotStored::NoSerial)?;
    stored_text::check_length("lineage", lineage.as_deref().unwrap_or_default(), STATE_TEXT)
        .map_err(NotStored::LongLineage)?;
    let row = state_version::Model {
        id,
        organization_id: workspace.organization_id,
        workspace_id: workspace.id,
        created_at: now,
        updated_at: now,
        created_by: (*by).to_owned(),
        updated_by: (*by).to_owned(),
        job_id: *job,
        serial,
        lineage,
        md5,
        sealed,
        pieces,
        upload_id: *upload,
        reason: reason.map(str::to_owned),
        resources,
    };
    Ok((row, listing))
}

/// Stores a state that has arrived, if its id comes after that of the newest version.
async fn place<F: Fn(&workspace::Model) -> bool + Copy>(
    app: &App,
    wanted: &NewVersion<'_, F>,
    state: (StateVersionId, SealedState),
) -> Result<Placed, NotStored> {
    let NewVersion { workspace, upload, event, follows, is_forced, may_write, .. } = wanted;
    let now = app.clock.now();
    let (row, listing) = row_of(wanted, state, now)?;
    let placed = store::write(&app.db, async |tx| {
        if let Some(workspace) = store::workspace::lock(tx, workspace.id).await?
            && !may_write(&workspace)
        {
            return Err(NotStored::Locked);
        }
        if let Some(upload) = upload
            && store::workspace::state_of_upload(tx, workspace.id, *upload).await?.is_some()
        {
            return Ok(Ok(Stored::Already));
        }
        let newest = store::workspace::newest_state_mark(tx, workspace.id).await?;
        if follows.is_some() && newest.as_ref().map(|newest| newest.id) != *follows {
            return Err(NotStored::Overtaken);
        }
        let mut at = now;
        if let Some(newest) = newest {
            if newest.md5 == row.md5 && upload.is_none() {
                return Ok(Ok(Stored::Already));
            }
            let stale = refusal((newest.serial, newest.lineage.as_deref()), (row.serial, row.lineage.as_deref()));
            if let Some(stale) = stale.filter(|_| !is_forced) {
                return Err(NotStored::OutOfOrder(stale));
            }
            if newest.id >= row.id {
                return Ok(Err(newest.id));
            }
            // Programs sort versions by their times, too.
            if at < newest.created_at {
                at = newest.created_at + TimeDelta::microseconds(1);
            }
        }
        let new = state_version::Model { created_at: at, updated_at: at, ..row.clone() };
        store::row::create(tx, new).await?;
        for part in &listing {
            store::row::create(tx, listing_row(row.id, part, now)).await?;
        }
        if let Some((who, kind)) = event {
            let after = json!({"serial": row.serial, "job": row.job_id, "reason": row.reason});
            let (by, values) = (By { who, at: now }, (None, Some(after)));
            workspace_event::part(tx, by, workspace, (*kind, Part::State), values).await?;
        }
        Ok(Ok(Stored::New(row.id)))
    })
    .await?;
    Ok(match placed {
        Ok(stored) => Placed::As(stored),
        Err(newest) => Placed::Behind { row: Box::new(row), newest },
    })
}
