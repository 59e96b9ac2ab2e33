//! Calls of webhooks: what was stored to be sent is sent, with a signature, no redirects, and only to addresses that
//! are allowed; what fails is tried again with growing pauses.

pub use self::deliver::{run, send};
pub use self::destination::check_literal;

pub mod address;
mod call;
mod deliver;
mod destination;
pub mod sign;
