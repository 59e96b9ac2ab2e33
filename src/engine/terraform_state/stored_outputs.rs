//! Reads the outputs of a stored state, however large it is: with bounded memory, on a thread for blocking work.

use std::collections::BTreeMap;
use std::io::{BufReader, Error as IoError, Read};
use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use entity::state_version;
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::mpsc::{Receiver, channel};

use super::content::content;
use crate::app::App;
use crate::error::{Error, Result};

/// How many opened parts may wait to be read.
const WAITING: usize = 2;

/// An output with its value, as it is written.
#[derive(Debug)]
pub struct StoredOutput {
    pub name: String,
    pub sensitive: bool,
    pub value: Box<RawValue>,
    /// The type, in the notation of Terraform.
    pub kind: Box<RawValue>,
}

#[derive(Deserialize)]
struct State {
    #[serde(default)]
    outputs: Option<BTreeMap<String, Output>>,
}

#[derive(Deserialize)]
struct Output {
    #[serde(default)]
    sensitive: Option<bool>,
    #[serde(default)]
    value: Option<Box<RawValue>>,
    #[serde(rename = "type", default)]
    kind: Option<Box<RawValue>>,
}

/// A state whose parts are opened while it is read.
struct OpenedState {
    incoming: Receiver<Result<Bytes, IoError>>,
    next: Bytes,
}

impl Read for OpenedState {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        while self.next.is_empty() {
            match self.incoming.blocking_recv() {
                None => return Ok(0),
                Some(part) => self.next = part?,
            }
        }
        let count = self.next.len().min(to.len());
        if let (Some(to), Some(from)) = (to.get_mut(..count), self.next.get(..count)) {
            to.copy_from_slice(from);
        }
        self.next.advance(count);
        Ok(count)
    }
}

/// The outputs of a state version, by name.
///
/// # Errors
/// `Conflict` if the state has another format than expected; otherwise when it cannot be opened or read.
pub async fn stored_outputs(app: &Arc<App>, row: state_version::Model) -> Result<Vec<StoredOutput>> {
    let mut parts = content(app, row).await?.parts;
    let (to, incoming) = channel(WAITING);
    let reader = BufReader::new(OpenedState { incoming, next: Bytes::new() });
    let read = tokio::task::spawn_blocking(move || serde_json::from_reader::<_, State>(reader));
    while let Some(part) = parts.next().await {
        // The reader has given up.
        if to.send(part).await.is_err() {
            break;
        }
    }
    drop(to);
    let State { outputs } = read.await.map_err(Error::internal)?.map_err(|error| {
        if error.is_io() {
            return Error::internal(error);
        }
        Error::Conflict(
            "the state does not have the format of a state of version 4, so that its outputs cannot be shown"
                .to_owned(),
        )
    })?;
    let null = || RawValue::NULL.to_owned();
    let outputs =
        outputs.unwrap_or_default().into_iter().map(|(name, Output { sensitive, value, kind })| StoredOutput {
            name,
            sensitive: sensitive.unwrap_or(false),
            value: value.unwrap_or_else(null),
            kind: kind.unwrap_or_else(null),
        });
    Ok(outputs.collect())
}
