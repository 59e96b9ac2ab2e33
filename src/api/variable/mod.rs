//! Variables and secrets. All groups of operations share the same code and one table.

mod access_parent;
mod answers;
pub(super) mod family;
mod family_response;
mod import;
mod lookup;
mod request;
mod response;
mod scope;
mod target;
pub(super) mod unified;
mod unified_request;
