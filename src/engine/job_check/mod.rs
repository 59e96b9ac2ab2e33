//! Checks: jobs that run elsewhere. They report by pings; each ping begins or ends a run, and a ping that is missing is a skipped time.
//!
//! No server owns the run of a check. All that happens to a check happens under the lock of its row in `job_check`.

mod check_definition;
mod log_text;
mod ping_text;
mod received;
mod settled;
mod stored_check;

pub use self::check_definition::{CheckDefinition, DEFAULT_GRACE_SECONDS, GivenRhythm, check_spec};
pub use self::ping_text::{MOST_BYTES, Ping, Signal, lines};
pub use self::received::{Answer, receive};
pub(super) use self::settled::{Settled, cancel, release, settle, settle_due};
pub(super) use self::stored_check::{CheckChange, Labels, create_in, delete_in, update_in};
pub use self::stored_check::{create, delete, ping_path, rotate_key, update};
