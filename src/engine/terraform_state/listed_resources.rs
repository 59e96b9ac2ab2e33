//! The resources of a state as a list, which is made while the state arrives. It is sealed in parts, so that a page of it is read
//! without the state.

use entity::id::StateVersionId;
use serde::{Deserialize, Serialize};

use super::sealed_piece::SealedPiece;
use super::state_scan::{Depth, FoundInstance, StateScan};
use crate::error::{Error, Result};
use crate::secret::{self, KeyRing};

/// How many resources a part has.
pub(super) const PART: usize = 100;
/// The most resources that are listed, and the most bytes of the list.
pub(super) const MOST: i32 = 100_000;
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// A resource of a state: one instance of it, as it is addressed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedResource {
    pub address: String,
    /// `managed` or `data`.
    pub mode: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub name: String,
    pub provider: String,
    pub module: Option<String>,
}

impl From<FoundInstance> for ListedResource {
    fn from(found: FoundInstance) -> Self {
        let FoundInstance { address, module, mode, kind, name, provider, digest: _, text: _ } = found;
        Self { address, mode, kind, name, provider, module }
    }
}

pub(super) fn place(id: StateVersionId, number: i32) -> String {
    format!("{}/{number}", secret::place("state_listing", id.0))
}

/// A list that is being made.
pub(super) struct Listing {
    scan: StateScan,
    open: Vec<ListedResource>,
    /// How many parts were sealed so far.
    parts: i32,
    bytes: usize,
    /// How many resources are listed.
    count: i32,
}

impl Listing {
    pub(super) fn new() -> Self {
        Self { scan: StateScan::new(Depth::Names), open: Vec::new(), parts: 0, bytes: 0, count: 0 }
    }

    /// Reads the next bytes of the state, and returns the parts that they complete.
    pub(super) fn push(&mut self, keys: &KeyRing, id: StateVersionId, bytes: &[u8]) -> Result<Vec<SealedPiece>> {
        let mut found = Vec::new();
        self.scan.push(bytes, &mut |one| found.push(one));
        let mut sealed = Vec::new();
        for one in found {
            if self.count >= MOST || self.bytes >= MOST_BYTES {
                break;
            }
            self.count += 1;
            self.open.push(one.into());
            if self.open.len() >= PART {
                sealed.push(self.seal(keys, id)?);
            }
        }
        Ok(sealed)
    }

    /// How many resources are listed; none if the list is not all that could be, so that the state itself is to be asked.
    pub(super) fn count(&self) -> Option<i32> {
        let is_whole = !self.scan.is_encrypted && !self.scan.is_cut && self.bytes < MOST_BYTES;
        is_whole.then_some(self.count)
    }

    /// The last part, if there is one left.
    pub(super) fn finish(&mut self, keys: &KeyRing, id: StateVersionId) -> Result<Option<SealedPiece>> {
        if self.open.is_empty() { Ok(None) } else { self.seal(keys, id).map(Some) }
    }

    fn seal(&mut self, keys: &KeyRing, id: StateVersionId) -> Result<SealedPiece> {
        let text = serde_json::to_vec(&self.open).map_err(Error::internal)?;
        self.open.clear();
        self.bytes += text.len();
        let number = self.parts;
        self.parts += 1;
        Ok(SealedPiece { number, sealed: keys.seal(&place(id, number), &text)? })
    }
}
