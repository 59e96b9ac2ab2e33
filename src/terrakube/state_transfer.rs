//! Receives and sends states in pieces, with bounded memory. Sealing and opening is done on threads for blocking work.

use std::io::Error as IoError;
use std::sync::Arc;

use bytes::Bytes;
use entity::id::StateVersionId;
use entity::{state_piece, state_version};
use futures_util::{StreamExt as _, stream};
use poem::http::StatusCode;
use poem::{Body, Response};
use tokio::sync::mpsc;

use super::error::{Problem, Result};
use super::state_pieces::{
    Extent, MOST_BYTES, Refused, SealedPiece, SealedState, open_extent, open_piece, open_whole, seal,
};
use crate::app::App;
use crate::error::Error;
use crate::store;

/// How many received parts may wait to be sealed.
const WAITING: usize = 4;

/// The largest state that is converted to another format, which needs all of it at once.
const MOST_SHOWN_BYTES: u64 = 8 * 1024 * 1024;

/// Receives a state. The pieces of a large one are stored at once, and belong to a state version that does not exist yet.
pub(super) async fn receive(app: &App, id: StateVersionId, body: Body) -> Result<SealedState> {
    let (to, incoming) = mpsc::channel(WAITING);
    let (outgoing, mut sealed) = mpsc::channel::<SealedPiece>(1);
    let keys = app.keys.clone();
    let work = tokio::task::spawn_blocking(move || seal(keys, id, incoming, outgoing));
    let feed = async move {
        let mut parts = Box::pin(body.into_bytes_stream());
        while let Some(part) = parts.next().await {
            if to.send(part).await.is_err() {
                break;
            }
        }
    };
    let keep = async move {
        while let Some(SealedPiece { number, sealed }) = sealed.recv().await {
            let row = state_piece::Model { state_version_id: id, number, created_at: app.clock.now(), sealed };
            let row = &row;
            store::write(&app.db, async |tx| store::row::create(tx, row.clone()).await.map_err(Error::from)).await?;
        }
        Ok::<_, Error>(())
    };
    let ((), kept) = tokio::join!(feed, keep);
    let done = work.await.map_err(|error| Problem::from(Error::internal(error)))?;
    kept?;
    done.map_err(|refused| match refused {
        Refused::TooLarge => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the state is larger than {MOST_BYTES} bytes"))
        }
        Refused::Invalid(reason) => Problem::bad(reason),
        Refused::Interrupted => Problem::bad("the state was not received completely"),
        Refused::Failed(error) => error.into(),
    })
}

/// Removes the pieces of a state that was not stored. What this cannot remove expires.
pub(super) async fn discard(app: &App, id: StateVersionId) {
    let gone =
        store::write(&app.db, async |tx| store::workspace::delete_pieces(tx, id).await.map_err(Error::from)).await;
    if let Err(error) = gone {
        tracing::warn!(%error, state_version = %id, "the pieces of a refused state could not be deleted; they expire");
    }
}

/// Sends a state as it is stored.
pub(super) async fn send(app: &Arc<App>, row: state_version::Model) -> Result<Response> {
    let response = Response::builder().content_type("application/json");
    if row.pieces.is_none() {
        return Ok(response.body(whole(app, row).await?));
    }
    let Extent { pieces, bytes } = open_extent(&app.keys, &row)?;
    let (app, id) = (Arc::clone(app), row.id);
    let parts = stream::iter(0..pieces).then(move |number| {
        let app = Arc::clone(&app);
        async move {
            piece(&app, id, number).await.map(Bytes::from).map_err(|error| {
                tracing::error!(?error, state_version = %id, number, "a piece of a state could not be read");
                IoError::other("a piece of the state could not be read")
            })
        }
    });
    Ok(response.header("content-length", bytes.to_string()).body(Body::from_bytes_stream(parts)))
}

/// A state that is small enough to be converted.
pub(super) async fn read(app: &Arc<App>, row: state_version::Model) -> Result<Vec<u8>> {
    let id = row.id;
    let bytes = match row.pieces {
        None => row.sealed.len() as u64,
        Some(_) => open_extent(&app.keys, &row)?.bytes,
    };
    if bytes > MOST_SHOWN_BYTES {
        let text = format!(
            "the state is larger than {MOST_SHOWN_BYTES} bytes, the most that is converted; download {id}.raw.json instead"
        );
        return Err(Problem::new(StatusCode::CONFLICT, text));
    }
    let Some(pieces) = row.pieces else { return Ok(whole(app, row).await?) };
    let mut state = Vec::new();
    for number in 0..pieces {
        state.extend(piece(app, id, number).await?);
    }
    Ok(state)
}

async fn whole(app: &App, row: state_version::Model) -> crate::error::Result<Vec<u8>> {
    let keys = app.keys.clone();
    tokio::task::spawn_blocking(move || open_whole(&keys, &row)).await.map_err(Error::internal)?
}

async fn piece(app: &App, id: StateVersionId, number: i32) -> crate::error::Result<Vec<u8>> {
    let row = store::row::by_id::<state_piece::Model>(&app.db, (id, number)).await?;
    let row = row.ok_or_else(|| Error::internal(format!("piece {number} of state {id} is missing")))?;
    let keys = app.keys.clone();
    let opened =
        tokio::task::spawn_blocking(move || open_piece(&keys, id, &SealedPiece { number, sealed: row.sealed }));
    opened.await.map_err(Error::internal)?
}
