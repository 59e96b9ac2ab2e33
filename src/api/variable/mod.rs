//! Variables and secrets. All groups of operations share the same code and one table.

mod create;
mod edit;
pub(super) mod family;
mod family_response;
mod import;
mod lookup;
mod parent;
mod request;
mod response;
mod save;
mod scope;
mod target;
pub(super) mod unified;
mod unified_request;
mod validate;
mod visible;
