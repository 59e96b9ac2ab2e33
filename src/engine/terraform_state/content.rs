//! Reads stored states. Opening is done on threads for blocking work, and a large state with bounded memory.

use std::io::Error as IoError;
use std::sync::Arc;

use bytes::Bytes;
use entity::id::StateVersionId;
use entity::{state_piece, state_version};
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};

use super::sealed_piece::SealedPiece;
use super::state_pieces::{Extent, open_extent, open_piece, open_whole};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// The largest state that is converted to another format, which needs all of it at once.
const MOST_SHOWN_BYTES: u64 = 8 * 1024 * 1024;

/// A state as it was stored.
pub struct StateContent {
    pub bytes: u64,
    pub parts: BoxStream<'static, std::io::Result<Bytes>>,
}

/// The content of a state version.
///
/// # Errors
/// When the state cannot be opened or read.
pub async fn content(app: &Arc<App>, row: state_version::Model) -> Result<StateContent> {
    if row.pieces.is_none() {
        let whole = Bytes::from(whole(app, row).await?);
        return Ok(StateContent { bytes: whole.len() as u64, parts: stream::iter([Ok(whole)]).boxed() });
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
    Ok(StateContent { bytes, parts: parts.boxed() })
}

/// A state that is small enough to be converted.
///
/// # Errors
/// `Conflict` if it is too large; otherwise when it cannot be opened or read.
pub async fn read(app: &App, row: state_version::Model) -> Result<Vec<u8>> {
    let id = row.id;
    let bytes = match row.pieces {
        None => row.sealed.len() as u64,
        Some(_) => open_extent(&app.keys, &row)?.bytes,
    };
    if bytes > MOST_SHOWN_BYTES {
        return Err(Error::Conflict(format!(
            "the state is larger than {MOST_SHOWN_BYTES} bytes, the most that is converted; download {id}.raw.json instead"
        )));
    }
    let Some(pieces) = row.pieces else { return whole(app, row).await };
    let mut state = Vec::new();
    for number in 0..pieces {
        state.extend(piece(app, id, number).await?);
    }
    Ok(state)
}

async fn whole(app: &App, row: state_version::Model) -> Result<Vec<u8>> {
    let keys = app.keys.clone();
    tokio::task::spawn_blocking(move || open_whole(&keys, &row)).await.map_err(Error::internal)?
}

async fn piece(app: &App, id: StateVersionId, number: i32) -> Result<Vec<u8>> {
    let row = store::row::by_id::<state_piece::Model>(&app.db, (id, number)).await?;
    let row = row.ok_or_else(|| Error::internal(format!("piece {number} of state {id} is missing")))?;
    let keys = app.keys.clone();
    let opened =
        tokio::task::spawn_blocking(move || open_piece(&keys, id, &SealedPiece { number, sealed: row.sealed }));
    opened.await.map_err(Error::internal)?
}
