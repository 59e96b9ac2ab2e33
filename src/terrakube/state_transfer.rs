//! Receives and sends states in pieces, with bounded memory. Sealing and opening is done on threads for blocking work.

use std::sync::Arc;

use entity::id::StateVersionId;
use entity::{state_piece, state_version};
use futures_util::StreamExt as _;
use poem::http::StatusCode;
use poem::{Body, Response};
use tokio::sync::mpsc;

use super::error::{Problem, Result};
use crate::app::App;
use crate::engine::terraform_state::{self, MOST_BYTES, Refused, SealedPiece, SealedState, StateContent, seal};
use crate::error::Error;
use crate::store;

/// How many received parts may wait to be sealed.
const WAITING: usize = 4;

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
    let StateContent { bytes, parts } = terraform_state::content(app, row).await?;
    let response = Response::builder().content_type("application/json").header("content-length", bytes.to_string());
    Ok(response.body(Body::from_bytes_stream(parts)))
}
