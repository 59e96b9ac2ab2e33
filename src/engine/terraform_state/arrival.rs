//! Receives a state in pieces, with bounded memory. Sealing is done on a thread for blocking work.

use std::io::Error as IoError;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use entity::id::StateVersionId;
use entity::{state_listing, state_piece};
use futures_util::{Stream, StreamExt as _};
use tokio::sync::mpsc;

use super::sealed_piece::SealedPiece;
use super::state_pieces::{Refused, SealedPart, SealedState, seal};
use crate::app::App;
use crate::error::Error;
use crate::store;

/// How many received parts may wait to be sealed.
const WAITING: usize = 4;

/// Receives a state. The pieces of a large one are stored at once, and belong to a state version that does not exist yet.
///
/// # Errors
/// Why it was refused, or a failure to store a piece.
pub(super) async fn receive(
    app: &App,
    id: StateVersionId,
    parts: impl Stream<Item = Result<Bytes, IoError>>,
) -> Result<SealedState, Refused> {
    let (to, incoming) = mpsc::channel(WAITING);
    let (outgoing, mut sealed) = mpsc::channel::<SealedPart>(1);
    let keys = app.keys.clone();
    let work = tokio::task::spawn_blocking(move || seal(keys, id, incoming, outgoing));
    let feed = async move {
        let mut parts = std::pin::pin!(parts);
        while let Some(part) = parts.next().await {
            if to.send(part).await.is_err() {
                break;
            }
        }
    };
    let keep = async move {
        while let Some(part) = sealed.recv().await {
            let now = app.clock.now();
            let part = &part;
            store::write(&app.db, async |tx| match part {
                SealedPart::Piece(SealedPiece { number, sealed }) => {
                    let sealed = sealed.clone();
                    let row = state_piece::Model { state_version_id: id, number: *number, created_at: now, sealed };
                    store::row::create(tx, row).await.map(drop).map_err(Error::from)
                }
                SealedPart::Listing(part) => {
                    store::row::create(tx, listing_row(id, part, now)).await.map(drop).map_err(Error::from)
                }
            })
            .await?;
        }
        Ok::<_, Error>(())
    };
    let ((), kept) = tokio::join!(feed, keep);
    let done = work.await.map_err(|error| Refused::Failed(Error::internal(error)))?;
    kept.map_err(Refused::Failed)?;
    done
}

/// A part of the list of the resources of a state, as it is stored.
pub(super) fn listing_row(id: StateVersionId, part: &SealedPiece, now: DateTime<Utc>) -> state_listing::Model {
    let SealedPiece { number, sealed } = part;
    state_listing::Model { state_version_id: id, number: *number, created_at: now, sealed: sealed.clone() }
}

/// Removes the pieces of a state that was not stored. What this cannot remove expires.
pub(super) async fn discard(app: &App, id: StateVersionId) {
    let gone = store::write(&app.db, async |tx| {
        // It may be stored, although the answer of the database was lost.
        if store::workspace::state_line(tx, id.0).await?.is_some() {
            return Ok(0);
        }
        store::workspace::delete_listing(tx, id).await?;
        store::workspace::delete_pieces(tx, id).await.map_err(Error::from)
    })
    .await;
    if let Err(error) = gone {
        tracing::warn!(%error, state_version = %id, "the pieces of a refused state could not be deleted; they expire");
    }
}
