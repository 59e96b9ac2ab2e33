//! States that people store: an earlier version again, and a file from elsewhere. Callers have checked that they may manage the state.

use std::io::Error as IoError;
use std::sync::Arc;

use bytes::Bytes;
use entity::id::StateVersionId;
use entity::{state_version, workspace};
use futures_util::{Stream, StreamExt as _};

use super::content::content;
use super::new_version::{NewVersion, NotStored, Stored, store_version};
use super::serial_rewrite::SerialRewrite;
use super::state_head::StateHead;
use super::state_pieces::Refused;
use crate::app::App;
use crate::engine::requester::Requester;
use crate::engine::workspace_event::kind;
use crate::error::Error;
use crate::store;

/// The longest reason, in characters.
pub const REASON: usize = 512;

/// The version of the format of states.
const FORMAT: i64 = 4;

/// Who stores a state.
pub struct StateWriter<'a, F> {
    pub workspace: &'a workspace::Model,
    /// The name that the version has of them.
    pub name: &'a str,
    pub by: &'a Requester,
    /// Whether they may write it while the workspace is locked as it is.
    pub may_write: F,
}

/// Why a state was not stored.
#[derive(Debug)]
pub enum NotChanged {
    Refused(Refused),
    NotStored(NotStored),
    Other(Error),
}

impl From<Refused> for NotChanged {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<NotStored> for NotChanged {
    fn from(refused: NotStored) -> Self {
        Self::NotStored(refused)
    }
}

impl From<Error> for NotChanged {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl From<sea_orm::DbErr> for NotChanged {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Other(error.into())
    }
}

fn invalid(reason: impl Into<String>) -> NotChanged {
    NotChanged::Refused(Refused::Invalid(reason.into()))
}

/// An earlier version that is to become the newest one again.
pub struct Rollback<'a> {
    pub to: state_version::Model,
    pub reason: &'a str,
}

fn checked(reason: &str) -> Result<&str, Error> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(Error::invalid("reason", "must say why; it is kept with the version"));
    }
    if reason.chars().count() > REASON {
        return Err(Error::invalid("reason", format!("must have at most {REASON} characters")));
    }
    Ok(reason)
}

/// Stores an earlier version again, with the serial after the newest one. No other version is changed or lost.
///
/// # Errors
/// Why it was not stored.
pub async fn rollback<F: Fn(&workspace::Model) -> bool + Copy>(
    app: &Arc<App>,
    of: StateWriter<'_, F>,
    wanted: Rollback<'_>,
) -> Result<StateVersionId, NotChanged> {
    let Rollback { to, reason } = wanted;
    let reason = checked(reason)?;
    let StateWriter { workspace, name, by, may_write } = of;
    // A large state is not read in vain.
    if !may_write(workspace) {
        return Err(NotChanged::NotStored(NotStored::Locked));
    }
    let newest = store::workspace::newest_state_mark(&app.db, workspace.id).await?;
    let newest = newest.ok_or_else(|| Error::Conflict("the workspace has no state".to_owned()))?;
    if newest.id == to.id {
        return Err(
            Error::Conflict(format!("the version with the serial {} is the newest one already", to.serial)).into()
        );
    }
    let named = |lineage: &Option<String>| lineage.clone().filter(|lineage| !lineage.is_empty());
    if let (Some(now), Some(then)) = (named(&newest.lineage), named(&to.lineage))
        && now != then
    {
        return Err(Error::Conflict(format!(
            "lineage: the newest state has the lineage {now}, and this version {then}, so that it belongs to other resources; \
             export it, and import it with force if it is meant to replace them"
        ))
        .into());
    }
    let reason = format!("rollback to the serial {}: {reason}", to.serial);
    let mut rewrite = SerialRewrite::new(newest.serial.saturating_add(1));
    let parts = content(app, to).await?.parts.map(move |part| part.map(|part| Bytes::from(rewrite.push(&part))));
    let version = NewVersion {
        workspace,
        by: name,
        job: None,
        upload: None,
        reason: Some(&reason),
        event: Some((by, kind::ROLL_BACK)),
        follows: Some(newest.id),
        is_forced: false,
        md5: None,
        may_write: &may_write,
    };
    let is_readable = |head: &StateHead| match head.is_encrypted {
        true => Err(invalid(
            "the tool has encrypted the state, so that its serial cannot be raised here; push it with the tool",
        )),
        false => Ok(()),
    };
    match store_version(app, &version, parts, is_readable).await? {
        Stored::New(id) => Ok(id),
        Stored::Already => Err(Error::Conflict("the newest state is the same already".to_owned()).into()),
    }
}

/// A file from elsewhere.
pub struct Import<'a> {
    /// The MD5 sum that it must have, in hexadecimal digits.
    pub md5: Option<&'a str>,
    /// Whether it replaces a state that is newer, or of another lineage.
    pub is_forced: bool,
    pub reason: Option<&'a str>,
}

/// Stores a state file as the newest version. None if it is the newest one already.
///
/// # Errors
/// Why it was not stored.
pub async fn import<F: Fn(&workspace::Model) -> bool + Copy>(
    app: &Arc<App>,
    of: StateWriter<'_, F>,
    wanted: Import<'_>,
    parts: impl Stream<Item = Result<Bytes, IoError>>,
) -> Result<Option<StateVersionId>, NotChanged> {
    let StateWriter { workspace, name, by, may_write } = of;
    if !may_write(workspace) {
        return Err(NotChanged::NotStored(NotStored::Locked));
    }
    let reason = wanted.reason.map(checked).transpose()?.map(|reason| format!("import: {reason}"));
    let version = NewVersion {
        workspace,
        by: name,
        job: None,
        upload: None,
        reason: Some(reason.as_deref().unwrap_or("import")),
        event: Some((by, kind::IMPORT)),
        follows: None,
        is_forced: wanted.is_forced,
        md5: wanted.md5,
        may_write: &may_write,
    };
    let is_state = |head: &StateHead| match head.version {
        _ if head.is_encrypted => Ok(()),
        Some(FORMAT) => Ok(()),
        Some(other) => {
            Err(invalid(format!("the file has the version {other} of the format of states, and only {FORMAT} is read")))
        }
        None => Err(invalid("the file is not a state: it has no version of a format")),
    };
    Ok(match store_version(app, &version, parts, is_state).await? {
        Stored::New(id) => Some(id),
        Stored::Already => None,
    })
}
