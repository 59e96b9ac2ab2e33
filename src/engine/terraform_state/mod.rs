//! The Terraform states of workspaces: sealed, whole or in pieces; what is shown of them; and what they contain.

mod arrival;
mod content;
mod listed_resources;
mod new_version;
mod opened_scan;
mod resource_page;
mod sealed_piece;
mod serial_rewrite;
mod state_change;
mod state_comparison;
mod state_difference;
mod state_document;
mod state_head;
mod state_order;
mod state_pieces;
mod state_scan;
mod stored_outputs;

pub use self::content::{StateContent, content, read};
pub use self::listed_resources::ListedResource;
pub use self::new_version::{NewVersion, NotStored, OVERTAKEN, Stored, store_version};
pub use self::resource_page::{ResourcePage, resources};
pub use self::state_change::{Import, NotChanged, REASON, Rollback, StateWriter, import, rollback};
pub use self::state_comparison::compare;
pub use self::state_document::{StateOutput, outputs, shown};
pub use self::state_head::StateHead;
pub use self::state_order::refusal as order_refusal;
pub use self::state_pieces::{MOST_BYTES, Refused, open_whole};
pub use self::stored_outputs::{StoredOutput, stored_outputs};
