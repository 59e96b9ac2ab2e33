//! Webhook deliveries: signed, without redirects, and only to allowed addresses. Failed deliveries are retried with
//! backoff. Files of iCalendar addresses are read under the same rules.

pub use self::call::{call, exchange};
pub use self::deliver::{run, send};
pub use self::destination::{check_literal, client};
pub use self::outbox_loop::{Outbox, send_all, send_until};
pub use self::places::Places;
pub use self::read::read;

pub mod address;
mod call;
mod deliver;
mod destination;
mod outbox_loop;
mod places;
mod read;
pub mod sign;
