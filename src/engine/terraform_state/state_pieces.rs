//! Seals a state in pieces while it arrives, on a thread of its own. At no time is more than a few MiB of it in memory.
//!
//! A small state is one sealed value of its row. Each piece of a larger one is sealed for its state version and its number, and the
//! row has a sealed description, so that no piece can be left out, exchanged or appended.

use std::io::{BufReader, Error as IoError, Read};

use bytes::{Buf as _, Bytes};
use entity::id::StateVersionId;
use entity::state_version;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use tokio::sync::mpsc::{Receiver, Sender};

use super::listed_resources::Listing;
use super::sealed_piece::SealedPiece;
use super::state_head::{JsonLimits, StateHead};
use crate::error::{CannotOpen, Error, Result};
use crate::secret::{self, KeyRing};

/// The size limit of a state, in bytes.
pub const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// The largest state that is stored in its row. Servers of earlier releases read no others.
pub(super) const WHOLE_BYTES: usize = 4 * 1024 * 1024;

/// The size of a piece. Each thread that handles pieces keeps the memory of a few of them.
pub(super) const PIECE_BYTES: usize = 256 * 1024;

/// How much of the list of resources is held at most.
const LISTED_BYTES: usize = 1024 * 1024;

/// The sealed description of a state that is stored in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Extent {
    pub(super) pieces: i32,
    pub(super) bytes: u64,
}

/// What is stored while a state arrives.
pub(super) enum SealedPart {
    Piece(SealedPiece),
    /// A part of the list of its resources.
    Listing(SealedPiece),
}

/// A state that has arrived.
pub(super) struct SealedState {
    pub(super) head: StateHead,
    pub(super) md5: String,
    /// The state, or its extent.
    pub(super) sealed: Vec<u8>,
    /// None if the state is stored in its row.
    pub(super) pieces: Option<i32>,
    /// The parts of the list of its resources that are not stored yet.
    pub(super) listing: Vec<SealedPiece>,
    /// How many resources are listed; none if they cannot be.
    pub(super) resources: Option<i32>,
}

/// Why a state was refused.
#[derive(Debug)]
pub enum Refused {
    TooLarge,
    Invalid(String),
    /// The client went away, or the pieces cannot be stored.
    Interrupted,
    Failed(Error),
}

fn place_of_piece(id: StateVersionId, number: i32) -> String {
    format!("{}/{number}", secret::place("state_piece", id.0))
}

fn place_of_extent(id: StateVersionId) -> String {
    secret::place("state_extent", id.0)
}

/// A piece in the clear.
pub(super) fn open_piece(keys: &KeyRing, id: StateVersionId, piece: &SealedPiece) -> Result<Vec<u8>> {
    Ok(keys.open(&place_of_piece(id, piece.number), &piece.sealed)?.expose().clone())
}

/// The extent of a state that is stored in pieces.
pub(super) fn open_extent(keys: &KeyRing, row: &state_version::Model) -> Result<Extent> {
    let text = keys.open(&place_of_extent(row.id), &row.sealed)?;
    let extent: Extent = serde_json::from_slice(text.expose()).map_err(Error::internal)?;
    if row.pieces == Some(extent.pieces) {
        Ok(extent)
    } else {
        Err(Error::internal(CannotOpen("a state has another number of pieces than was stored")))
    }
}

/// A state in the clear that is stored in its row.
///
/// # Errors
/// When the keys of this server do not open it.
pub fn open_whole(keys: &KeyRing, row: &state_version::Model) -> Result<Vec<u8>> {
    Ok(keys.open(&secret::place("state_version", row.id.0), &row.sealed)?.expose().clone())
}

/// Reads a state, and hands over its sealed pieces as they become complete.
///
/// # Errors
/// Why the state was refused.
pub(super) fn seal(
    keys: KeyRing,
    id: StateVersionId,
    incoming: Receiver<Result<Bytes, IoError>>,
    outgoing: Sender<SealedPart>,
) -> Result<SealedState, Refused> {
    let mut arriving = ArrivingState {
        keys,
        id,
        incoming,
        outgoing,
        next: Bytes::new(),
        limits: JsonLimits::default(),
        digest: md5::Md5::new(),
        held: Vec::new(),
        extent: Extent { pieces: 0, bytes: 0 },
        listing: Listing::new(),
        listed: Vec::new(),
        refused: None,
    };
    let read = StateHead::read(BufReader::with_capacity(64 * 1024, &mut arriving));
    match (arriving.refused.take(), read) {
        (Some(refused), _) => Err(refused),
        (None, Err(error)) => Err(Refused::Invalid(format!("the state is not JSON: {error}"))),
        (None, Ok(head)) => arriving.finish(head),
    }
}

struct ArrivingState {
    keys: KeyRing,
    id: StateVersionId,
    incoming: Receiver<Result<Bytes, IoError>>,
    outgoing: Sender<SealedPart>,
    /// What was received and not read yet.
    next: Bytes,
    limits: JsonLimits,
    digest: md5::Md5,
    /// What was received and not sealed yet.
    held: Vec<u8>,
    extent: Extent,
    listing: Listing,
    /// The parts of the listing that were not handed over yet.
    listed: Vec<SealedPiece>,
    refused: Option<Refused>,
}

impl Read for ArrivingState {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        while self.next.is_empty() {
            let taken = match self.incoming.blocking_recv() {
                None => return Ok(0),
                Some(Ok(bytes)) => self.take(bytes),
                Some(Err(_)) => Err(Refused::Interrupted),
            };
            if let Err(refused) = taken {
                self.refused = Some(refused);
                return Err(IoError::other("refused"));
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

impl ArrivingState {
    fn take(&mut self, bytes: Bytes) -> Result<(), Refused> {
        self.extent.bytes += bytes.len() as u64;
        if self.extent.bytes > MOST_BYTES {
            return Err(Refused::TooLarge);
        }
        self.limits.check(&bytes).map_err(Refused::Invalid)?;
        self.digest.update(&bytes);
        let listed = self.listing.push(&self.keys, self.id, &bytes).map_err(Refused::Failed)?;
        self.listed.extend(listed);
        for part in bytes.chunks(PIECE_BYTES) {
            self.held.extend_from_slice(part);
            while self.held.len() > WHOLE_BYTES || (self.extent.pieces > 0 && self.held.len() >= PIECE_BYTES) {
                let mut held = std::mem::take(&mut self.held);
                self.hand_over(held.get(..PIECE_BYTES).unwrap_or_default())?;
                held.drain(..PIECE_BYTES);
                self.held = held;
            }
        }
        self.next = bytes;
        // The list of a small state is stored with it, at once.
        if self.extent.pieces > 0 || self.listed.iter().map(|part| part.sealed.len()).sum::<usize>() > LISTED_BYTES {
            for part in std::mem::take(&mut self.listed) {
                self.send(SealedPart::Listing(part))?;
            }
        }
        Ok(())
    }

    fn send(&self, part: SealedPart) -> Result<(), Refused> {
        self.outgoing.blocking_send(part).map_err(|_| Refused::Interrupted)
    }

    fn hand_over(&mut self, piece: &[u8]) -> Result<(), Refused> {
        let number = self.extent.pieces;
        let sealed = self.keys.seal(&place_of_piece(self.id, number), piece).map_err(Refused::Failed)?;
        self.extent.pieces += 1;
        self.send(SealedPart::Piece(SealedPiece { number, sealed }))
    }

    fn finish(mut self, head: StateHead) -> Result<SealedState, Refused> {
        let md5 = self.digest.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let last = self.listing.finish(&self.keys, self.id).map_err(Refused::Failed)?;
        self.listed.extend(last);
        let (listing, resources) = (std::mem::take(&mut self.listed), self.listing.count());
        let held = std::mem::take(&mut self.held);
        if self.extent.pieces == 0 {
            let place = secret::place("state_version", self.id.0);
            let sealed = self.keys.seal(&place, &held).map_err(Refused::Failed)?;
            return Ok(SealedState { head, md5, sealed, pieces: None, listing, resources });
        }
        if !held.is_empty() {
            self.hand_over(&held)?;
        }
        let text = serde_json::to_vec(&self.extent).map_err(|error| Refused::Failed(Error::internal(error)))?;
        let sealed = self.keys.seal(&place_of_extent(self.id), &text).map_err(Refused::Failed)?;
        let pieces = Some(self.extent.pieces);
        Ok(SealedState { head, md5, sealed, pieces, listing, resources })
    }
}
