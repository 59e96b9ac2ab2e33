//! The Terraform states of workspaces: sealed, whole or in pieces; what is shown of them; and what they contain.

mod content;
mod state_document;
mod state_head;
mod state_pieces;

pub use self::content::{StateContent, content, read};
pub use self::state_document::{StateOutput, outputs, shown};
pub use self::state_head::StateHead;
pub use self::state_pieces::{MOST_BYTES, Refused, SealedPiece, SealedState, open_whole, seal};
