//! Stores a state that has arrived as the newest version of a workspace's state, unless it may not follow the one before it.

use entity::id::StateVersionId;
use entity::{state_version, workspace};
use uuid::Uuid;

use super::arrival::listing_row;
use super::state_head::StateHead;
use super::state_order::refusal;
use super::state_pieces::SealedState;
use crate::app::App;
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
    /// The version that has to be the newest one, if that matters.
    pub follows: Option<StateVersionId>,
    /// Whether it replaces one that is newer, or of another lineage.
    pub is_forced: bool,
    /// The MD5 sum that it must have, in hexadecimal digits.
    pub md5: Option<&'a str>,
    /// Whether whoever writes it may do so while the workspace is locked as it is.
    pub may_write: F,
}

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

/// Stores a state.
///
/// # Errors
/// Why it was not stored.
pub async fn store_version<F: Fn(&workspace::Model) -> bool + Copy>(
    app: &App,
    wanted: &NewVersion<'_, F>,
    (id, state): (StateVersionId, SealedState),
) -> Result<Stored, NotStored> {
    let NewVersion { workspace, by, job, upload, reason, follows, is_forced, md5: expected, may_write } = wanted;
    let SealedState { head: StateHead { serial, lineage, .. }, md5, sealed, pieces, listing, resources } = state;
    if let Some(expected) = expected.filter(|expected| *expected != md5) {
        return Err(NotStored::OtherContent { received: md5, expected: expected.to_owned() });
    }
    let serial = serial.ok_or(NotStored::NoSerial)?;
    stored_text::check_length("lineage", lineage.as_deref().unwrap_or_default(), STATE_TEXT)
        .map_err(NotStored::LongLineage)?;
    let now = app.clock.now();
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
    store::write(&app.db, async |tx| {
        if let Some(workspace) = store::workspace::lock(tx, workspace.id).await?
            && !may_write(&workspace)
        {
            return Err(NotStored::Locked);
        }
        if let Some(upload) = upload
            && store::workspace::state_of_upload(tx, workspace.id, *upload).await?.is_some()
        {
            return Ok(Stored::Already);
        }
        let newest = store::workspace::newest_state_mark(tx, workspace.id).await?;
        if follows.is_some() && newest.as_ref().map(|newest| newest.id) != *follows {
            return Err(NotStored::Overtaken);
        }
        if let Some(newest) = newest {
            if newest.md5 == row.md5 && upload.is_none() {
                return Ok(Stored::Already);
            }
            let stale = refusal((newest.serial, newest.lineage.as_deref()), (row.serial, row.lineage.as_deref()));
            if let Some(stale) = stale.filter(|_| !is_forced) {
                return Err(NotStored::OutOfOrder(stale));
            }
        }
        store::row::create(tx, row).await?;
        for part in &listing {
            store::row::create(tx, listing_row(id, part, now)).await?;
        }
        Ok(Stored::New(id))
    })
    .await
}
