//! Alerts: decides what is told about failed runs, skipped times and deployments, and sends it to receivers. Failed messages are
//! retried with backoff; what a receiver has accepted is not sent again.

pub use self::message_loop::{Memory, decide, run};
pub use self::sealed_address::Address;
pub use self::send_due::send;
pub use self::smtp::{is_mail_address, smarthost_origin};
pub use self::trial::try_out;

mod compose;
mod formats;
mod hand_over;
mod judge;
mod message_loop;
mod recoveries;
mod refused;
mod sealed_address;
mod send_due;
mod smtp;
mod tell;
mod timed;
mod trial;
