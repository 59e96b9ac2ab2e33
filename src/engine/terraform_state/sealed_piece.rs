//! A sealed part of a state, or of the list of its resources.

/// A sealed piece.
pub(super) struct SealedPiece {
    pub(super) number: i32,
    pub(super) sealed: Vec<u8>,
}
