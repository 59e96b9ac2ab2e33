//! Reads the resources of a stored state, however large it is: with bounded memory, on a thread for blocking work.

use std::sync::Arc;

use bytes::Bytes;
use entity::state_version;
use futures_util::StreamExt as _;
use tokio::sync::mpsc::channel;

use super::content::content;
use super::state_scan::{Depth, FoundInstance, StateScan};
use crate::app::App;
use crate::error::{Error, Result};

/// How many opened parts may wait to be read.
const WAITING: usize = 2;

/// Hands over each instance of a state together with what was gathered so far. The second part of the answer says whether some were left
/// out.
///
/// # Errors
/// `Conflict` if the tool has encrypted the state; otherwise when the state cannot be opened or read.
pub(super) async fn scanned<T: Send + 'static>(
    app: &Arc<App>,
    row: state_version::Model,
    depth: Depth,
    gathered: T,
    take: impl Fn(&mut T, FoundInstance) + Send + 'static,
) -> Result<(T, bool)> {
    let mut parts = content(app, row).await?.parts;
    let (to, mut incoming) = channel::<Bytes>(WAITING);
    let work = tokio::task::spawn_blocking(move || {
        let (mut scan, mut gathered) = (StateScan::new(depth), gathered);
        while let Some(part) = incoming.blocking_recv() {
            scan.push(&part, &mut |one| take(&mut gathered, one));
        }
        (gathered, scan.is_cut, scan.is_encrypted)
    });
    let mut broken = None;
    while let Some(part) = parts.next().await {
        match part {
            Ok(part) => {
                if to.send(part).await.is_err() {
                    break;
                }
            }
            Err(error) => {
                broken = Some(error);
                break;
            }
        }
    }
    drop(to);
    let done = work.await.map_err(Error::internal)?;
    match broken {
        Some(error) => Err(Error::internal(error)),
        None => {
            let (gathered, is_cut, is_encrypted) = done;
            if is_encrypted {
                return Err(Error::Conflict(
                    "the tool has encrypted the state, so that its resources are not known here".to_owned(),
                ));
            }
            Ok((gathered, is_cut))
        }
    }
}
