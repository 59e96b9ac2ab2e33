//! Uploaded configurations of workspaces: received, and stored in sealed pieces.

use std::io::Error as IoError;
use std::pin::pin;

use bytes::Bytes;
use entity::configuration_piece;
use entity::configuration_version::{self, ConfigurationStatus};
use entity::id::ConfigurationVersionId;
use futures_util::{Stream, StreamExt as _};

use crate::app::App;
use crate::error::{Error, Result};
use crate::secret;
use crate::store;

/// The size limit of an uploaded archive, in bytes.
pub const MOST_BYTES: usize = 100 * 1024 * 1024;

/// The size of a piece, in bytes.
const PIECE_BYTES: usize = 256 * 1024;

/// How every archive that is compressed by gzip begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The place for which a piece is sealed.
pub(super) fn place_of(id: ConfigurationVersionId, number: i32) -> String {
    format!("{}/{number}", secret::place("configuration_piece", id.0))
}

/// Stores the files of a configuration. It has them only when all of them have arrived; an upload that breaks off can be repeated.
///
/// # Errors
/// `Conflict` if it has them already; `TooLarge`; `Invalid` if they are no archive; database errors.
pub async fn receive(
    app: &App,
    id: ConfigurationVersionId,
    parts: impl Stream<Item = Result<Bytes, IoError>>,
) -> Result<()> {
    let row = store::row::by_id::<configuration_version::Model>(&app.db, id).await?;
    let row = row.ok_or(Error::NotFound("configuration version"))?;
    if row.status == ConfigurationStatus::Uploaded {
        return Err(uploaded());
    }
    store::write(&app.db, async |tx| store::workspace::delete_configuration_pieces(tx, id).await.map_err(Error::from))
        .await?;
    let mut parts = pin!(parts);
    let (mut held, mut number, mut bytes) = (Vec::new(), 0, 0_usize);
    while let Some(part) = parts.next().await {
        let part = part.map_err(|_| Error::invalid("body", "was not received completely"))?;
        bytes += part.len();
        held.extend_from_slice(&part);
        if let Some(reason) = refusal(&held, bytes, number) {
            return refuse(app, id, reason).await;
        }
        while held.len() >= PIECE_BYTES {
            let rest = held.split_off(PIECE_BYTES);
            keep(app, id, number, std::mem::replace(&mut held, rest)).await?;
            number += 1;
        }
    }
    if bytes < GZIP.len() {
        return refuse(app, id, "must be an archive of the kind tar, compressed by gzip".into()).await;
    }
    if !held.is_empty() {
        keep(app, id, number, held).await?;
        number += 1;
    }
    let size = i64::try_from(bytes).map_err(Error::internal)?;
    let kept = store::write(&app.db, async |tx| {
        store::workspace::set_uploaded(tx, id, (size, number)).await.map_err(Error::from)
    });
    if kept.await? { Ok(()) } else { Err(uploaded()) }
}

fn uploaded() -> Error {
    Error::Conflict("the files of this configuration were uploaded before; create another configuration".into())
}

/// Why what has arrived so far cannot be taken.
fn refusal(held: &[u8], bytes: usize, number: i32) -> Option<String> {
    if bytes > MOST_BYTES {
        return Some(format!("must not be larger than {} MiB", MOST_BYTES / 1024 / 1024));
    }
    let begins = number > 0 || held.len() < GZIP.len() || held.starts_with(&GZIP);
    (!begins).then(|| "must be an archive of the kind tar, compressed by gzip".into())
}

async fn refuse(app: &App, id: ConfigurationVersionId, reason: String) -> Result<()> {
    store::write(&app.db, async |tx| {
        store::workspace::delete_configuration_pieces(tx, id).await?;
        store::workspace::set_refused(tx, id, &reason).await.map_err(Error::from)
    })
    .await?;
    Err(Error::invalid("body", reason))
}

async fn keep(app: &App, id: ConfigurationVersionId, number: i32, piece: Vec<u8>) -> Result<()> {
    let keys = app.keys.clone();
    let sealed = tokio::task::spawn_blocking(move || keys.seal(&place_of(id, number), &piece));
    let sealed = sealed.await.map_err(Error::internal)??;
    let row = &configuration_piece::Model { configuration_version_id: id, number, sealed };
    store::write(&app.db, async |tx| store::row::create(tx, row.clone()).await.map_err(Error::from)).await?;
    Ok(())
}
