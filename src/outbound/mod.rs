//! Webhook deliveries: signed, without redirects, and only to allowed addresses. Failed deliveries are retried with
//! backoff.

pub use self::call::call;
pub use self::deliver::{run, send};
pub use self::destination::{check_literal, client};

pub mod address;
mod call;
mod deliver;
mod destination;
pub mod sign;
